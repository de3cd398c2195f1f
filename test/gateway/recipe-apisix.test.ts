import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { gatewayBinary, recipeBlocks } from '../support/gateways.ts';

/**
 * The function of the APISIX recipe, in the Lua of HAProxy, which is here: `ngx` is a stand-in with the three calls that it makes. APISIX itself
 * cannot be run here.
 */

type Case = {
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly cleared: readonly string[];
  readonly exit: number;
};

const CASES: readonly Case[] = [
  { headers: { authorization: 'Bearer a', accept: ['a', 'b'] }, cleared: [], exit: 0 },
  { headers: { authorization: ['Bearer a', 'Bearer b'] }, cleared: [], exit: 400 },
  { headers: { 'x-api-key': ['a', 'b'] }, cleared: [], exit: 400 },
  { headers: { dpop: ['a', 'b'] }, cleared: [], exit: 400 },
  {
    headers: {
      'x-countersign-subject': 'forged',
      'x-countersign-pep-token': ['a', 'b'],
      x_countersign_subject: 'forged',
      'x.countersign.subject': 'forged',
      'x-countersignature': 'theirs',
    },
    cleared: ['x-countersign-pep-token', 'x-countersign-subject', 'x.countersign.subject', 'x_countersign_subject'],
    exit: 0,
  },
];

const lua = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value);
  if (Array.isArray(value)) return `{${value.map(lua).join(', ')}}`;
  const entries = Object.entries(Object(value)).map(([key, one]) => `[${JSON.stringify(key)}] = ${lua(one)}`);
  return `{${entries.join(', ')}}`;
};

const script = (action: string, { headers }: Case, file: string): string => `
local cleared, exit = {}, 0
ngx = {
  req = {
    get_headers = function() return ${lua(headers)} end,
    clear_header = function(name) table.insert(cleared, name) end,
  },
  exit = function(status) exit = status end,
}
local action = (function() ${action} end)()
action()
table.sort(cleared)
local out = io.open(${JSON.stringify(file)}, "w")
out:write(table.concat(cleared, ",") .. "|" .. exit)
out:close()
`;

test.each(CASES)('$headers', (one) => {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-apisix-'));
  const write = (name: string, text: string): string => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  try {
    const file = write('out', '');
    const loaded = write('action.lua', script(recipeBlocks('apisix', 'lua')[0] ?? '', one, file));
    const config = write('haproxy.cfg', `global\n  lua-load ${loaded}\n`);
    const ran = spawnSync(gatewayBinary('haproxy'), ['-c', '-f', config], { encoding: 'utf8' });
    expect(readFileSync(file, 'utf8'), ran.stderr).toBe(`${one.cleared.join(',')}|${one.exit}`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});
