import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newKey } from '../support/assertion-keys.ts';
import { startChild } from '../support/child.ts';
import { type Countersign, PROJECT_ROOT, startCountersign } from '../support/countersign.ts';

/* Schemathesis makes requests from the document, good and bad ones, and holds the answers of the running service against it. */

const TOKEN = 'token-of-the-soak';
const BIN = process.env['SCHEMATHESIS_BIN'] ?? join(PROJECT_ROOT, '.tools/schemathesis/bin/schemathesis');
let service: Countersign;

beforeAll(async () => {
  if (!existsSync(BIN)) throw new Error('set SCHEMATHESIS_BIN or run npm run verify:soak, which fetches it');
  service = await startCountersign({
    config: {
      publicUrl: 'https://countersign.example.com',
      assertion: { keys: [{ id: 'k1', pem: newKey('ES256').pem }] },
      peps: [
        {
          name: 'edge',
          tokenSha256: createHash('sha256').update(TOKEN).digest('hex'),
          trusts: ['client_address', 'client_certificate', 'claims', 'subject', 'fingerprint', 'rate', 'explain', 'feedback'],
          dialect: 'nginx',
        },
      ],
      policy: { bundle: join(PROJECT_ROOT, 'policies') },
      behaviour: {},
    },
  });
});
afterAll(() => service.stop());

test('no request that can be made of the document gets an answer that is not in it', async () => {
  const child = startChild(BIN, [
    ...['run', `http://127.0.0.1:${service.httpPort}/openapi.json`, '--checks', 'all', '--max-examples', '100', '--seed', '1'],
    ...['-H', `x-countersign-pep-token: ${TOKEN}`, '--request-timeout', '10', '--generation-database', 'none', '--no-color'],
  ]);
  const { code } = await child.exited;
  expect([code, code === 0 ? '' : child.stdout().slice(-20_000)]).toEqual([0, '']);
  // something was asked, and was let pass and refused
  expect(child.stdout()).toMatch(/\d{3,} generated, \d{3,} passed/);
  expect(service.child.stderr()).not.toMatch(/"level":"(warn|error)"/);
});
