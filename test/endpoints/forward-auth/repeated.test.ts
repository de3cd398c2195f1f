import { expect, test } from 'vitest';
import { DIALECTS } from '../../../src/contract/pep.ts';
import { receiveForwardAuth } from '../../../src/endpoints/forward-auth/receive.ts';
import { DIALECT_HEADERS } from '../../../src/endpoints/forward-auth/schema.ts';
import { createPepAuth } from '../../../src/endpoints/pep-auth.ts';
import { pepOptions, sha256 } from '../fixtures.ts';

/** [asks 11] Whichever gateway asks: credentials that came twice are told to identification twice, which refuses them; none is chosen here. */
test.each(DIALECTS)('the dialect %s keeps repeated credentials apart', (dialect) => {
  const pepAuth = createPepAuth([pepOptions('edge', ['client_address'], { tokenSha256: sha256('t'), dialect })], ['default']);
  const pep = pepAuth.authenticate({ token: 't', certificate: null });
  if (pep === null) throw new Error('unknown');
  const { method, target, host, scheme, address } = DIALECT_HEADERS[dialect];
  const said = [method, 'GET', target, '/orders', host, 'api.example', scheme, 'https', address, '203.0.113.7'];
  const twice = ['Authorization', 'X-Api-Key', 'DPoP', 'Txn-Token'].flatMap((name) => [name, 'a', name.toLowerCase(), 'b']);
  const asked = receiveForwardAuth([...said, ...twice], {
    id: 'id',
    pep,
    dialect,
    receivedAtMs: 5,
    deadlineAtMs: 155,
    policyName: null,
  });
  if ('refused' in asked) throw new Error(asked.refused);
  const { authorization, apiKeys, dpop, txnToken } = asked.credentials;
  expect([authorization, apiKeys, dpop, txnToken]).toEqual(Array.from({ length: 4 }, () => ['a', 'b']));
});
