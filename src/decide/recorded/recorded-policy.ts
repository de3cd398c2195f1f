import { createHash } from 'node:crypto';
import { CODES, type ErrorCode } from '../../contract/codes.ts';
import { asCountersignError } from '../../contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import type { Route } from '../../contract/route.ts';
import { bundleOf, unpack } from '../bundle.ts';
import { checkBundle } from '../bundle-check.ts';
import { contentRevision } from '../bundle-revision.ts';
import { stepUpStatus } from '../challenge.ts';
import type { Combined } from '../combine.ts';
import { createContract } from '../contracts/create-contract.ts';
import { compileInput, inputShape } from '../input.ts';
import { createAddressList } from '../lists.ts';
import { createMcpPlans } from '../mcp/plans.ts';
import type { InputOptions, PolicyOptions } from '../options.ts';
import { splitData } from '../prepare/split-data.ts';
import { pathsReadBy, ruleFactsOf } from '../prepare/trials.ts';
import { createRatePlans } from '../rate-plan.ts';
import { createRouteTable } from '../routes/route-table.ts';
import { withRuleCount } from '../rule-count.ts';
import { ownData } from '../tenant-data.ts';
import { compileWasm, instantiateWasm, parseAnswer } from '../wasm-policy.ts';
import { createEnforcement } from './enforced.ts';
import { notCollected, uncounted, withBlocked, withResource } from './host-matches.ts';
import { createKnownInput, type KnownRequest, knownRequest } from './known-input.ts';
import type { RecordedDecision, RecordedPolicy, Redecided } from './recorded-decision.ts';
import { areRead, compileReads } from './recorded-reads.ts';

export type RecordedOptions = Pick<PolicyOptions, 'contract' | 'entrypoint' | 'memoryPagesMax'> & {
  /** Which of `tenants` its rules see. */
  readonly name: string;
};

/** Records hold the headers and claims that were configured; there are no others to be left out. */
const INPUT: InputOptions = { headers: [], claims: 'all' };

type Outcome = { readonly effect: Combined['effect']; readonly reasons: readonly string[]; readonly status: number | null };
type Decided = Outcome & { readonly decided: true };
type Answered = Outcome & { readonly collect: readonly string[] };

/** How the revision of a record ends where data was pushed over the bundle. */
const PUSHED = /\+d\d+$/;

/** Answers that are kept with what they come to, and how long they may be. */
const ANSWERS_MAX = 1000;
const ANSWER_CHARS_MAX = 4096;

/**
 * Opens a bundle for deciding records again. It is not tried out, and whose signature it bears is not judged: that is for the service that
 * takes it.
 * @throws CountersignError `bundle_*`
 */
export async function openRecorded(packed: Uint8Array, options: RecordedOptions): Promise<RecordedPolicy> {
  const files = await unpack(packed);
  const bundle = bundleOf(files);
  const { contract, name } = options;
  const revision = bundle.manifest.revision || createHash('sha256').update(packed).digest('hex').slice(0, 16);
  const revisionIsHash = bundle.manifest.revision === '' || isContentRevision(revision, files);
  const data = ownData(bundle.data, name);
  const codes = checkBundle({ ...bundle, data }, { ...options, requiredRules: [] });
  const host = splitData(data);
  const metadata = bundle.manifest.metadata.countersign ?? null;
  const rates = createRatePlans(host.limits, new Set(Object.keys(isJsonObject(host.routes) ? host.routes : {})), name);
  const routes = createRouteTable(host.routes, name, rates.of, createMcpPlans(host.limits));
  const addresses = createAddressList(host.blocked, 'countersign.limits.network.addresses_blocked');
  const rego = contract === 'rules' ? withRuleCount(host.rego, codes.length) : host.rego;
  const wasm = await instantiateWasm(await compileWasm(bundle.wasm), rego, options);
  const build = compileInput(INPUT, null);
  const { read } = createContract({ contract }, INPUT, { build, buildWhole: build }, ruleFactsOf(metadata));

  const paths = pathsReadBy(metadata, wasm);
  const gapIn = compileReads(contract === 'envoy' ? null : inputShape(INPUT), paths);
  const addKnown = createKnownInput(INPUT);
  const routeIsRead = areRead(paths, ['route']) || areRead(paths, ['resource', 'id']);
  const rateIsRead = areRead(paths, ['signals', 'rate']);
  const enforces = createEnforcement(host.routes);
  const answered = createReader((answer) => outcomeOf(read(parseAnswer(answer))));

  /** The record's input as this policy would have it, and what of it could not be had. */
  function prepared(
    record: RecordedDecision,
    input: JsonObject,
    asked: KnownRequest,
    route: Route | null,
  ): { readonly input: JsonObject; readonly notReevaluated: readonly string[] } {
    const known = withBlocked(addKnown(record, input, asked, route), record.address, addresses);
    const before = record.route?.id;
    const moved = route === null ? known : withResource(known, before, route.id);
    // with its own revision nothing is otherwise than it was; a name that somebody chose is no proof of that
    if (revisionIsHash && record.policy.revision === revision) return { input: moved, notReevaluated: [] };
    const lost = rateIsRead ? uncounted(moved, rates.of(route?.id ?? before ?? 'unknown'), route !== null && route.id !== before) : [];
    return { input: moved, notReevaluated: route === null && routeIsRead ? ['routes', ...lost] : lost };
  }

  function decide(input: JsonObject, repeated: boolean): Decided | Extract<Redecided, { decided: false }> {
    try {
      const { collect, ...outcome } = answered(wasm.answer(input));
      if (collect.length === 0) return { decided: true, ...outcome };
      const path = repeated ? null : notCollected(input, collect);
      // it was evaluated once more already, with all that it asks for
      return path === null ? failed('policy_collect_repeated') : { decided: false, why: 'not_collected', path };
    } catch (thrown) {
      return failed(asCountersignError(thrown, 'policy_evaluation_failed').code);
    }
  }

  return {
    revision,
    revisionIsHash,
    decide(record) {
      if (record.input === null) return { decided: false, why: 'no_input', path: '' };
      if ((contract === 'envoy') !== isJsonObject(record.input['attributes'])) return { decided: false, why: 'other_contract', path: '' };
      const asked = knownRequest(record);
      const route = asked.whole ? routes.match(asked.request) : null;
      const { input, notReevaluated: lost } =
        contract === 'envoy' ? { input: record.input, notReevaluated: [] } : prepared(record, record.input, asked, route);
      const gap = gapIn(input);
      if (gap !== null) return { decided: false, ...gap };
      const now = decide(input, record.error === 'policy_collect_repeated' && record.policy.revision === revision);
      if (!now.decided) return now;
      const enforced = now.effect === 'allow' || enforces(record, route);
      // exceptions and data are pushed: no bundle has them, and what they took back or changed is as the bundle says again
      const pushed = [...(record.excepted ? ['exceptions'] : []), ...(PUSHED.test(record.policy.revision) ? ['pushed_data'] : [])];
      return { ...now, enforced, notReevaluated: pushed.length === 0 ? lost : [...lost, ...pushed] };
    },
  };
}

function failed(code: ErrorCode): Decided {
  return { decided: true, effect: 'deny', reasons: [code], status: CODES[code].http };
}

function isContentRevision(revision: string, files: ReadonlyMap<string, Buffer>): boolean {
  const manifest: JsonValue = JSON.parse(files.get('.manifest')?.toString('utf8') ?? 'null');
  const kept = isJsonObject(manifest) ? manifest['metadata'] : null;
  const metadata = isJsonObject(kept) ? kept['countersign'] : null;
  return isJsonObject(metadata) && revision === contentRevision(files, metadata);
}

function outcomeOf({ effect, reasons, status, stepUp, collect }: Combined): Answered {
  const codes = reasons.map(({ code }) => code);
  const said = status ?? (stepUp === null ? 403 : stepUpStatus(stepUp));
  return { effect, reasons: codes, status: effect === 'allow' ? null : said, collect };
}

/** Most records get one of a few answers. A full memory is emptied, so that what is rare does not stay. */
function createReader(read: (answer: string) => Answered): (answer: string) => Answered {
  const known = new Map<string, Answered>();
  return (answer) => {
    const before = known.get(answer);
    if (before !== undefined) return before;
    const outcome = read(answer);
    if (answer.length > ANSWER_CHARS_MAX) return outcome;
    if (known.size >= ANSWERS_MAX) known.clear();
    known.set(answer, outcome);
    return outcome;
  };
}
