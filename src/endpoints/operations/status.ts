import type { Express } from 'express';
import type { JsonValue } from '../../contract/json.ts';
import type { ServiceStatus } from '../../contract/status.ts';
import { sendProblem } from '../problem.ts';
import type { OperatorAuth } from './operator-auth.ts';
import { onlyGet } from './probes.ts';

const CHALLENGE = { 'www-authenticate': 'Bearer realm="Countersign operations"' };

/** `/status`: what each part says of itself, for operators; the members in snake_case like every wire of ours. */
export function mountStatus(app: Express, status: () => ServiceStatus, operatorOf: OperatorAuth): void {
  app.get('/status', (request, response) => {
    if (operatorOf(request.headers.authorization) === null) {
      sendProblem(response, 'operator_unauthenticated', { headers: CHALLENGE });
      return;
    }
    response.set('cache-control', 'no-store').json(snakeCased(status()));
  });
  app.all('/status', onlyGet);
}

/** Names of a snapshot in snake_case. Only for documents whose names are ours: a foreign name would be changed too. */
function snakeCased(value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map(snakeCased);
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([name, member]) => [snake(name), snakeCased(member)]));
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
