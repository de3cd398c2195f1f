import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readEnvironment } from '../../src/config/environment.ts';
import { loadConfig } from '../../src/config/load.ts';
import { alternatives, type OutlineEntry, outline } from '../../src/config/outline.ts';
import { CONFIG_JSON_SCHEMA } from '../../src/config/schema.ts';

const entries = outline(CONFIG_JSON_SCHEMA);
const settable = entries.filter((entry) => entry.variable !== null);

function read(env: Record<string, string>) {
  return readEnvironment(env, entries);
}

describe('names', () => {
  it('are the path in upper snake', () => {
    expect(settable.map((entry) => entry.variable)).toEqual(
      expect.arrayContaining([
        'COUNTERSIGN_HTTP_PORT',
        'COUNTERSIGN_STORE_KEY_PREFIX',
        'COUNTERSIGN_HTTP_TLS_CLIENT_CA_FILE',
        'COUNTERSIGN_STORE_URL',
      ]),
    );
  });

  it('are each the name of one key', () => {
    expect(new Set(settable.map((entry) => entry.variable)).size).toBe(settable.length);
  });
});

describe('values', () => {
  it.each([
    ['COUNTERSIGN_HTTP_PORT', '8081', 8081],
    ['COUNTERSIGN_POLICY_SLOW_MS', '1.5', 1.5],
    ['COUNTERSIGN_ALLOW_ANONYMOUS', 'true', true],
    ['COUNTERSIGN_STORE_KEY_PREFIX', '123', '123'],
    ['COUNTERSIGN_STORE_URL', 'redis://:p@h', 'redis://:p@h'],
    ['COUNTERSIGN_CHALLENGE_RESOURCE_METADATA_URL', 'null', null],
    ['COUNTERSIGN_INPUT_CLAIMS', 'all', 'all'],
    ['COUNTERSIGN_INPUT_CLAIMS', '["a","b"]', ['a', 'b']],
    ['COUNTERSIGN_INPUT_HEADERS', '[]', []],
    ['COUNTERSIGN_HTTP_TLS', 'null', null],
    ['COUNTERSIGN_HTTP_TLS', '{"certFile":"a","keyFile":"b"}', { certFile: 'a', keyFile: 'b' }],
    ['COUNTERSIGN_DECISIONS_LOG_SINK', '{"file":"/x"}', { file: '/x' }],
    ['COUNTERSIGN_PEPS', '[{"name":"a"}]', [{ name: 'a' }]],
  ])('%s=%s', (variable, text, value) => {
    expect(read({ [variable]: text })).toMatchObject({ settings: [{ variable, value }], problems: [] });
  });

  it.each([
    ['COUNTERSIGN_HTTP_PORT', ''],
    ['COUNTERSIGN_HTTP_PORT', ' 1'],
    ['COUNTERSIGN_HTTP_PORT', '0x10'],
    ['COUNTERSIGN_HTTP_PORT', 'NaN'],
    ['COUNTERSIGN_HTTP_PORT', 'null'],
    ['COUNTERSIGN_ALLOW_ANONYMOUS', 'yes'],
    ['COUNTERSIGN_ALLOW_ANONYMOUS', '1'],
    ['COUNTERSIGN_PEPS', 'edge'],
    ['COUNTERSIGN_PEPS', '[{"name":"a"},]'],
    ['COUNTERSIGN_PEPS', '[{"name":"a","name":"b"}]'],
    ['COUNTERSIGN_HTTP', '{}'],
    ['COUNTERSIGN_', 'x'],
    ['COUNTERSIGN_PEPS_0_NAME', 'x'],
  ])('refuses %s=%j', (variable, text) => {
    expect(read({ [variable]: text })).toMatchObject({ settings: [], problems: [{ path: variable }] });
  });

  it('lets a part change what its whole was set to', () => {
    const env = { COUNTERSIGN_GRPC_TLS_KEY_FILE: '/k', COUNTERSIGN_GRPC_TLS: '{"certFile":"/a","keyFile":"/b"}' };
    expect(loadConfig({ env }).grpc.tls).toEqual({ certFile: '/a', keyFile: '/k', clientCaFile: null });
  });

  it('leaves out what Kubernetes puts there beside a Service of our name', () => {
    const env = {
      COUNTERSIGN_SERVICE_HOST: '10.96.0.7',
      COUNTERSIGN_SERVICE_PORT: '8080',
      COUNTERSIGN_SERVICE_PORT_GRPC: '9191',
      COUNTERSIGN_PORT: 'tcp://10.96.0.7:8080',
      COUNTERSIGN_PORT_8080_TCP: 'tcp://10.96.0.7:8080',
      COUNTERSIGN_PORT_8080_TCP_PROTO: 'tcp',
      COUNTERSIGN_PORT_8080_TCP_PORT: '8080',
      COUNTERSIGN_PORT_8080_TCP_ADDR: '10.96.0.7',
      COUNTERSIGN_OPERATIONS_SERVICE_HOST: '10.96.0.8',
      COUNTERSIGN_OPERATIONS_PORT: 'tcp://10.96.0.8:9090',
    };
    expect(loadConfig({ env })).toEqual(loadConfig({ env: {} }));
  });
});

describe('properties', () => {
  const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

  /** A value that the key's own schema type can hold, whether or not it is in range. */
  function valueFor(entry: OutlineEntry): fc.Arbitrary<unknown> {
    return fc.oneof(
      ...alternatives(entry.node).map((form): fc.Arbitrary<unknown> => {
        switch (form.type) {
          case 'integer':
            return fc.integer();
          case 'number':
            return fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value));
          case 'boolean':
            return fc.boolean();
          case 'null':
            return fc.constant(null);
          case 'array':
            return fc.array(fc.oneof(fc.string(), fc.integer(), fc.dictionary(fc.string(), fc.string())));
          case 'object':
            return fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), fc.oneof(fc.string(), fc.integer()));
          default:
            return fc.stringMatching(/^[a-z/.:-]{1,20}$/).filter((value) => value !== 'null');
        }
      }),
    );
  }

  it('every key can be set by its variable, and reads back what was written', () => {
    const cases = fc.constantFrom(...settable).chain((entry) => valueFor(entry).map((value) => ({ entry, value })));
    fc.assert(
      fc.property(cases, ({ entry, value }) => {
        const { settings, problems } = read({ [entry.variable ?? '']: text(value) });
        expect(problems).toEqual([]);
        expect(settings).toEqual([{ path: entry.path, value, variable: entry.variable }]);
      }),
      { numRuns: 1000 },
    );
  });

  it('no text makes reading throw: it is a setting, a problem or a service link', () => {
    const name = fc.oneof(
      fc.constantFrom(...settable.map((entry) => entry.variable ?? '')),
      fc.string().map((tail) => `COUNTERSIGN_${tail}`),
    );
    fc.assert(
      fc.property(name, fc.string({ unit: 'binary' }), (variable, value) => {
        const { settings, problems } = read({ [variable]: value });
        const linked =
          /SERVICE_HOST$|SERVICE_PORT|_PORT_\d+_/.test(variable) || /^(tcp|udp|sctp):/.test(value) || variable === 'COUNTERSIGN_CONFIG';
        expect([...(linked ? [0] : []), 1]).toContain(settings.length + problems.length);
      }),
      { numRuns: 1000 },
    );
  });
});
