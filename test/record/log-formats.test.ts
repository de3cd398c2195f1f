import { describe, expect, it } from 'vitest';
import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';
import { buildLine } from '../../src/record/build-line.ts';
import { ocsfEventOf } from '../../src/record/ocsf-event.ts';
import { lineOfEvent, opaEventOf } from '../../src/record/opa-event.ts';
import { createPseudonyms, truncated } from '../../src/record/pseudonyms.ts';
import { OCSF_API_ACTIVITY } from './ocsf.ts';
import { allowed, denied, failed } from './records.ts';

const labels = { id: 'i-1', app: 'countersign', version: '1.2.3' };

function lineOf(record: Parameters<typeof buildLine>[0]): JsonObject {
  const line: unknown = buildLine(record, 'full');
  if (!isJsonObject(line)) throw new Error('no line');
  return line;
}

describe('an event of OPA’s decision log', () => {
  it('says who decided what, about what and when, by the names that collectors know', () => {
    const event = opaEventOf(lineOf(allowed), labels);
    expect(event).toMatchObject({
      labels,
      decision_id: allowed.decision.id,
      bundles: { default: { revision: allowed.decision.policy.revision } },
      path: 'countersign/default',
      requested_by: 'edge',
      timestamp: '2023-11-14T22:13:20.123Z',
      result: { effect: 'allow', reason: allowed.decision.reasons[0]?.code, endpoint: 'decide' },
    });
    expect(event['metrics']).toEqual({ timer_rego_query_eval_ns: 50_000, timer_server_handler_ns: 100_000 });
    expect(Object.keys(event)).not.toContain('erased');
  });

  it('has the trace beside the result, where the line has one', () => {
    const event = opaEventOf({ ...lineOf(allowed), trace_id: 't', span_id: 's' }, labels);
    expect([event['trace_id'], event['span_id'], Object.keys(Object(event['result'])).includes('trace_id')]).toEqual(['t', 's', false]);
  });

  it('tells a failure, and leaves out an input that is not kept', () => {
    const event = opaEventOf({ ...lineOf(failed), input: null }, labels);
    expect(event).toMatchObject({ error: { code: failed.decision.error?.code } });
    expect(Object.keys(event)).not.toContain('input');
  });

  it('is the line again, with what a mask has left', () => {
    const line = lineOf(allowed);
    const event = opaEventOf(line, labels);
    expect(lineOfEvent(line, event, [], [])).toEqual(line);
    const { address: _gone, ...rest } = Object(event['result']);
    const shown = lineOfEvent(
      line,
      { ...event, input: null, result: { ...rest, decision_id: 'forged' } },
      ['/input', '/result/address'],
      [],
    );
    expect(shown).toMatchObject({ decision_id: allowed.decision.id, input: null, erased: ['/input', '/result/address'] });
    expect(Object.keys(shown)).not.toContain('address');
  });
});

describe('an event of OCSF’s API Activity', () => {
  it.each<[string, JsonObject, object]>([
    ['an allow', lineOf(allowed), { action_id: 1, disposition_id: 1, status_id: 1, severity_id: 1 }],
    ['a deny', lineOf(denied), { action_id: 2, disposition_id: 2, status_id: 2, severity_id: 2 }],
    ['a step up', { ...lineOf(denied), effect: 'step_up' }, { action_id: 2, disposition_id: 23, status_id: 2 }],
    ['a failure', lineOf(failed), { action_id: 2, disposition_id: 27, severity_id: 4 }],
    ['what passed all the same', { ...lineOf(denied), enforced: false }, { action_id: 1, disposition_id: 17, status_id: 1 }],
  ])('has all that is required of %s', (_what, line, expected) => {
    const event = ocsfEventOf(line, labels);
    expect(OCSF_API_ACTIVITY.parse(event)).toEqual(event);
    expect(event).toMatchObject({
      class_uid: 6003,
      category_uid: 6,
      time: 1_700_000_000_123,
      metadata: {
        version: '1.5.0',
        product: { name: 'Countersign', version: '1.2.3' },
        profiles: ['security_control'],
        uid: line['decision_id'],
      },
      actor: { invoked_by: 'edge' },
      api: { operation: expect.stringMatching(/./) },
      ...expected,
    });
    expect(event['type_uid']).toBe(600_300 + Number(event['activity_id']));
  });

  it.each([
    ['GET', 2],
    ['POST', 1],
    ['PATCH', 3],
    ['DELETE', 4],
    ['PURGE', 99],
    ['constructor', 99],
  ])('knows %s, and tells it where the schema has it', (method, activity) => {
    const event = ocsfEventOf({ ...lineOf(allowed), request: { method, host: 'api.example', path: '/x' } }, labels);
    expect(OCSF_API_ACTIVITY.parse(event)).toMatchObject({ activity_id: activity, unmapped: { request: { method } } });
  });

  it.each([
    ['a person', { type: 'user', id: 'p', client: 'c' }, { type: 'User', type_id: 1 }],
    ['a machine', { type: 'client', id: 'c', client: 'c' }, { type: 'client', type_id: 99 }],
    ['what is called as a member of every object', { type: 'toString', id: 'c', client: null }, { type: 'toString', type_id: 99 }],
  ])('knows %s', (_who, subject, user) => {
    expect(OCSF_API_ACTIVITY.parse(ocsfEventOf({ ...lineOf(allowed), subject }, labels)).actor.user).toMatchObject(user);
  });

  it('has all of it too where a mask took all away, and no address where it was hashed', () => {
    const event = ocsfEventOf({ kind: 'decision', decision_id: 'd' }, {});
    OCSF_API_ACTIVITY.parse(event);
    expect(event).toMatchObject({
      activity_id: 0,
      type_uid: 600_300,
      actor: { invoked_by: 'unknown' },
      src_endpoint: { name: 'unknown' },
      time: 0,
    });
    expect(ocsfEventOf({ address: 'addr:x' }, {})['src_endpoint']).toEqual({ uid: 'addr:x' });
    expect(ocsfEventOf({ address: '2001:db8::1' }, {})['src_endpoint']).toEqual({ ip: '2001:db8::1' });
  });
});

describe('pseudonyms', () => {
  const key = Buffer.alloc(16, 1);
  const input = {
    subject: { id: 'agent-7', client: 'agent-7' },
    signals: {
      network: { value: { address: '203.0.113.7', prefix: '203.0.113.7/32', lists: [] } },
      token: { claims: { sub: 'agent-7', azp: 'other' } },
    },
    request: { headers: { 'x-forwarded-for': '203.0.113.7, 2001:db8:1:2::3', 'user-agent': 'curl/8.1.0' }, path: '/agent-7' },
  };
  const line = { ...lineOf(allowed), address: '203.0.113.7', input };
  const show = (options: Parameters<typeof createPseudonyms>[0]) => JSON.stringify(createPseudonyms(options)?.(line, allowed));

  it('are none where none are wanted', () => {
    expect(createPseudonyms({ addresses: 'keep', clients: 'keep', key: null })).toBeNull();
  });

  it('of addresses are nets, wherever an address stands', () => {
    const shown = show({ addresses: 'truncate', clients: 'keep', key: null });
    expect(shown).not.toMatch(/203\.0\.113\.7|2001:db8:1:2/);
    expect(shown).toContain('"address":"203.0.113.0"');
    expect(JSON.parse(shown ?? '').masked).toEqual(['/result/address', '/input']);
    expect(shown).toContain('"prefix":"203.0.113.0/24"');
    expect(shown).toContain('203.0.113.0, 2001:db8:1::');
    expect(shown).toContain('curl/8.1.0');
  });

  it('of addresses and ids are hashes by a key: the same for the same, and others by another key', () => {
    const one = show({ addresses: 'hash', clients: 'hash', key });
    expect(one).not.toMatch(/203\.0\.113\.7|2001:db8:1:2|"agent-7"/);
    expect(one).toMatch(/"address":"addr:[\w-]{22}"/);
    expect(one).toMatch(/"sub":"id:[\w-]{22}","azp":"other"/);
    expect(show({ addresses: 'hash', clients: 'hash', key })).toBe(one);
    expect(show({ addresses: 'hash', clients: 'hash', key: Buffer.alloc(16, 2) })).not.toBe(one);
    expect(JSON.parse(one ?? '').effect).toBe('allow');
  });

  it.each([
    ['192.0.2.255', '192.0.2.0'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1::'],
    ['2001:db8::1', '2001:db8::'],
    ['1::2:3:4:5:6:7', '1:0:2::'],
    ['::1', '::'],
    ['::ffff:203.0.113.7', '::'],
    ['fe80::1%eth0', 'fe80::'],
  ])('of %s is the net %s', (address, net) => {
    expect(truncated(address)).toBe(net);
  });
});
