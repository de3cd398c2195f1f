import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Decision } from '../../src/contract/decision.ts';
import { createPepAuth } from '../../src/endpoints/pep-auth.ts';
import { ALLOW, pepOptions, serve, sha256 } from '../endpoints/fixtures.ts';
import { type EchoUpstream, startEchoUpstream } from '../support/echo-upstream.ts';
import { startHttpRecipe } from '../support/envoy-http-recipe.ts';
import { send } from '../support/http-client.ts';

/** What `http.envoy.errorsAs` is for: a real Envoy that lets errors pass, against the advice of the recipe. */

const TOKEN = 'gateway-token-of-the-tests';
let upstream: EchoUpstream;
beforeAll(async () => {
  upstream = await startEchoUpstream();
});
afterAll(() => upstream.stop());
beforeEach(() => upstream.clear());

describe('errorsAs, where Envoy lets errors pass', () => {
  it.each([
    [503, 200],
    [403, 403],
  ] as const)('%i: a failure to decide is %i for the client, and a deny never passes', async (errorsAs, status) => {
    const pepAuth = createPepAuth([pepOptions('edge', [], { tokenSha256: sha256(TOKEN) })], ['default']);
    const response = { status: 503, headers: { 'retry-after': '7' }, body: { status: 503 } };
    let decided: Decision = { ...ALLOW, effect: 'deny', response };
    const served = await serve(() => decided, { pepAuth, envoy: { errorsAs } });
    const filter = { failure_mode_allow: true };
    const lenient = await startHttpRecipe({
      ...{ authzPort: served.port, operationsPort: null, upstreamPort: upstream.port, token: TOKEN, filter },
    });
    const answer = () => send(lenient.port, { path: '/orders', headers: ['x-countersign-subject', 'forged'] });
    const denied = await answer();
    expect([denied.status, denied.headers['x-countersign-status'], denied.headers['retry-after']]).toEqual([403, '503', '7']);
    expect(upstream.begun).toBe(0);
    decided = { ...decided, error: { code: 'policy_not_loaded' } };
    const failed = await answer();
    expect([failed.status, upstream.begun]).toEqual([status, errorsAs === 503 ? 1 : 0]);
    if (errorsAs === 403) expect(failed.headers).toMatchObject({ 'x-countersign-error': 'policy_not_loaded', 'retry-after': '7' });
    await lenient.stop();
    await served.listener.stop(100);
  });
});
