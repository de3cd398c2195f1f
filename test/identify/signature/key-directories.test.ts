import { describe, expect, test } from 'vitest';
import type { GuardedAnswer, GuardedFailure } from '../../../src/stores/guarded-fetch.ts';
import { botOptions, botRequest, createSignatureBench, fetching, signer, stranger } from './signed.ts';

/* When a directory is fetched, and who pays for it. The clock's monotonic scale is the test's. */

const good = (keys: readonly unknown[] = [signer.jwk]): GuardedAnswer => ({ ok: true, bytes: Buffer.from(JSON.stringify({ keys })) });

async function benchOf(
  answer: (url: string, asked: number) => GuardedAnswer | Promise<GuardedAnswer>,
  directory: Partial<ReturnType<typeof botOptions>['directory']> = {},
) {
  const asked: string[] = [];
  const time = { ms: 1_000_000 };
  const clock = { now: () => 1_800_000_000_000, monotonic: () => time.ms };
  const options = botOptions();
  const webBotAuth = { ...options, directory: { ...options.directory, ...directory } };
  const parts = fetching((url) => {
    asked.push(url);
    return answer(url, asked.length);
  });
  const bench = await createSignatureBench({ profiles: [], webBotAuth }, { ...parts, clock });
  return { judge: bench.judge, status: () => bench.identifier.status().signatures, asked, time };
}

/** The deadline of the test's requests is on the machine's own scale. */
const request = (agent = 'https://bot.example', ip = '192.0.2.7', key = signer) => ({
  ...botRequest({ agent, key }),
  ip,
  deadlineMs: 1_000_000_000,
});

describe('a directory', () => {
  test('is fetched once, and used', async () => {
    const { judge, asked, status } = await benchOf(() => good());
    expect(await judge(request())).toBe('present');
    expect(await judge(request())).toBe('present');
    expect(asked).toHaveLength(1);
    expect(status()).toMatchObject({ directories: { hits: 1, misses: 1, entries: 1 }, fetching: 0, failures: 0 });
  });

  test('is fetched once for all who wait for it', async () => {
    const { judge, asked } = await benchOf(() => new Promise((resolve) => setTimeout(() => resolve(good()), 20)));
    expect(await Promise.all([judge(request()), judge(request()), judge(request())])).toEqual(['present', 'present', 'present']);
    expect(asked).toHaveLength(1);
  });

  test('is used while it is fetched again, from half of its time on', async () => {
    const { judge, asked, time } = await benchOf(() => good());
    await judge(request());
    time.ms += 1_800_001;
    expect(await judge(request())).toBe('present');
    await new Promise((resolve) => setImmediate(resolve));
    expect(asked).toHaveLength(2);
    expect(await judge(request())).toBe('present');
    expect(asked).toHaveLength(2);
  });

  test('that cannot be fetched again is good until its time is over, and no longer', async () => {
    const { judge, time, status } = await benchOf((_, count) => (count === 1 ? good() : { ok: false, failure: 'connection' }));
    await judge(request());
    time.ms += 3_599_999;
    expect(await judge(request())).toBe('present');
    await new Promise((resolve) => setImmediate(resolve));
    time.ms += 1;
    expect(await judge(request())).toBe('unavailable directory_unavailable');
    expect(status()).toMatchObject({ failures: 1 });
  });

  test('is fetched again for a key that it does not have, once in a minute', async () => {
    const { judge, asked, time } = await benchOf((_, count) => (count < 3 ? good([stranger.jwk]) : good()));
    expect(await judge(request())).toBe('invalid signature_key_unknown');
    expect(await judge(request())).toBe('invalid signature_key_unknown');
    expect(asked).toHaveLength(1);
    time.ms += 60_000;
    expect(await judge(request())).toBe('invalid signature_key_unknown');
    time.ms += 60_000;
    expect(await judge(request())).toBe('present');
    expect(asked).toHaveLength(3);
  });

  test('that hangs makes nobody wait for long', async () => {
    const { judge, status } = await benchOf(() => new Promise(() => undefined), { waitMs: 20 });
    expect(await judge(request())).toBe('unavailable directory_pending');
    expect(status()).toMatchObject({ fetching: 1 });
  });

  test('that comes late is there for the next request', async () => {
    const late = Promise.withResolvers<GuardedAnswer>();
    const { judge, asked } = await benchOf(() => late.promise, { waitMs: 0 });
    expect(await judge(request())).toBe('unavailable directory_pending');
    late.resolve(good());
    await new Promise((resolve) => setImmediate(resolve));
    expect(await judge(request())).toBe('present');
    expect(asked).toHaveLength(1);
  });
});

describe('a failed fetch', () => {
  const REFUSED: readonly GuardedFailure[] = [
    'url_not_allowed',
    'name_unknown',
    'address_not_allowed',
    'redirect',
    'status',
    'content_type',
    'content_encoding',
    'too_large',
  ];
  const PASSING: readonly GuardedFailure[] = ['status_retry', 'resolution', 'connection', 'timeout'];
  test.each([
    ...REFUSED.map((failure) => [failure, 'invalid signature_directory_refused'] as const),
    ...PASSING.map((failure) => [failure, 'unavailable directory_unavailable'] as const),
  ])('%s is %s, and remembered', async (failure, found) => {
    const { judge, asked, time } = await benchOf(() => ({ ok: false, failure }));
    expect(await judge(request())).toBe(found);
    expect(await judge(request())).toBe(found);
    expect(asked).toHaveLength(1);
    time.ms += 60_000;
    expect(await judge(request())).toBe(found);
    expect(asked).toHaveLength(2);
  });

  test.each(['', '[]', '{"keys":{}}', '{"keys":[],"keys":[]}', '<html>'])('a document that is no key set: %s', async (text) => {
    const { judge } = await benchOf(() => ({ ok: true, bytes: Buffer.from(text) }));
    expect(await judge(request())).toBe('invalid signature_directory_refused');
  });
});

describe('whoever names agents at random', () => {
  test('pays by the budget of their address, and nobody else does', async () => {
    const { judge, asked } = await benchOf(() => ({ ok: false, failure: 'name_unknown' }), { fetchesPerMinute: 3 });
    for (const name of ['a', 'b', 'c']) expect(await judge(request(`https://${name}.example`))).toBe('invalid signature_directory_refused');
    expect(await judge(request('https://d.example'))).toBe('unavailable directory_budget_exhausted');
    expect(asked).toHaveLength(3);
    expect(await judge(request('https://d.example', '198.51.100.9'))).toBe('invalid signature_directory_refused');
  });

  test('pays together with all others whose address is not known', async () => {
    const { judge, asked } = await benchOf(() => ({ ok: false, failure: 'name_unknown' }), { fetchesPerMinute: 1 });
    const nowhere = (agent: string) => ({ ...request(agent), ip: null });
    await judge(nowhere('https://a.example'));
    expect(await judge(nowhere('https://b.example'))).toBe('unavailable directory_budget_exhausted');
    expect(asked).toHaveLength(1);
  });

  test('does not have more fetched at once than the bound', async () => {
    const { judge, asked } = await benchOf(() => new Promise(() => undefined), { concurrentMax: 2, waitMs: 0 });
    const found = await Promise.all(['a', 'b', 'c'].map((name, index) => judge(request(`https://${name}.example`, `192.0.2.${index}`))));
    expect(found).toEqual(['unavailable directory_pending', 'unavailable directory_pending', 'unavailable directory_budget_exhausted']);
    expect(asked).toHaveLength(2);
  });

  test('cannot have one host asked for many documents, from however many addresses', async () => {
    const asked: string[] = [];
    const options = botOptions();
    const webBotAuth = { ...options, directory: { ...options.directory, fetchesPerMinute: 2 } };
    const bench = await createSignatureBench(
      { profiles: [], webBotAuth },
      fetching((url) => {
        asked.push(url);
        return { ok: false, failure: 'status' };
      }),
    );
    const ask = (index: number) => {
      const member = `"https://victim.example/${index}";type=jwks_uri`;
      const lines = [['"@authority"', 'api.example'] as const, ['"signature-agent";key="sig1"', member] as const];
      return bench.judge({ ...botRequest({ agentHeader: `sig1=${member}`, lines }), ip: `192.0.2.${index}` });
    };
    expect([await ask(1), await ask(2), await ask(3)]).toEqual([
      'invalid signature_directory_refused',
      'invalid signature_directory_refused',
      'unavailable directory_budget_exhausted',
    ]);
    expect(asked).toHaveLength(2);
  });

  test('as what they are not spoils nothing for those who name them rightly', async () => {
    const asked: string[] = [];
    const answers = new Map([['application/json', { ok: false, failure: 'content_type' } as const]]);
    const bench = await createSignatureBench(
      { profiles: [], webBotAuth: botOptions() },
      {
        createGuardedFetch: () => async (url, types) => {
          asked.push(url);
          return answers.get(types.join()) ?? good();
        },
      },
    );
    const member = '"https://bot.example/.well-known/http-message-signatures-directory";type=cimd';
    const lines = [['"@authority"', 'api.example'] as const, ['"signature-agent";key="sig1"', member] as const];
    const spoiler = { ...botRequest({ agentHeader: `sig1=${member}`, lines, key: stranger }), ip: '198.51.100.9' };
    expect(await bench.judge(spoiler)).toBe('invalid signature_directory_refused');
    expect(await bench.judge(botRequest({ agent: 'https://bot.example' }))).toBe('present');
    expect(new Set(asked).size).toBe(1);
  });

  test('pushes out no directory that is used', async () => {
    const answer = (url: string): GuardedAnswer => (url.includes('//bot.example') ? good() : { ok: false, failure: 'name_unknown' });
    const { judge, asked } = await benchOf(answer, { entriesMax: 2, fetchesPerMinute: 100 });
    await judge(request());
    for (let index = 0; index < 10; index++) await judge(request(`https://x${index}.example`));
    expect(await judge(request())).toBe('present');
    expect(asked).toHaveLength(11);
  });
});
