import { describe, expect, it } from 'vitest';
import { pathText } from '../../src/config/config-error.ts';
import { configSchema } from '../../src/config/schema.ts';

const profile = { name: 'partners', jwksFile: '/keys.json' };

/** The paths of the problems; empty where the section is good. */
function judged(signatures: object): string[] {
  const parsed = configSchema.safeParse({ identity: { signatures } });
  return parsed.success ? [] : parsed.error.issues.map((issue) => pathText(issue.path));
}

it('signatures are off by default', () => {
  const { signatures } = configSchema.parse({}).identity;
  expect(signatures).toEqual({ profiles: [], webBotAuth: null, clockSkewSeconds: 5, fieldBytesMax: 8192 });
});

describe('is accepted', () => {
  it.each<[string, object]>([
    ['a profile with a file', { profiles: [profile] }],
    ['a profile with a URL', { profiles: [{ name: 'a', jwksUrl: 'https://a.example/jwks' }] }],
    ['components of both kinds', { profiles: [{ ...profile, components: ['@method', '@query', 'content-digest'] }] }],
    ['any agent', { webBotAuth: { agents: 'any' } }],
    ['agents by name', { webBotAuth: { agents: ['bot.example'], directory: { ports: [443, 8443] } } }],
  ])('%s', (_, signatures) => {
    expect(judged(signatures)).toEqual([]);
  });
});

describe('is refused', () => {
  it.each<[string, object, string]>([
    ['a profile without keys', { profiles: [{ name: 'a' }] }, 'profiles[0]'],
    ['a profile with keys in two places', { profiles: [{ ...profile, jwksUrl: 'https://a.example' }] }, 'profiles[0]'],
    ['keys over plain http', { profiles: [{ name: 'a', jwksUrl: 'http://a.example/jwks' }] }, 'profiles[0].jwksUrl'],
    ['two profiles of one name', { profiles: [profile, profile] }, 'profiles[1].name'],
    ['a name that is no key of a dictionary', { profiles: [{ ...profile, name: '1a' }] }, 'profiles[0].name'],
    ['the tag of web bots', { profiles: [{ ...profile, tag: 'web-bot-auth' }] }, 'profiles[0].tag'],
    ['a tag with a quote', { profiles: [{ ...profile, tag: 'a"b' }] }, 'profiles[0].tag'],
    ['a shared secret', { profiles: [{ ...profile, algorithms: ['hmac-sha256'] }] }, 'profiles[0].algorithms[0]'],
    ['nothing to be covered', { profiles: [{ ...profile, components: [] }] }, 'profiles[0].components'],
    ['a component of responses', { profiles: [{ ...profile, components: ['@status'] }] }, 'profiles[0].components[0]'],
    ['a header in upper case', { profiles: [{ ...profile, components: ['Date'] }] }, 'profiles[0].components[0]'],
    ['older than a day', { profiles: [{ ...profile, ageMaxSeconds: 86_401 }] }, 'profiles[0].ageMaxSeconds'],
    ['web bots of nobody', { webBotAuth: { agents: [] } }, 'webBotAuth.agents'],
    ['web bots without saying which', { webBotAuth: {} }, 'webBotAuth.agents'],
    ['an agent that is an address', { webBotAuth: { agents: ['192.0.2.1'] } }, 'webBotAuth.agents[0]'],
    ['an agent with a wildcard', { webBotAuth: { agents: ['*.example'] } }, 'webBotAuth.agents[0]'],
    ['a life longer than a day', { webBotAuth: { agents: 'any', lifetimeMaxSeconds: 86_401 } }, 'webBotAuth.lifetimeMaxSeconds'],
  ])('%s', (_, signatures, path) => {
    expect(judged(signatures)).toEqual([`identity.signatures.${path}`]);
  });
});
