import { CODES, type ErrorCode } from '../../contract/codes.ts';

/* Parts of answers that operations have in common. */

export type Part = Readonly<Record<string, unknown>>;

const LISTENER = ['origin_forbidden', 'host_misdirected', 'headers_too_large', 'body_timeout', 'request_invalid', 'overloaded'] as const;
const BODY = [
  'body_empty',
  'body_invalid_json',
  'body_invalid_utf8',
  'body_lone_surrogate',
  'body_duplicate_key',
  'body_too_deep',
] as const;

/** Of every request to the listener, whatever it is for. */
export const LISTENER_CODES: readonly ErrorCode[] = LISTENER;
/** Of every call with a JSON body. */
export const CALL_CODES: readonly ErrorCode[] = [
  ...LISTENER,
  ...BODY,
  ...(['body_too_many_keys', 'body_too_large', 'content_type_unsupported', 'content_encoding_unsupported'] as const),
  ...(['pep_unauthenticated', 'method_not_allowed', 'internal_error'] as const),
];

export const ref = (name: string): Part => ({ $ref: `#/components/schemas/${name}` });

/** JSON of a component. */
export const json = (name: string, type = 'application/json'): Part => ({ [type]: { schema: ref(name) } });

export const header = (description: string): Part => ({ description, schema: { type: 'string' } });

/** Problems by status, each with the codes that it may have; those that every call has are components. */
export function problems(codes: readonly ErrorCode[]): Readonly<Record<string, Part>> {
  return Object.fromEntries(
    byStatus(codes, httpOf).map(([status, own]) => {
      const name = Object.keys(SHARED).find((key) => SHARED[key]?.join() === own.join());
      return [String(status), name === undefined ? problem(status, own) : { $ref: `#/components/responses/${name}` }];
    }),
  );
}

/** `components.responses`. */
export function sharedResponses(): Readonly<Record<string, Part>> {
  return Object.fromEntries(Object.entries(SHARED).map(([name, own]) => [name, problem(Number(name.slice('problem_'.length)), own)]));
}

function problem(status: number, own: readonly ErrorCode[]): Part {
  const schema = { allOf: [ref('Problem'), { properties: { status: { const: status }, code: { enum: own } } }] };
  return { description: told(own), ...headersOf(status), content: { 'application/problem+json': { schema } } };
}

function httpOf(code: ErrorCode): number {
  return CODES[code].http;
}

/** AuthZEN's errors are texts (section 10.1.2), save for what is refused before the listener knows what is asked. */
export function textErrors(codes: readonly ErrorCode[], statusOf: (code: ErrorCode) => number): Readonly<Record<string, Part>> {
  return Object.fromEntries(
    byStatus(codes, statusOf).map(([status, own]) => [
      String(status),
      {
        description: told(own),
        ...headersOf(status, { 'x-countersign-error': header('The code, where the body is a text.') }),
        content: { 'text/plain': { schema: { type: 'string' } }, ...json('Problem', 'application/problem+json') },
      },
    ]),
  );
}

function byStatus(codes: readonly ErrorCode[], statusOf: (code: ErrorCode) => number): [number, ErrorCode[]][] {
  const found = new Map<number, ErrorCode[]>();
  for (const code of codes) found.set(statusOf(code), [...(found.get(statusOf(code)) ?? []), code]);
  return [...found].sort(([a], [b]) => a - b);
}

/** Of every call, by status. */
const SHARED: Readonly<Record<string, readonly ErrorCode[]>> = Object.fromEntries(
  byStatus(CALL_CODES, httpOf).map(([status, own]) => [`problem_${status}`, own]),
);

function told(codes: readonly ErrorCode[]): string {
  return codes.map((code) => `\`${code}\`: ${CODES[code].text}.`).join(' ');
}

const HEADERS: Readonly<Record<number, Part>> = {
  401: { 'www-authenticate': header('Its realm says that it is the gateway who is not known, not the client behind it.') },
  405: { allow: header('The methods that are.') },
  503: { 'retry-after': header('Seconds, where it is known.') },
};

function headersOf(status: number, more: Part = {}): Part {
  const headers = { ...HEADERS[status], ...more };
  return Object.keys(headers).length === 0 ? {} : { headers };
}
