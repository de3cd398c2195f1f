import { describe, expect, it } from 'vitest';
import { pathText } from '../../src/config/config-error.ts';
import { configSchema } from '../../src/config/schema.ts';

/** The paths of the problems; empty where the configuration is good. */
function judged(config: object): string[] {
  const parsed = configSchema.safeParse(config);
  return parsed.success ? [] : parsed.error.issues.map((issue) => pathText(issue.path));
}

describe('the section decisions.log', () => {
  it.each<[string, object]>([
    ['a collector on loopback', { decisions: { log: { sink: 'none', http: { url: 'http://127.0.0.1:1/logs' }, audit: 'required' } } }],
    ['hashes with a key', { decisions: { log: { privacy: { clients: 'hash', keyFile: '/k' } } } }],
    [
      'a file that is rotated by its age alone',
      { decisions: { log: { sink: { file: '/l', rotation: { bytesMax: null, ageMax: 86400 } } } } },
    ],
  ])('has %s', (_what, config) => {
    expect(judged(config)).toEqual([]);
  });

  it.each<[string, object, string[]]>([
    ['a collector in the clear', { decisions: { log: { http: { url: 'http://logs.example/logs' } } } }, ['decisions.log.http.url']],
    [
      'half a client certificate for the collector',
      { decisions: { log: { http: { url: 'https://logs.example/logs', tls: { certFile: '/c' } } } } },
      ['decisions.log.http.tls'],
    ],
    ['records that must be kept, nowhere', { decisions: { log: { sink: 'none', audit: 'required' } } }, ['decisions.log.audit']],
    ['hashes without a key', { decisions: { log: { privacy: { addresses: 'hash' } } } }, ['decisions.log.privacy.keyFile']],
  ])('refuses %s', (_what, config, paths) => {
    expect(judged(config)).toEqual(paths);
  });
});
