import type { ErrorCode } from '../../contract/codes.ts';
import type { Decision } from '../../contract/decision.ts';
import type { Pep } from '../../contract/pep.ts';
import type { Clock, Logger, NewId, Pdp } from '../../contract/stages.ts';
import type { CallTrace, Tracing } from '../../contract/trace.ts';
import type { Admission } from '../admission.ts';
import type { GrpcCall, GrpcMethod } from '../grpc-call.ts';
import type { Incoming } from '../grpc-framing.ts';
import { GRPC_STATUS } from '../grpc-status.ts';
import type { PepAuth } from '../pep-auth.ts';
import { createRefusalLog } from '../refusal-log.ts';
import type { ClaimsMetadata } from './claims.ts';
import { receiveCheck } from './receive.ts';
import { createCheckResponder } from './respond.ts';

export const AUTHORIZATION_SERVICE = 'envoy.service.auth.v3.Authorization';

export type ExtAuthzOptions = {
  readonly pdp: Pdp;
  readonly pepAuth: PepAuth;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly logger: Logger;
  readonly messageMaxBytes: number;
  /** Checks at work at once; more are denied as `overloaded`. Left out: no bound. */
  readonly inFlightMax?: number | undefined;
  /** Left out: no check is turned away for having waited. */
  readonly admission?: Admission | undefined;
  /** Milliseconds for one decision (`decisions.deadlineMs`). */
  readonly deadlineMs: number;
  readonly errorResponse: boolean;
  readonly claimsMetadata: ClaimsMetadata;
  /** Told the code of every check that was refused at the border. */
  readonly onRefused?: ((code: ErrorCode) => void) | undefined;
  /** Left out: calls are not followed. */
  readonly tracing?: Tracing | undefined;
};

const SPAN_NAME = `${AUTHORIZATION_SERVICE}/Check`;

/** Sent by Envoy's `initial_metadata`; the client's `authorization` is in the message and is not looked at here. */
const PEP_TOKEN = 'x-countersign-pep-token';

/**
 * What the path itself gets on top of the deadline to say so: its own answer is logged and counted with all that it knows.
 * A caller's shorter `grpc-timeout` leaves no such time.
 */
const GUARD_MS = 5;

/**
 * `envoy.service.auth.v3.Authorization`, by `:path`. Envoy passes a request on any RPC status but OK when its `failure_mode_allow` is set, so
 * that every answer here is OK with a CheckResponse, whatever went wrong; only framing that holds no message is an RPC failure.
 */
export function createExtAuthzMethods(options: ExtAuthzOptions): ReadonlyMap<string, GrpcMethod> {
  const { pdp, clock, newId, logger, inFlightMax = Number.POSITIVE_INFINITY } = options;
  const responder = createCheckResponder(options);
  const tellRefusal = createRefusalLog(logger, clock);

  /** Once a connection, as long as it shows the same token and the gateways have not changed. */
  function authenticate(call: GrpcCall): Pep | null {
    const { peer, headers } = call;
    const offered = headers[PEP_TOKEN];
    const token = typeof offered === 'string' ? offered : null;
    if (peer.pepToken !== token || peer.pepGeneration !== options.pepAuth.generation) {
      peer.pepGeneration = options.pepAuth.generation;
      peer.pep = options.pepAuth.authenticate({ token, certificate: peer.certificate });
      peer.pepToken = token;
    }
    return peer.pep;
  }

  /** Where it is false for a known gateway there is no room, and the message is thrown away as it comes. */
  function accepts(call: GrpcCall): boolean {
    if (authenticate(call) === null) return false;
    if (call.openCalls <= inFlightMax) return true;
    options.admission?.crowded();
    return false;
  }

  function refuse(call: GrpcCall, code: ErrorCode, cause?: unknown): void {
    const id = newId();
    options.onRefused?.(code);
    tellRefusal('check_refused', code, { decision_id: id, pep: call.peer.pep?.name ?? null, cause });
    call.reply(responder.refused(code, id));
  }

  function receive(call: GrpcCall, incoming: Incoming): void {
    if (call.over) return;
    if (incoming.kind === 'broken') {
      call.fail(GRPC_STATUS.internal, incoming.detail);
      return;
    }
    const pep = authenticate(call);
    if (pep === null) refuse(call, 'pep_unauthenticated');
    else if (incoming.kind !== 'message') refuse(call, refusalOf(incoming.kind));
    else if (options.admission === undefined) ask(call, pep, incoming.bytes);
    else options.admission.enter((late) => enter(call, pep, incoming.bytes, late));
  }

  /** In a turn of its own: by then the gateway may have given up, or the time be over. */
  function enter(call: GrpcCall, pep: Pep, bytes: Uint8Array, late: boolean): void {
    if (call.over) return;
    try {
      if (late) refuse(call, 'overloaded');
      else ask(call, pep, bytes);
    } catch (thrown) {
      failed(call, thrown);
    }
  }

  function ask(call: GrpcCall, pep: Pep, bytes: Uint8Array): void {
    const deadlineAtMs = call.arrivedAtMs + Math.min(options.deadlineMs, call.limitMs);
    const received = receiveCheck(bytes, { id: newId(), receivedAtMs: clock.now(), deadlineAtMs, pep }, options.claimsMetadata);
    const trace = options.tracing?.open(SPAN_NAME, call.headers, call.arrivedAtMs) ?? null;
    if (!received.ok) {
      refuse(call, received.code, received.cause);
      trace?.refused(received.code);
      return;
    }
    call.questionId = received.request.id;
    const decision = pdp.decide(trace === null ? received.request : trace.join(received.request));
    if (!(decision instanceof Promise)) answer(call, decision, trace);
    else {
      decision.then(
        (made) => {
          try {
            answer(call, made, trace);
          } catch (thrown) {
            failed(call, thrown, trace);
          }
        },
        (thrown: unknown) => failed(call, thrown, trace),
      );
    }
  }

  function answer(call: GrpcCall, decision: Decision, trace: CallTrace | null): void {
    if (!call.over) call.reply(responder.decided(decision));
    trace?.answered(null);
  }

  function failed(call: GrpcCall, thrown: unknown, trace: CallTrace | null = null): void {
    trace?.refused('internal_error');
    const id = call.questionId ?? newId();
    logger.error('check_failed', { decision_id: id, cause: thrown });
    call.reply(responder.undecided('internal_error', id));
  }

  function expire(call: GrpcCall): void {
    if (call.questionId !== null) {
      logger.warn('check_expired', { decision_id: call.questionId });
      call.reply(responder.undecided('deadline_exceeded', call.questionId));
    } else if (authenticate(call) === null) refuse(call, 'pep_unauthenticated');
    // No question has arrived: a slow sender must not be able to switch a failure mode on.
    else refuse(call, call.tooLarge ? 'message_too_large' : 'deadline_exceeded');
  }

  const check: GrpcMethod = {
    messageMaxBytes: options.messageMaxBytes,
    boundMs: options.deadlineMs + GUARD_MS,
    accepts,
    receive,
    expire,
    failed,
  };
  return new Map([[`/${AUTHORIZATION_SERVICE}/Check`, check]]);
}

function refusalOf(kind: 'too_large' | 'compressed' | 'overloaded' | 'discarded'): ErrorCode {
  switch (kind) {
    case 'too_large':
      return 'message_too_large';
    case 'compressed':
      return 'request_message_invalid';
    case 'overloaded':
    // a known gateway's: there was no room for it
    case 'discarded':
      return 'overloaded';
  }
}
