import { expect, it } from 'vitest';
import { maskEnvoyInput } from '../../../src/decide/contracts/envoy-log.ts';

it('the logged document shows no number either, and nothing behind a fragment', () => {
  const document = {
    attributes: { request: { http: { path: '/a#access_token=4711' } } },
    parsed_path: ['a%23access_token=4711'],
    parsed_body: { otp: 4711, items: [{ pin: 4711.5, known: true }] },
  };
  expect(maskEnvoyInput(document, new Set())).toMatchObject({
    attributes: { request: { http: { path: '/a***' } } },
    parsed_path: ['a***'],
    parsed_body: { otp: '***', items: [{ pin: '***', known: true }] },
  });
});
