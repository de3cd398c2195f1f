import { z } from 'zod';
import { isJsonObject, type JsonObject } from '../contract/json.ts';

/* Members that questions in JSON have in common, whatever protocol they come by. */

/** Kept as it is, not copied member by member: `z.record` would lose a `__proto__` member and cost more. */
export const object = z.custom<JsonObject>(isJsonObject, 'an object is required');
const name = z.string().max(1024);
const address = z.string().max(256);

/** What a gateway hands on of its client's request. Each is strict here; who has to ignore what is not known says `.strip()`. */
export const EVIDENCE = {
  /** The client's request as the gateway received it. */
  request: z.strictObject({
    /** The gateway's own id, for correlation only. */
    id: z.string().max(128).optional(),
    method: z.string(),
    scheme: z.string().optional(),
    host: z.string().optional(),
    /** Raw path and query as the client sent them, not decoded. */
    path: z.string(),
    /** Name to a string or a list of strings; judged in `question-headers.ts`, in a quarter of the time that a record of unions takes here. */
    headers: object.optional(),
    /** The client's body as text, as far as the gateway has it. */
    body: z.string().optional(),
    /** True where that is only its beginning. */
    body_truncated: z.boolean().optional(),
  }),
  source: z.strictObject({
    ip: address.optional(),
    port: z.int().min(0).max(65_535).optional(),
    /** The chain, left to right; an `x-forwarded-for` in the headers is then ignored. */
    forwarded_for: z.array(address).max(128).optional(),
  }),
  /** Claims that the gateway has verified. */
  token: z.strictObject({ claims: object }),
  certificate: z
    .strictObject({
      pem: z.string().optional(),
      sha256: z
        .string()
        .regex(/^(?:[0-9a-f]{64}|[0-9a-f]{2}(?::[0-9a-f]{2}){31})$/i)
        .optional(),
      subject: z.string().optional(),
      issuer: z.string().optional(),
      serial: z.string().max(128).optional(),
      uris: z.array(z.string()).max(64).optional(),
      dns: z.array(z.string()).max(64).optional(),
      /** Unix seconds. */
      not_after: z.number().optional(),
    })
    .refine((certificate) => Object.keys(certificate).length > 0, 'pem or fields are required'),
  tls: z.strictObject({
    sni: z.string().max(255).optional(),
    version: z.string().max(16).optional(),
    ja3: z.string().max(64).optional(),
    ja4: z.string().max(64).optional(),
  }),
  rate: z.strictObject({ count: z.int().min(0), window_seconds: z.number().positive() }),
};

/** AuthZEN's own objects may have more members, which are ignored (AuthZEN 1.0). */
export const ENTITIES = {
  subject: z.object({ type: name, id: name, properties: object.optional() }),
  action: z.object({ name, properties: object.optional() }),
  resource: z.object({ type: name, id: name, properties: object.optional() }),
};

type Evidence = typeof EVIDENCE;
type Entities = typeof ENTITIES;

/** What a question offers as evidence; a member that is not there was not offered. */
export type EvidenceBody = { readonly [Name in keyof Evidence]?: z.output<Evidence[Name]> | undefined };
/** What a question is about. */
export type EntitiesBody = { readonly [Name in keyof Entities]?: z.output<Entities[Name]> | undefined };
