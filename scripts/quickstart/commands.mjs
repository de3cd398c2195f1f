// The three questions that the quickstart shows. Each command can be pasted into a POSIX shell, in any folder.
import { TOKEN_FILE } from './material.mjs';

/** An address of a registry assignment in the Netherlands, and one in North Korea, which policies/countersign/limits blocks. */
const FROM_NL = '193.0.14.129';
const FROM_KP = '175.45.176.1';

/** @type {readonly { decision: 'allow' | 'deny' | 'step_up', why: string, method: string, path: string, ip: string }[]} */
export const QUESTIONS = [
  {
    decision: 'allow',
    why: 'The token holds the scope orders:read that the route asks for.',
    method: 'GET',
    path: '/orders/42',
    ip: FROM_NL,
  },
  { decision: 'deny', why: 'The same request from a country that the policy blocks.', method: 'GET', path: '/orders/42', ip: FROM_KP },
  {
    decision: 'step_up',
    why: 'A payment needs more than a bearer token: also a client certificate.',
    ...{ method: 'POST', path: '/payments', ip: FROM_NL },
  },
];

/**
 * @param {typeof QUESTIONS[number]} question
 * @param {string} origin of the HTTP listener
 */
export function commandFor({ method, path, ip }, origin) {
  const request = { method, scheme: 'https', host: 'api.quickstart.example', path, headers: { authorization: 'Bearer @token@' } };
  const body = JSON.stringify({ request, source: { ip } }).replace('@token@', `'"$(cat '${TOKEN_FILE.replaceAll("'", `'\\''`)}')"'`);
  return `curl -s ${origin}/decide -H 'content-type: application/json' -d '${body}'`;
}
