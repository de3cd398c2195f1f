import type { Config } from '../config/schema.ts';
import type { RevocationAdmin } from '../contract/revocations.ts';
import type { PolicySet } from '../decide/policies.ts';
import { isAdminTarget } from '../endpoints/admin/receive.ts';
import { type AdminOptions, createAdminRoute } from '../endpoints/admin/routes.ts';
import type { OperationsServerOptions } from '../endpoints/operations/operations-server.ts';
import { createOperatorAuth } from '../endpoints/operations/operator-auth.ts';

/** The admin API, for the operations listener. */
export function openAdmin(
  { admin, operations }: Config,
  policies: PolicySet,
  revocations: RevocationAdmin,
  parts: Pick<AdminOptions, 'clock' | 'newId' | 'logger' | 'decisions'>,
): NonNullable<OperationsServerOptions['admin']> {
  const operatorOf = createOperatorAuth(operations.tokens);
  const handle = createAdminRoute({ ...admin, ...operations, ...parts, policies, data: policies.data, revocations, operatorOf });
  return { isTarget: isAdminTarget, handle };
}
