import { createSocket } from 'node:dgram';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createResolveHost } from '../../src/stores/resolve-host.ts';

/* A name server on loopback that answers by the name (RFC 1035). */

const A = 1;
let server = createSocket('udp4');

beforeEach(async () => {
  server = createSocket('udp4');
  server.on('message', (query, from) => {
    const answer = answerTo(query);
    if (answer !== null) server.send(answer, from.port, from.address);
  });
  await new Promise<void>((resolve) => server.bind(0, '127.0.0.1', resolve));
});

afterEach(() => {
  server.close();
});

function answerTo(query: Buffer): Buffer | null {
  const end = query.indexOf(0, 12);
  const name = query.subarray(13, 13 + (query[12] ?? 0)).toString();
  const type = query.readUInt16BE(end + 1);
  if (name === 'silent') return null;
  const records: Buffer[] = [];
  if (name === 'both' || (name === 'half' && type === A))
    records.push(record(type, type === A ? Buffer.from([8, 8, 8, 8]) : Buffer.alloc(16, 0x20)));
  const code = name === 'none' ? 3 : name === 'broken' || (name === 'half' && type !== A) ? 2 : 0;
  const head = Buffer.from([query[0] ?? 0, query[1] ?? 0, 0x81, 0x80 | code, 0, 1, 0, records.length, 0, 0, 0, 0]);
  return Buffer.concat([head, query.subarray(12, end + 5), ...records]);
}

function record(type: number, data: Buffer): Buffer {
  const head = Buffer.from([0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, data.length]);
  return Buffer.concat([head, data]);
}

const ask = (name: string, signal = AbortSignal.timeout(5000)) =>
  createResolveHost([`127.0.0.1:${server.address().port}`])(`${name}.example`, signal);

describe('a name', () => {
  test('has addresses of both families', async () => {
    expect(await ask('both')).toEqual(['8.8.8.8', '2020:2020:2020:2020:2020:2020:2020:2020']);
  });

  test('of which one family could not be had has the other', async () => {
    expect(await ask('half')).toEqual(['8.8.8.8']);
  });

  test('that does not exist, or has no address, has none', async () => {
    expect(await ask('none')).toBeNull();
    expect(await ask('empty')).toBeNull();
  });

  test('of which the name server says nothing good is not known', async () => {
    await expect(ask('broken')).rejects.toThrow('did not answer');
  });

  test('is given up at once when that is asked for', async () => {
    await expect(ask('silent', AbortSignal.timeout(20))).rejects.toThrow('did not answer');
  });
});
