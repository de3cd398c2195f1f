/** Tests that wait or load for longer than `npm run verify` can spare: they run in `npm run verify:soak`. */
export const LONG = [
  'test/admin-revocations.test.ts',
  'test/chart/helm-4.test.ts',
  'test/cli/policy-docs.test.ts',
  'test/config-reload-issuers.test.ts',
  'test/decide/local-source.test.ts',
  'test/docs/rego.test.ts',
  'test/enrich/lists/file-lists.test.ts',
  'test/gateway/address-data.test.ts',
  'test/gateway/envoy-failures.test.ts',
  'test/gateway/envoy-http-slow.test.ts',
  'test/gateway/forward-auth-failures.test.ts',
  'test/gateway/lists.test.ts',
  'test/gateway/replay.test.ts',
  'test/gateway/revocation-replicas.test.ts',
  'test/stores/redis/entries-failover.test.ts',
];
