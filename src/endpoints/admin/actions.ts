import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AdminRefused, DataAdmin, DataChanged, Operator, PolicyAdmin } from '../../contract/admin.ts';
import { CountersignError } from '../../contract/errors.ts';
import type { RevocationAdmin } from '../../contract/revocations.ts';
import type { Clock, Logger, NewId } from '../../contract/stages.ts';
import { type DecisionAdmin, recentAnswer, simulatedAnswer } from './decisions.ts';
import { type AdminTarget, type BodyKind, editOf, parseCondition, parseRevision } from './receive.ts';
import {
  activatedAnswer,
  changedAnswer,
  listAnswer,
  policiesAnswer,
  policyAnswer,
  sendAnswer,
  sendData,
  withdrawnAnswer,
} from './respond.ts';
import { createRevocationActions } from './revocations.ts';

/** One call of a known operator, with its method, role and content type judged. */
export type Call = {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly operator: Operator;
  readonly target: AdminTarget;
  /** Null for a method without a body. */
  readonly kind: BodyKind | null;
  readonly refuse: (refusal: AdminRefused, headers?: Readonly<Record<string, string>>) => void;
};

type Parts = {
  readonly policies: PolicyAdmin;
  readonly data: DataAdmin;
  readonly revocations: RevocationAdmin;
  readonly decisions: DecisionAdmin;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly logger: Logger;
};

/** Does what a call asks for, once its body is there. Every change is one log line `admin_change`, with what was before and what is now. */
export function createActions(parts: Parts): (call: Call, bytes: Uint8Array) => Promise<void> {
  const { policies, data, revocations, decisions, logger } = parts;
  function activeRevision(name: string): string | null {
    return policies.revisions(name).find(({ active }) => active)?.revision ?? null;
  }

  function changed({ name: operator, role }: Operator, action: string, fields: Readonly<Record<string, unknown>>): void {
    logger.info('admin_change', { operator, role, action, ...fields });
  }

  const revoking = createRevocationActions(revocations, changed);

  async function onPolicy({ response, operator, kind }: Call, name: string, bytes: Uint8Array): Promise<void> {
    const before = activeRevision(name);
    if (kind === null) {
      const status = policies.status().find((one) => one.name === name);
      if (status === undefined) throw new CountersignError('policy_unknown');
      sendAnswer(response, policyAnswer(status, policies.revisions(name)));
      return;
    }
    await policies.activate(name, bytes);
    const after = activeRevision(name) ?? '';
    changed(operator, 'policy_activate', { policy: name, before, after, bytes: bytes.byteLength });
    sendAnswer(response, activatedAnswer(name, after));
  }

  /** To another revision that is here already. */
  async function onSwitch(
    to: 'rollback' | 'promote',
    { response, operator, refuse }: Call,
    name: string,
    bytes: Uint8Array,
  ): Promise<void> {
    const asked = parseRevision(bytes);
    if ('refused' in asked) return refuse(asked);
    const before = activeRevision(name);
    await policies[to](name, asked.revision);
    const after = activeRevision(name) ?? '';
    changed(operator, `policy_${to}`, { policy: name, before, after });
    sendAnswer(response, activatedAnswer(name, after));
  }

  function onWithdraw({ response, operator }: Call, name: string): void {
    const revision = policies.status().find((one) => one.name === name)?.candidate?.revision ?? null;
    policies.withdraw(name);
    changed(operator, 'candidate_withdraw', { policy: name, before: revision, after: null });
    sendAnswer(response, withdrawnAnswer(name, revision));
  }

  async function onData(call: Call, policy: string, path: readonly string[], bytes: Uint8Array): Promise<void> {
    const { request, response, operator, kind, refuse } = call;
    if (request.method === 'GET') {
      if (path.length === 0) {
        const list = data.list(policy);
        return 'refused' in list ? refuse(list) : sendAnswer(response, listAnswer(list));
      }
      const read = await data.read(policy, path);
      return 'refused' in read ? refuse(read) : sendData(response, read);
    }
    const condition = parseCondition(request.headers);
    if ('refused' in condition) return refuse(condition);
    const edit = kind === null ? { kind: 'delete' as const } : editOf(kind, bytes);
    const done = await data.change({ policy, path, edit, condition, operator });
    if ('refused' in done) return refuse(done);
    tellData(operator, edit.kind, path, done);
    sendAnswer(response, changedAnswer(done));
  }

  function tellData(operator: Operator, edit: string, path: readonly string[], { policy, revision, before, after }: DataChanged): void {
    changed(operator, `data_${edit}`, { policy, path: path.join('/'), revision, before, after });
  }

  return async (call, bytes) => {
    const { target, response } = call;
    switch (target.resource) {
      case 'policies':
        return sendAnswer(response, policiesAnswer(policies.status()));
      case 'policy':
        return onPolicy(call, target.name, bytes);
      case 'rollback':
      case 'promote':
        return onSwitch(target.resource, call, target.name, bytes);
      case 'withdraw':
        return onWithdraw(call, target.name);
      case 'revocations':
        return revoking.all(call, target.query, bytes);
      case 'revocation':
        return revoking.one(call, target.id);
      case 'decision': {
        const recent = decisions.find(target.id);
        return recent === null
          ? call.refuse({ refused: 'decision_not_kept' })
          : sendAnswer(response, recentAnswer(recent, decisions.answer));
      }
      case 'simulate': {
        const answer = await simulatedAnswer(target, bytes, parts);
        return 'refused' in answer ? call.refuse(answer) : sendAnswer(response, answer);
      }
      case 'data':
        return onData(call, target.policy, target.path, bytes);
    }
  };
}
