import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openRecorder } from '../../src/compose/recorder.ts';
import { configSchema } from '../../src/config/schema.ts';
import { CLOCK, SILENT } from '../decide/fixtures.ts';
import { allowed } from '../record/records.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-logs-compose-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = join(folder, 'decisions.log');
const keyFile = join(folder, 'key');
const open = () => {
  const log = { sink: { file }, format: 'opa', labels: { region: 'eu', version: 'forged' }, privacy: { clients: 'hash', keyFile } };
  return openRecorder(configSchema.parse({ decisions: { log } }), '1.2.3', { metrics: { count() {} }, logger: SILENT, clock: CLOCK });
};

describe('the decision log of the service', () => {
  it.each([
    ['is not there', null],
    ['is short', 'abcdef'],
    ['is no hexadecimal text', 'x'.repeat(64)],
  ])('does not start where the key of its hashes %s', async (_what, key) => {
    if (key !== null) writeFileSync(keyFile, key);
    await expect(open()).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining('decisions.log.privacy.keyFile'),
    });
  });

  it('has its labels and its pseudonyms by the configuration', async () => {
    writeFileSync(keyFile, `${'0f'.repeat(16)}\n`);
    const recorder = await open();
    recorder.record(allowed);
    await recorder.close();
    const event = JSON.parse(readFileSync(file, 'utf8'));
    expect(event.labels).toEqual({ region: 'eu', id: expect.stringMatching(/^[0-9a-f-]{36}$/), app: 'countersign', version: '1.2.3' });
    expect([event.result.subject.client, event.masked]).toEqual([expect.stringMatching(/^id:[\w-]{22}$/), ['/result/subject']]);
  });
});
