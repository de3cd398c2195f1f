import { describe, expect, test } from 'vitest';
import type { TokenValue } from '../../../src/contract/signals.ts';
import type { SignatureValue } from '../../../src/contract/signature.ts';
import { compareEvidence } from '../../../src/identify/agreement.ts';
import { compileAgreement } from '../../../src/identify/agreement-mapping.ts';
import { createViews } from '../../../src/identify/agreement-views.ts';
import { assuranceOf, methodsOf } from '../../../src/identify/assurance.ts';
import { agreeOnClient, deriveSubject, type Evidence } from '../../../src/identify/subject.ts';
import { readClaims } from '../../../src/identify/token-claims.ts';

/* What a signature shows, beside a token and by itself. */

const signature = (more: Partial<SignatureValue> = {}): SignatureValue => ({
  profile: 'rfc9421',
  keySet: 'partners',
  label: 'sig1',
  keyId: 'k1',
  agent: null,
  agentListed: false,
  tag: null,
  algorithm: 'ed25519',
  createdAt: 0,
  expiresAt: null,
  covered: [],
  nonce: false,
  digest: 'none',
  clientId: 'agent-a',
  ...more,
});

function token(clientId: string | null, verifiedBy: TokenValue['verifiedBy'] = 'countersign'): TokenValue {
  const value = readClaims(
    { iss: 'https://as.example', sub: 'user', ...(clientId === null ? {} : { client_id: clientId }) },
    8,
    verifiedBy,
  );
  if (typeof value === 'string') throw new Error(value);
  return value;
}

function judge(given: Partial<Evidence>) {
  const evidence: Evidence = {
    token: null,
    apiKey: null,
    certificate: null,
    binding: null,
    txnToken: null,
    asserted: null,
    signature: null,
    ...given,
  };
  const { client, agreement } = agreeOnClient(evidence, new Map(), 0);
  return [client, agreement, assuranceOf(evidence, agreement, 0), methodsOf(evidence, [], 0), deriveSubject(evidence, client, null).type];
}

const NO_TLS = { sni: null, version: null, ja3: null, ja4: null };
const BOT = signature({ profile: 'web_bot_auth', keySet: null, clientId: null, agent: 'https://bot.example' });

describe('a signature', () => {
  test.each([
    ['of a client', { signature: signature() }, ['agent-a', 'single', 2, ['signature'], 'client']],
    ['of nobody in particular', { signature: signature({ clientId: null }) }, [null, 'none', 1, ['signature'], 'unknown']],
    ['of an agent that is listed', { signature: { ...BOT, agentListed: true } }, [null, 'none', 1, ['signature'], 'agent']],
    ['of any agent', { signature: BOT }, [null, 'none', 0, ['signature'], 'agent']],
    [
      'with a token of the same client',
      { signature: signature(), token: token('agent-a') },
      ['agent-a', 'agreed', 3, ['token', 'signature'], 'user'],
    ],
    [
      'with a token of another client',
      { signature: signature(), token: token('agent-b') },
      [null, 'conflict', 2, ['token', 'signature'], 'user'],
    ],
    ['with a token of no client', { signature: signature(), token: token(null) }, ['agent-a', 'single', 2, ['token', 'signature'], 'user']],
    [
      'of nobody in particular with a token',
      { signature: signature({ clientId: null }), token: token('agent-a') },
      ['agent-a', 'single', 2, ['token', 'signature'], 'user'],
    ],
    ['of an agent with a token', { signature: BOT, token: token('agent-a') }, ['agent-a', 'single', 2, ['token', 'signature'], 'user']],
    [
      'with claims that the gateway asserts',
      { signature: signature(), token: token('agent-a', 'pep') },
      ['agent-a', 'single', 2, ['signature', 'asserted_claims'], 'client'],
    ],
    [
      'against claims that the gateway asserts',
      { signature: signature(), token: token('agent-b', 'pep') },
      [null, 'conflict', 0, ['signature', 'asserted_claims'], 'user'],
    ],
  ] satisfies [string, Partial<Evidence>, unknown[]][])('%s', (_, given, found) => {
    expect(judge(given)).toEqual(found);
  });
});

test('a signature is held against the token as soon as both name a client', () => {
  const clients = new Map<string, string>();
  const mappings = compileAgreement(
    { rules: [], withoutBuiltIn: [] },
    createViews(clients, () => null),
    clients,
  );
  const pairs = (client: string | null, signed: SignatureValue) => {
    const evidence = {
      token: token(client),
      apiKey: null,
      certificate: null,
      binding: null,
      txnToken: null,
      asserted: null,
      signature: signed,
      record: null,
      tls: NO_TLS,
    };
    return compareEvidence(mappings, evidence, 0).pairs.token_signature;
  };
  expect(pairs('agent-a', signature())).toBe('agree');
  expect(pairs('agent-b', signature())).toBe('conflict');
  expect(pairs(null, signature())).toBe('unknown');
  expect(pairs('agent-a', BOT)).toBe('unknown');
});
