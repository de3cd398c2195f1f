import { generateKeyPairSync, sign, verify } from 'node:crypto';
import type { Ask, Workload } from './workload.ts';

/** The questions of a workload with message signatures (RFC 9421, Ed25519), and what it takes to judge them. */
export type SignedQuestions = {
  readonly asks: readonly Ask[];
  /** The section `identity` beside the issuers; the key set has to be in `jwksFile`. */
  identity(jwksFile: string): Readonly<Record<string, unknown>>;
  readonly jwks: string;
  /** Microseconds of node:crypto alone for one of the signatures, so that what is around it can be told. */
  bareVerificationUs(): number;
};

/** Signs each question once: it is asked many times, so there is no nonce. */
export function signQuestions(workload: Workload): SignedQuestions {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const created = Math.floor(Date.now() / 1000);
  const list = `("@method" "@target-uri");created=${created};keyid="bench"`;
  const baseOf = (ask: Ask): Buffer =>
    Buffer.from(`"@method": ${ask.method}\n"@target-uri": https://${ask.host}${ask.path}\n"@signature-params": ${list}`);
  const signatureOf = (ask: Ask): Buffer => sign(null, baseOf(ask), privateKey);
  return {
    asks: workload.asks.map((ask) => ({
      ...ask,
      headers: [...ask.headers, ['signature-input', `sig1=${list}`], ['signature', `sig1=:${signatureOf(ask).toString('base64')}:`]],
    })),
    identity: (jwksFile) => ({
      publicOrigins: [...new Set(workload.asks.map(({ host }) => `https://${host}`))],
      signatures: { profiles: [{ name: 'bench', jwksFile, ageMaxSeconds: 86_400 }] },
    }),
    jwks: JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), kid: 'bench' }] }),
    bareVerificationUs() {
      const [ask] = workload.asks;
      if (ask === undefined) return 0;
      const [base, signature] = [baseOf(ask), signatureOf(ask)];
      const rounds = 5000;
      const startedAt = process.hrtime.bigint();
      for (let round = 0; round < rounds; round += 1) verify(null, base, publicKey, signature);
      return Number(process.hrtime.bigint() - startedAt) / 1000 / rounds;
    },
  };
}
