import { describe, expect, it } from 'vitest';
import type { Finding, KeysFound, ListFound, RedisFound } from '../../src/contract/doctor.ts';
import {
  judgeClock,
  judgeCollector,
  judgeDatabase,
  judgeFileLimit,
  judgeIntrospection,
  judgeKeys,
  judgeList,
  judgeOwnKeys,
  judgePolicy,
  judgePort,
  judgeRedis,
  judgeRegistry,
  judgeWritable,
} from '../../src/doctor/judge.ts';

const DAY = 86_400;
const NOW = 1_800_000_000;
const REDIS: RedisFound = { ok: true, aheadMs: 3, tookMs: 1, version: '7.0.15', evicts: 'noeviction' };
const KEYS: KeysFound = { ok: true, keys: 2, aheadMs: null, ageSeconds: null, endsAt: null };
const LIST: ListFound = { name: 'mine', state: 'ready', tooOld: false, entries: 7, error: null };
const ofRedis = (change: object) => judgeRedis({ ...REDIS, ...change }, { deadlineMs: 25, toleratedMs: 5000 });
const ofKeys = (change: object) => judgeKeys('https://as.example', { ...KEYS, ...change }, { now: NOW, toleratedMs: 5000 });
const statuses = (findings: readonly Finding[]) => findings.map(({ check, status }) => `${check} ${status}`);

describe('what is said', () => {
  it.each<[string, Finding, Finding['status'], RegExp]>([
    ['a policy', judgePolicy('default', { ok: true, revision: 'r1', rules: 56, routes: 13 }), 'ok', /r1, 56 rules, 13 routes/],
    ['a refused policy', judgePolicy('default', { ok: false, code: 'bundle_unreadable', text: 'no' }), 'failed', /bundle_unreadable/],
    [
      'a policy of a code that is not known here',
      judgePolicy('default', { ok: false, code: 'policy_invalid', text: 'no' }),
      'failed',
      /policy_invalid/,
    ],
    ['a database', judgeDatabase('a.mmdb', { state: 'ready', error: null, ageSeconds: 3 * DAY }), 'ok', /built 3 days ago/],
    ['a database without a date', judgeDatabase('a.mmdb', { state: 'ready', error: null, ageSeconds: null }), 'ok', /ready/],
    ['an old database', judgeDatabase('a.mmdb', { state: 'ready', error: null, ageSeconds: 60 * DAY }), 'warning', /60 days/],
    [
      'a broken database',
      judgeDatabase('a.mmdb', { state: 'broken', error: 'database_invalid', ageSeconds: null }),
      'failed',
      /database_invalid/,
    ],
    ['a missing database', judgeDatabase('a.mmdb', { state: 'missing', error: null, ageSeconds: null }), 'failed', /not there/],
    ['clocks together', judgeClock('redis', 900, 5000), 'ok', /0\.9 s behind/],
    ['clocks within the noise of HTTP', judgeClock('as', -1400, 0), 'ok', /1\.4 s ahead/],
    ['clocks apart', judgeClock('redis', -3000, 5000), 'warning', /3\.0 s ahead/],
    ['clocks too far apart', judgeClock('redis', 6000, 5000), 'failed', /6\.0 s behind, which is more than the 5 s/],
    ['enough files', judgeFileLimit(65_536, 2560), 'ok', /65536/],
    ['files without a limit', judgeFileLimit(Number.POSITIVE_INFINITY, 2560), 'ok', /without a limit/],
    ['files that nobody counts', judgeFileLimit(null, 2560), 'ok', /does not say/],
    ['few files', judgeFileLimit(1024, 2560), 'warning', /1024 open files.*2560/],
    ['a free port', judgePort('http', '127.0.0.1:8080', null), 'ok', /free/],
    ['a port in use', judgePort('http', '127.0.0.1:8080', 'EADDRINUSE'), 'warning', /in use/],
    ['a port below 1024', judgePort('http', '127.0.0.1:80', 'EACCES'), 'failed', /EACCES/],
    ['an address of another machine', judgePort('http', '192.0.2.1:80', 'EADDRNOTAVAIL'), 'failed', /EADDRNOTAVAIL/],
    ['a folder', judgeWritable('state.directory', null), 'ok', /may be written/],
    ['a folder of somebody else', judgeWritable('state.directory', 'EACCES'), 'failed', /EACCES/],
    ['a list', judgeList(LIST), 'ok', /7 entries/],
    ['a list that is not there', judgeList({ ...LIST, state: 'never_loaded', error: 'file_missing' }), 'failed', /file_missing/],
    ['an old list', judgeList({ ...LIST, tooOld: true }), 'warning', /ageMaxSeconds/],
    ['a list that shrank', judgeList({ ...LIST, state: 'held_back' }), 'warning', /held_back/],
    ['introspection', judgeIntrospection('as', { error: null }), 'ok', /answers/],
    ['introspection that refuses us', judgeIntrospection('as', { error: 'refused' }), 'failed', /refused/],
    ['own keys', judgeOwnKeys('assertion', { error: null }), 'ok', /can be used/],
    ['own keys that are away', judgeOwnKeys('assertion', { error: 'no file' }), 'failed', /no file/],
    ['a collector', judgeCollector({ error: null }), 'ok', /takes spans/],
    ['a collector that is away', judgeCollector({ error: 'status 404' }), 'warning', /status 404/],
    ['a registry', judgeRegistry([], '2 clients'), 'ok', /2 clients/],
    ['a registry with faults', judgeRegistry(['a.yaml: no', 'b.yaml: no'], ''), 'failed', /a\.yaml: no, and 1 more/],
  ])('of %s', (_name, finding, status, message) => {
    expect(finding.status).toBe(status);
    expect(finding.message).toMatch(message);
    // whoever reads that something is wrong reads what to do
    expect(finding.remedy === null).toBe(status === 'ok');
  });
});

it('Redis', () => {
  expect(statuses(ofRedis({}))).toEqual(['redis ok', 'clock ok']);
  expect(statuses(ofRedis({ tookMs: 30 }))).toEqual(['redis warning', 'clock ok']);
  expect(statuses(ofRedis({ evicts: 'allkeys-lru' }))).toEqual(['redis ok', 'redis warning', 'clock ok']);
  expect(statuses(ofRedis({ evicts: null, version: null, aheadMs: 60_000 }))).toEqual(['redis ok', 'clock failed']);
  expect(statuses(judgeRedis({ ok: false, error: 'ECONNREFUSED' }, { deadlineMs: 25, toleratedMs: 5000 }))).toEqual(['redis failed']);
});

it('keys', () => {
  expect(statuses(ofKeys({}))).toEqual(['issuer ok']);
  expect(statuses(ofKeys({ aheadMs: 100 }))).toEqual(['issuer ok', 'clock ok']);
  expect(statuses(ofKeys({ ageSeconds: 10 * DAY }))).toEqual(['issuer ok']);
  expect(statuses(ofKeys({ ageSeconds: 400 * DAY }))).toEqual(['issuer warning']);
  expect(statuses(ofKeys({ endsAt: NOW + 5 * DAY }))).toEqual(['issuer warning']);
  expect(statuses(ofKeys({ endsAt: NOW - 1 }))).toEqual(['issuer warning']);
  for (const step of ['discovery', 'keys'] as const) {
    expect(statuses(judgeKeys('a', { ok: false, step, error: 'no' }, { now: NOW, toleratedMs: 0 }))).toEqual(['issuer failed']);
  }
});
