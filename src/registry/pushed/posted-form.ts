import { hash } from 'node:crypto';
import { z } from 'zod';
import type { AdminRefused } from '../../contract/admin.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import type { ListedRevocation, RevocationKind } from '../../contract/revocations.ts';
import { API_KEY_ID } from '../../formats/api-key-text.ts';
import type { SharedEntry } from '../../stores/shared-entries.ts';
import { clientId, freeText, hex256 } from '../entry-forms.ts';
import { ofIssuer, ofSubject, type Revocation, serial, tokenName } from '../revocation-entry.ts';

/* The same kinds as in files, in snake_case and with unix seconds, as JSON on wires has it. */

const seconds = z.int().min(1).max(99_999_999_999);
const ofClient = clientId.nullable().default(null);
const jtiOf = (key: string, issuer: string | null): Revocation => ({ kind: 'jti', key, issuer });
const sha256 = (text: string): string => hash('sha256', text, 'base64url');

const FORMS = {
  issued_before: z
    .strictObject({ issued_before: seconds, client: ofClient, issuer: ofIssuer, subject: ofSubject })
    .transform(({ issued_before: atSeconds, ...of }): Revocation => ({ kind: 'issuedBefore', atSeconds, ...of })),
  client: z.strictObject({ client: clientId }).transform(({ client: key }): Revocation => ({ kind: 'client', key })),
  api_key: z.strictObject({ api_key: z.string().regex(API_KEY_ID) }).transform(({ api_key: key }): Revocation => ({ kind: 'apiKey', key })),
  jti: z.strictObject({ jti: tokenName, issuer: ofIssuer }).transform(({ jti, issuer }) => jtiOf(sha256(jti), issuer)),
  jti_hash: z
    .strictObject({ jti_hash: z.string().regex(/^[A-Za-z0-9_-]{43}$/), issuer: ofIssuer })
    .transform(({ jti_hash: key, issuer }) => jtiOf(key, issuer)),
  sid: z.strictObject({ sid: tokenName, issuer: ofIssuer }).transform(({ sid: key, issuer }): Revocation => ({ kind: 'sid', key, issuer })),
  certificate_sha256: z
    .strictObject({ certificate_sha256: hex256 })
    .transform(({ certificate_sha256: key }): Revocation => ({ kind: 'sha256', key })),
  certificate_serial: z
    .strictObject({ certificate_serial: serial })
    .transform(({ certificate_serial: key }): Revocation => ({ kind: 'serial', key })),
} as const;

type Member = keyof typeof FORMS;
/** `issued_before` comes first, since it may name a client too. */
const MEMBERS: readonly Member[] = [
  'issued_before',
  'client',
  'api_key',
  'jti',
  'jti_hash',
  'sid',
  'certificate_sha256',
  'certificate_serial',
];
const PostedFacts = z.object({ reason: freeText, expires_at: seconds.nullable().default(null) });
const StoredFacts = z.object({ reason: z.string(), by: z.string(), at: z.int() });
const KINDS: Readonly<Record<Revocation['kind'], RevocationKind>> = {
  client: 'client',
  apiKey: 'api_key',
  jti: 'token',
  sid: 'session',
  sha256: 'certificate',
  serial: 'certificate',
  issuedBefore: 'issued_before',
};
const FIRST_MEMBERS: ReadonlyMap<string, RevocationKind> = new Map<string, RevocationKind>([
  ['client', 'client'],
  ['api_key', 'api_key'],
  ['jti_hash', 'token'],
  ['sid', 'session'],
  ['certificate_sha256', 'certificate'],
  ['certificate_serial', 'certificate'],
  ['issued_before', 'issued_before'],
]);
/** 132 bits. */
const ID_CHARS = 22;
const FIELD_MAX = 64;

/** A revocation as the store holds it, made of what an operator posted; or which member was wrong. */
export function readPosted(value: JsonValue, by: string, nowSeconds: number): SharedEntry | AdminRefused {
  if (!isJsonObject(value)) return { refused: 'revocation_invalid', detail: 'is no object' };
  const { reason, expires_at, ...named } = value;
  const member = MEMBERS.find((one) => Object.hasOwn(named, one));
  if (member === undefined) return { refused: 'revocation_invalid', detail: `needs one of ${MEMBERS.join(', ')}` };
  const facts = PostedFacts.safeParse({ reason, expires_at });
  if (!facts.success) return refusal(facts.error);
  const read = FORMS[member].safeParse(named);
  if (!read.success) return refusal(read.error);
  const { expires_at: expiresAt } = facts.data;
  if (expiresAt !== null && expiresAt <= nowSeconds) return { refused: 'revocation_invalid', field: 'expires_at', detail: 'is over' };
  const members = membersOf(read.data);
  const text = JSON.stringify({ ...members, reason: facts.data.reason, by, at: nowSeconds });
  return { id: sha256(JSON.stringify(members)).slice(0, ID_CHARS), untilSeconds: expiresAt ?? 0, text };
}

/** What an entry of the store revokes; null where it has a form that is not known here. Members that are not known make it no narrower. */
export function readStored({
  id,
  untilSeconds,
  text,
}: SharedEntry): { readonly revocation: Revocation; readonly shown: ListedRevocation } | null {
  const value = parseJson(text);
  if (!isJsonObject(value)) return null;
  const facts = StoredFacts.safeParse(value);
  const member = MEMBERS.find((one) => Object.hasOwn(value, one));
  if (!facts.success || member === undefined) return null;
  const named = Object.fromEntries(
    [member, 'client', 'issuer', 'subject'].filter((one) => Object.hasOwn(value, one)).map((one) => [one, value[one]]),
  );
  const read = FORMS[member].safeParse(named);
  if (!read.success) return null;
  const revocation = read.data;
  const { reason, by, at } = facts.data;
  const expiresAt = untilSeconds === 0 ? null : untilSeconds;
  return { revocation, shown: { id, kind: KINDS[revocation.kind], members: membersOf(revocation), reason, by, at, expiresAt } };
}

/** The kind without reading the rest: what is revoked is the first member of what the store holds. */
export function kindOf({ text }: SharedEntry): RevocationKind | null {
  const [, first = ''] = /^\{"([a-z0-9_]+)"/.exec(text) ?? [];
  return FIRST_MEMBERS.get(first) ?? null;
}

/** One spelling of what is revoked: the id is made of it. */
function membersOf(revocation: Revocation): JsonObject {
  switch (revocation.kind) {
    case 'client':
      return { client: revocation.key };
    case 'apiKey':
      return { api_key: revocation.key };
    case 'sha256':
      return { certificate_sha256: revocation.key };
    case 'serial':
      return { certificate_serial: revocation.key };
    case 'jti':
      return { jti_hash: revocation.key, ...given({ issuer: revocation.issuer }) };
    case 'sid':
      return { sid: revocation.key, ...given({ issuer: revocation.issuer }) };
    case 'issuedBefore': {
      const { atSeconds, client, issuer, subject } = revocation;
      return { issued_before: atSeconds, ...given({ client, issuer, subject }) };
    }
  }
}

function given(members: Readonly<Record<string, string | null>>): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null));
}

function refusal({ issues: [issue] }: z.ZodError): AdminRefused {
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys : [];
  return { refused: 'revocation_invalid', field: [...(issue?.path ?? []), ...unknown].join('.').slice(0, FIELD_MAX) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
