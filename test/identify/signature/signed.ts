import type { Identity } from '../../../src/contract/identity.ts';
import type { HttpFacts, SignatureOffer } from '../../../src/contract/request.ts';
import type { SignatureValue } from '../../../src/contract/signature.ts';
import type { IdentifierParts } from '../../../src/identify/identifier.ts';
import type { IdentityOptions } from '../../../src/identify/options.ts';
import type { SignatureProfileOptions, WebBotAuthOptions } from '../../../src/identify/signature/options.ts';
import type { GuardedAnswer } from '../../../src/stores/guarded-fetch.ts';
import { createMessageKey, type MessageKey, type SignedLines, signedFields } from '../../support/http-signatures.ts';
import { httpFacts } from '../bound.ts';
import { type Bench, createBench, identityOptions, keysAtHand, NOW, type RequestFacts } from '../fixtures.ts';

/* Signed requests, and an identifier that looks at signatures. */

export const signer: MessageKey = await createMessageKey();
export const stranger: MessageKey = await createMessageKey();

export function profileOptions(more: Partial<SignatureProfileOptions> = {}): SignatureProfileOptions {
  return {
    name: 'partners',
    tag: null,
    jwksUrl: 'https://partner.example/jwks',
    jwksFile: null,
    algorithms: ['ed25519', 'ecdsa-p256-sha256', 'ecdsa-p384-sha384', 'rsa-pss-sha512'],
    components: ['@method', '@authority'],
    contentDigest: false,
    ageMaxSeconds: 300,
    nonce: 'optional',
    clientId: 'partner-a',
    refreshSeconds: 300,
    fetchTimeoutMs: 1000,
    allowInsecureHttp: false,
    ...more,
  };
}

export function botOptions(more: Partial<WebBotAuthOptions> = {}): WebBotAuthOptions {
  return {
    agents: 'any',
    algorithms: ['ed25519', 'ecdsa-p256-sha256', 'ecdsa-p384-sha384', 'rsa-pss-sha512'],
    components: [],
    lifetimeMaxSeconds: 86_400,
    nonce: 'optional',
    directory: {
      timeoutMs: 1000,
      bytesMax: 65_536,
      ports: [443],
      ageMaxSeconds: 3600,
      failureSeconds: 60,
      entriesMax: 100,
      concurrentMax: 8,
      fetchesPerMinute: 10,
      waitMs: 500,
      allowLoopback: false,
      ...more.directory,
    },
    ...more,
  };
}

export type SignatureBench = Omit<Bench, 'judge'> & {
  /** `present`, or `status code` of the signature. */
  judge(facts: RequestFacts): Promise<string>;
  value(facts: RequestFacts): Promise<SignatureValue>;
};

/** An identifier with one profile over the signer's key, or with what `signatures` says. */
export async function createSignatureBench(
  signatures: Partial<IdentityOptions['signatures']> = { profiles: [profileOptions()] },
  parts: Partial<IdentifierParts> = {},
  more: Partial<IdentityOptions> = {},
): Promise<SignatureBench> {
  const options = identityOptions([], more);
  const bench = createBench(
    { ...options, signatures: { ...options.signatures, ...signatures } },
    { ...keysAtHand([{ ...signer.jwk, kid: 'k1' }]), ...parts },
  );
  await bench.identifier.start();
  bench.identifier.stop();
  return {
    ...bench,
    judge: async (facts) => signatureOf(await bench.identify(facts)),
    async value(facts) {
      const { signature } = (await bench.identify(facts)).signals;
      if (signature.status !== 'present') throw new Error(`the signature is ${signature.code}`);
      return signature.value;
    },
  };
}

export function signatureOf({ signals: { signature } }: Identity): string {
  return signature.status === 'present' ? 'present' : `${signature.status} ${signature.code}`;
}

/** The parts that a test may want otherwise. */
export type Signing = {
  readonly key?: MessageKey;
  readonly lines?: SignedLines;
  /** Behind the list, in place of created and keyid. */
  readonly parameters?: string;
  readonly more?: string;
  readonly label?: string;
  readonly http?: Partial<HttpFacts>;
  readonly offer?: Partial<SignatureOffer>;
  readonly facts?: RequestFacts;
};

export const LINES: SignedLines = [
  ['"@method"', 'GET'],
  ['"@authority"', 'api.example'],
];

/** GET https://api.example/orders/42, signed. */
export function signedRequest(signing: Signing = {}): RequestFacts {
  const { key = signer, lines = LINES, label = 'sig1', more = '', http = {}, offer = {}, facts = {} } = signing;
  const parameters = signing.parameters ?? `;created=${NOW};keyid="k1"`;
  const { input, signature } = signedFields(key, lines, parameters + more, label);
  const headers = new Map([...(http.headers ?? []), ['signature-input', [input]] as const]);
  return {
    http: httpFacts({ queryRaw: null, ...http, headers }),
    signature: { input: [input], signature: [signature], hidden: new Map(), body: null, ...offer },
    ...facts,
  };
}

export const AGENT = 'https://bot.example';

/** The same, by the profile Web Bot Auth. */
export function botRequest(signing: Signing & { readonly agent?: string; readonly agentHeader?: string } = {}): RequestFacts {
  const { key = signer, agent = AGENT, http = {} } = signing;
  const agentHeader = signing.agentHeader ?? `sig1="${agent}"`;
  return signedRequest({
    lines: [
      ['"@authority"', 'api.example'],
      ['"signature-agent";key="sig1"', `"${agent}"`],
    ],
    parameters: `;created=${NOW};expires=${NOW + 300};keyid="${key.thumbprint}";tag="web-bot-auth"`,
    ...signing,
    http: { ...http, headers: new Map([...(http.headers ?? []), ['signature-agent', [agentHeader]] as const]) },
  });
}

/** A directory at hand for every agent; `asked` lists what was fetched. */
export function directoryOf(keys: readonly unknown[], asked: string[] = []): Pick<IdentifierParts, 'createGuardedFetch'> {
  return fetching((url) => {
    asked.push(url);
    return { ok: true, bytes: Buffer.from(JSON.stringify({ keys })) };
  });
}

export function fetching(answer: (url: string) => GuardedAnswer | Promise<GuardedAnswer>): Pick<IdentifierParts, 'createGuardedFetch'> {
  return { createGuardedFetch: () => async (url) => answer(url) };
}
