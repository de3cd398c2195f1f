import { expect, test } from 'vitest';
import { createAuthority } from '../support/certificates.ts';
import { createBench, createSigningKey, identityOptions, issuerOptions, keysAtHand, makeToken } from './fixtures.ts';

const AGENT = 'spiffe://td.example/agent/a';
const signer = await createSigningKey('k1');

test('[asks 42] the principal that a gateway names is nobody without the certificate, empty or not; the order is token, then certificate', async () => {
  const days = Math.floor((1_800_000_000_000 - Date.now()) / 86_400_000);
  const { pem } = createAuthority().client({ commonName: 'a', uris: [AGENT], validDays: [days - 1, days + 10] });
  const bench = createBench(
    identityOptions([issuerOptions({ jwksUrl: 'https://as.example/jwks' })], { clients: [{ id: 'agent-a', spiffeIds: [AGENT] }] }),
    keysAtHand([signer.jwk]),
  );
  await bench.identifier.start();
  bench.identifier.stop();
  const certificates = [{ form: 'pem', from: 'ext_authz', pem }] as const;
  for (const principal of [null, '', AGENT]) {
    expect(await bench.identify({ principal })).toMatchObject({
      signals: { certificate: { status: 'absent', code: 'certificate_missing' } },
      subject: { type: 'unknown', id: null, client: null },
      evidence: { assurance: 0 },
    });
    // the certificate counts whatever the principal says beside it
    expect(await bench.identify({ principal, certificates })).toMatchObject({ subject: { client: 'agent-a' } });
  }
  const other = await bench.identify({ principal: AGENT, authorization: [`Bearer ${await makeToken(signer)}`] });
  expect(other).toMatchObject({ subject: { client: 'svc-a' }, evidence: { agreement: { client: 'single' } } });
});
