import { z } from 'zod';
import type { AdminRefused } from '../../contract/admin.ts';
import type { Decision } from '../../contract/decision.ts';
import type { RecentDecision } from '../../contract/explain.ts';
import type { Pep } from '../../contract/pep.ts';
import type { DecisionRequest } from '../../contract/request.ts';
import type { Clock, NewId } from '../../contract/stages.ts';
import type { AdminAnswer } from './respond.ts';

type Asked = Pick<DecisionRequest, 'id' | 'pep' | 'receivedAtMs' | 'deadlineAtMs' | 'explain'>;

/** Why decisions are as they are, and what would be decided. */
export interface DecisionAdmin {
  /** One of the last decisions with its explanation, or null. */
  find(id: string): RecentDecision | null;
  /** A gateway by its name, or null. */
  pepNamed(name: string): Pep | null;
  /**
   * Decides and leaves no trace: what counts and remembers is as it was before.
   * @param revision one of the last five of the policy; null: the active one
   */
  simulate(request: DecisionRequest, revision: string | null): Promise<Decision>;
  /** The body and the answer of `/decide`, which are another protocol's. */
  readonly receive: (bytes: Uint8Array, asked: Asked) => DecisionRequest | AdminRefused;
  readonly answer: (decision: Decision) => Record<string, unknown>;
}

/** Nobody waits behind a gateway for it, and keys may have to be fetched first. */
const DEADLINE_MS = 10_000;

const Query = z.strictObject({ pep: z.string().min(1).max(128), revision: z.string().min(1).max(256).optional() });
export type SimulateQuery = { readonly pep: string; readonly revision: string | null };

/** `?pep=edge&revision=…`, each once; `revision` may be left out. */
export function parseSimulateQuery(query: string | undefined): SimulateQuery | AdminRefused {
  const parameters = [...new URLSearchParams(query ?? '')];
  const names = parameters.map(([name]) => name);
  const repeated = names.find((name, index) => names.indexOf(name) !== index);
  if (repeated !== undefined) return { refused: 'request_invalid', field: 'query' };
  const parsed = Query.safeParse(Object.fromEntries(parameters));
  if (!parsed.success) return { refused: 'request_invalid', field: String(parsed.error.issues[0]?.path[0] ?? 'query') };
  return { pep: parsed.data.pep, revision: parsed.data.revision ?? null };
}

/** A decision in the form of `/decide` with `?explain=true`, and how it was asked for. */
export function recentAnswer({ decision, asked }: RecentDecision, answer: DecisionAdmin['answer']): AdminAnswer {
  const { receivedAtMs, endpoint, pep, requestId, request, totalMs, monitoredBy } = asked;
  const time = new Date(receivedAtMs).toISOString();
  const monitored = monitoredBy === undefined ? {} : { enforced: false, monitored_by: monitoredBy };
  return {
    status: 200,
    body: { ...answer(decision), ...monitored, time, endpoint, pep, request_id: requestId, request, total_ms: totalMs },
  };
}

/** Reads the body of `/decide` as the named gateway's, and decides it. */
export async function simulatedAnswer(
  { pep: name, revision }: SimulateQuery,
  bytes: Uint8Array,
  { decisions, clock, newId }: { readonly decisions: DecisionAdmin; readonly clock: Clock; readonly newId: NewId },
): Promise<AdminAnswer | AdminRefused> {
  const pep = decisions.pepNamed(name);
  if (pep === null) return { refused: 'request_invalid', field: 'pep', detail: 'no gateway of this name is configured' };
  const asked = { id: newId(), pep, receivedAtMs: clock.now(), deadlineAtMs: clock.monotonic() + DEADLINE_MS, explain: false };
  const question = decisions.receive(bytes, asked);
  if ('refused' in question) return question;
  // whoever may simulate may see why, whatever the gateway is trusted for
  const decision = await decisions.simulate({ ...question, explain: true }, revision);
  return { status: 200, body: { ...decisions.answer(decision), simulated: true, pep: name } };
}
