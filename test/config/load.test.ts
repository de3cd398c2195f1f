import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, type ConfigProblem } from '../../src/config/config-error.ts';
import { type ConfigSources, loadConfig } from '../../src/config/load.ts';
import { CODES } from '../../src/contract/codes.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-config-'));

function fileOf(text: string | Uint8Array): string {
  const path = join(folder, `${Math.random().toString(36).slice(2)}.yaml`);
  writeFileSync(path, text);
  return path;
}

function refusal(sources: ConfigSources): ConfigError {
  try {
    loadConfig(sources);
  } catch (thrown) {
    if (thrown instanceof ConfigError) return thrown;
    throw thrown;
  }
  throw new Error('the configuration was accepted');
}

const problemsOf = (yaml: string, env = {}): readonly ConfigProblem[] => refusal({ file: fileOf(yaml), env }).problems;
const pathsOf = (yaml: string, env = {}): readonly string[] => problemsOf(yaml, env).map((one) => one.path);

describe('where values come from', () => {
  it('has a default for every key', () => {
    const config = loadConfig({ env: {} });
    expect(config.http).toMatchObject({ host: '127.0.0.1', port: 8080, tls: null, bodyMaxBytes: 1_048_576 });
    expect(config.peps).toEqual([
      {
        name: 'local',
        anonymous: true,
        tokenSha256: null,
        secondTokenSha256: null,
        certificate: null,
        trusts: ['client_address'],
        policies: [],
        dialect: null,
        enforce: true,
        fingerprintHeaders: { ja3: null, ja4: null },
        certificateHeader: { name: 'x-forwarded-client-cert', form: 'xfcc', chainName: null },
        forwardedFor: { header: 'x-forwarded-for', appendsPeer: false, hops: null },
        feedbackFor: [],
      },
    ]);
    expect(config.store).toEqual({ kind: 'memory', entriesMax: 200_000, counterEntriesMax: 20_000, replayEntriesMax: 200_000 });
    expect(config.decisions).toEqual({
      deadlineMs: 150,
      log: {
        sink: 'stdout',
        format: 'countersign',
        input: 'referenced',
        bufferBytesMax: 1_048_576,
        http: null,
        audit: 'best_effort',
        labels: {},
        privacy: { addresses: 'keep', clients: 'keep', keyFile: null },
      },
      recent: { entriesMax: 10_000, bytesMax: 67_108_864 },
    });
  });

  it('puts the file over the defaults and the environment over the file', () => {
    const file = fileOf('http: {port: 1000, inFlightMax: 7}\ngrpc: {port: 1001}\n');
    const config = loadConfig({ file, env: { COUNTERSIGN_HTTP_PORT: '2000' } });
    expect([config.http.port, config.http.inFlightMax, config.grpc.port, config.operations.port]).toEqual([2000, 7, 1001, 9090]);
  });

  it('takes the file from COUNTERSIGN_CONFIG, and from --config before it', () => {
    const first = fileOf('http: {port: 1}');
    const second = fileOf('http: {port: 2}');
    expect(loadConfig({ env: { COUNTERSIGN_CONFIG: first } }).http.port).toBe(1);
    expect(loadConfig({ file: second, env: { COUNTERSIGN_CONFIG: first } }).http.port).toBe(2);
  });

  it('makes paths of the file absolute by its folder, and those of the environment and the defaults by the working directory', () => {
    const file = fileOf(
      'http: {tls: {certFile: a.pem, keyFile: /keys/b.pem}}\nnetwork: {databases: [geo/city.mmdb]}\npolicies: {pay: {bundle: ../pay}}\n',
    );
    const config = loadConfig({
      file,
      cwd: '/srv',
      env: { COUNTERSIGN_HTTP_TLS_CLIENT_CA_FILE: 'ca.pem', COUNTERSIGN_DECISIONS_LOG_SINK_FILE: 'd.log' },
    });
    expect(config.http.tls).toEqual({ certFile: join(folder, 'a.pem'), keyFile: '/keys/b.pem', clientCaFile: '/srv/ca.pem' });
    expect(config.network.databases).toEqual([join(folder, 'geo/city.mmdb')]);
    expect(config.policies['pay']?.bundle).toBe(join(folder, '../pay'));
    expect(config.policy.bundle).toBe('/srv/policies');
    expect(config.decisions.log.sink).toEqual({ file: '/srv/d.log', rotation: null });
  });

  it('keeps the memory store where it is only tuned', () => {
    expect(loadConfig({ env: { COUNTERSIGN_STORE_ENTRIES_MAX: '5000' } }).store).toMatchObject({ kind: 'memory', entriesMax: 5000 });
  });

  it('takes OPA_BIN where no policy names its own', () => {
    const file = fileOf('policy: {opaBin: /own/opa}\npolicies: {pay: {bundle: /pay}}');
    expect(loadConfig({ env: { OPA_BIN: '/bin/opa' } }).policy.opaBin).toBe('/bin/opa');
    expect(loadConfig({ env: { OPA_BIN: 'opa' } }).policy.opaBin).toBeNull();
    const config = loadConfig({ file, env: { OPA_BIN: '/bin/opa' } });
    expect([config.policy.opaBin, config.policies['pay']?.opaBin]).toEqual(['/own/opa', '/bin/opa']);
  });
});

describe('files that cannot be used', () => {
  it.each([
    ['a missing file', join(folder, 'none.yaml'), 'config_unreadable', 'does not exist'],
    ['a folder', folder, 'config_unreadable', 'could not be read (EISDIR)'],
    ['bytes that are not UTF-8', fileOf(new Uint8Array([0x61, 0x3a, 0xff])), 'config_unreadable', 'is not UTF-8'],
    ['a syntax error', fileOf('http: {port: 1\n'), 'config_invalid', 'line 2, column 1'],
    ['a duplicate key', fileOf('http: {port: 1}\nhttp: {port: 2}\n'), 'config_invalid', 'line 2, column 1: the same key twice'],
    ['two documents', fileOf('http: {}\n---\nhttp: {}\n'), 'config_invalid', 'more than one document'],
    ['an unknown tag', fileOf('http: !!js/function "x"\n'), 'config_invalid', 'TAG_RESOLVE_FAILED'],
    ['a list', fileOf('- a\n'), 'config_invalid', 'must be a mapping'],
    ['a text', fileOf('hello\n'), 'config_invalid', 'must be a mapping'],
    [
      'an alias bomb',
      fileOf(
        `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'.replace(/./g, (c) => `${c}: &${c} [${`*${String.fromCharCode(c.charCodeAt(0) - 1)},`.repeat(9)}]\n`)}`,
      ),
      'config_invalid',
      'too many aliases',
    ],
  ])('%s', (_what, file, code, message) => {
    const error = refusal({ file, env: {} });
    expect(error.code).toBe(code);
    expect(CODES).toHaveProperty(error.code);
    expect(error.problems[0]?.path).toBe(file);
    expect(error.message).toContain(message);
  });

  it.each(['', '# only a comment\n', '---\n', '{}'])('takes an empty file (%j) as no settings', (text) => {
    expect(loadConfig({ file: fileOf(text), env: {} })).toEqual(loadConfig({ env: {} }));
  });
});

describe('the list of problems', () => {
  it('holds every one, with its path', () => {
    const yaml = `
http: {port: eighty, zone: 1, host: 0.0.0.0}
peps: [{name: edge, trusts: [everything]}, {name: "Bad Name", tokenSha256: abc}]
identity: {issuers: [{issuer: https://as.example, jwksUrl: http://as.example/jwks, jwksFile: keys.json, algorithms: [HS256]}]}
store: {kind: redis, url: https://x}
polices: {}
`;
    expect(pathsOf(yaml, { COUNTERSIGN_GRPC_PORT: 'x', COUNTERSIGN_HTTP_PROT: '1' }).toSorted()).toEqual(
      [
        'COUNTERSIGN_GRPC_PORT',
        'COUNTERSIGN_HTTP_PROT',
        'http.port',
        'http.zone',
        'peps[0]',
        'peps[0].trusts[0]',
        'peps[1].name',
        'peps[1].tokenSha256',
        'identity.issuers[0]',
        'identity.issuers[0].algorithms[0]',
        'identity.issuers[0].audiences',
        'identity.issuers[0].jwksUrl',
        'store.url',
        'polices',
      ].toSorted(),
    );
  });

  it('names the variable that a bad value came from', () => {
    expect(refusal({ env: { COUNTERSIGN_HTTP_PORT: '70000' } }).problems).toEqual([
      { path: 'http.port', message: 'Too big: expected number to be <=65535 (set by COUNTERSIGN_HTTP_PORT)' },
    ]);
  });

  it('refuses names of Object.prototype like any other', () => {
    expect(pathsOf('"__proto__": {port: 1}\nconstructor: 1\nhttp: {"__proto__": 1}')).toEqual(
      expect.arrayContaining(['__proto__', 'constructor', 'http.__proto__']),
    );
    expect(pathsOf('peps: [{name: a, anonymous: true, policies: [constructor]}]')).toEqual(['peps[0].policies[0]']);
  });

  it('never repeats a value, wherever it stands', () => {
    const secret = 'hunter2hunter2';
    const texts = [
      `store: {kind: redis, url: "${secret}"}`,
      `store: {kind: redis, url: "redis://u:${secret}@h/0?x"}`,
      `store: ${secret}`,
      `store: {kind: ${secret}}`,
      `peps: [{name: a, tokenSha256: ${secret}}]`,
      `peps: [{name: a, tokenSha256: [${secret}]}]`,
      `peps: ${secret}`,
      `http: {port: ${secret}}`,
      `http: {host: "${secret} "}`,
      `decisions: {log: {sink: ${secret}}}`,
      `decisions: {log: {sink: {file: [${secret}]}}}`,
      `allowAnonymous: ${secret}`,
      `a: "${secret}`,
      `a: *${secret}`,
      `a: !${secret} b`,
      `a: {b: "${secret}" "${secret}"}`,
      `${'a: '.repeat(3)}${secret}`,
      `- ${secret}`,
      secret,
    ];
    for (const text of texts) expect(refusal({ file: fileOf(text), env: {} }).message, text).not.toContain(secret);
    for (const variable of [
      'STORE',
      'STORE_URL',
      'HTTP_PORT',
      'PEPS',
      'ALLOW_ANONYMOUS',
      'POLICIES',
      'INPUT_CLAIMS',
      'HTTP_TLS',
      'NOTHING',
    ]) {
      for (const text of [secret, `["${secret}"]`, `{"${secret}`]) {
        if (variable === 'INPUT_CLAIMS' && text.endsWith(']')) continue;
        expect(refusal({ env: { [`COUNTERSIGN_${variable}`]: text } }).message, variable).not.toContain(secret);
      }
    }
  });
});
