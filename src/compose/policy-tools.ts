import type { PolicyTools } from '../authoring/tools.ts';
import { isJsonObject } from '../contract/json.ts';
import type { Clock } from '../contract/stages.ts';
import { missingBuiltins } from '../decide/builtins/table.ts';
import { BUNDLE_LIMITS, readBundle, unpack } from '../decide/bundle.ts';
import { buildBundle } from '../decide/bundle-build.ts';
import { packBundle } from '../decide/bundle-pack.ts';
import { inputSchemaText } from '../decide/input-schema-json.ts';
import { loadRevision } from '../decide/load-revision.ts';
import { ANY_SERVER } from '../decide/mcp/plans.ts';
import { openOffline } from '../decide/offline.ts';
import type { DecideOptions, PolicyOptions } from '../decide/options.ts';
import { createPrepareHere } from '../decide/prepare/prepare-revision.ts';
import { scanRego } from '../decide/rego-scan.ts';
import { createRouteTable } from '../decide/routes/route-table.ts';
import { readWasmFacts } from '../decide/wasm-facts.ts';
import { httpSend } from '../stores/http-send.ts';

/** As the configuration has them by default: what a policy is asked offline depends on none of them. */
const SHARED: Pick<DecideOptions, 'input' | 'upstream' | 'challenge'> = {
  input: { headers: ['user-agent', 'accept', 'content-type'], claims: 'all' },
  upstream: { headers: true, removeAuthorization: false, removeApiKey: true },
  challenge: { realm: 'countersign', resourceMetadataUrl: null, dpopAlgorithms: ['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'RS256'] },
};
const MEMORY_PAGES_MAX = 1024;
/** Nobody waits for the answer. */
const SLOW_MS = 60_000;
const ANSWER_BYTES_MAX = 1 << 20;

/** What `countersign policy` works with: no service is needed for it. */
export function createPolicyTools(clock: Clock): PolicyTools {
  const options = (entrypoint: string): PolicyOptions => ({
    bundle: '',
    contract: 'rules',
    entrypoint,
    requiredRules: [],
    requiredData: [],
    worstCaseMs: SLOW_MS,
    ageMax: null,
    signing: null,
    slowMs: SLOW_MS,
    memoryPagesMax: MEMORY_PAGES_MAX,
    opaBin: null,
  });
  // its cases are asked by the commands themselves, which say more of what failed
  const prepare = createPrepareHere(clock, null);
  return {
    inputSchema: inputSchemaText,
    missingBuiltins,
    build: buildBundle,
    async read(packed) {
      const files = await unpack(packed, BUNDLE_LIMITS);
      const bundle = await readBundle(packed);
      const { builtins, entrypoints } = await readWasmFacts(bundle.wasm);
      const { revision, roots, metadata } = bundle.manifest;
      const ours = metadata.countersign;
      const rest: unknown = JSON.parse(JSON.stringify({ ...metadata, countersign: undefined }));
      return {
        revision,
        roots,
        entrypoints,
        rules: ours?.rules ?? null,
        inputPaths: ours?.input.length ?? null,
        metadata: isJsonObject(rest) ? rest : {},
        data: bundle.data,
        files,
        builtins,
      };
    },
    pack: packBundle,
    async load(packed, entrypoint) {
      const policy = options(entrypoint);
      const unsigned = await withoutSignature(packed);
      const outcome = await prepare({ name: 'default', packed: unsigned, pushed: [], module: null, policy, signing: null, shared: SHARED });
      if (!outcome.ok) throw outcome.error;
      return (await loadRevision('default', outcome.prepared, policy, SHARED, clock)).policy;
    },
    offline: async (packed, entrypoint) => (await openOffline(await withoutSignature(packed), options(entrypoint))).decide,
    digestOf: (rego) => scanRego(rego).digest,
    checkRoutes: (data) => void createRouteTable(data, 'import', undefined, ANY_SERVER),
    monotonic: () => clock.monotonic(),
    memory: () => {
      const { rss, heapUsed } = process.memoryUsage();
      return { rss, heap: heapUsed };
    },
    send: (request) => httpSend(request, ANSWER_BYTES_MAX),
  };
}

/** Whose signature counts is for a service to say; what a bundle decides can be asked whoever signed it. */
async function withoutSignature(packed: Uint8Array): Promise<Uint8Array> {
  const files = await unpack(packed, BUNDLE_LIMITS);
  return files.delete('.signatures.json') ? packBundle(files) : packed;
}
