import { z } from 'zod';
import { TRUSTS } from '../contract/pep.ts';
import { Registered } from './registered.ts';
import { GivenBehaviour, GivenDevice } from './remembered.ts';

/*
 * The form of `test/cases/*.yaml`. One case is run at several levels, by the same file:
 *   wasm  the signals are made from `given`, the real policy decides (test/decide/cases.test.ts)
 *   pdp   the real stages identify and enrich run before it; tokens are minted from `given.token` by a test key set
 *   wire  the same over POST /decide and ext_authz
 */

const Counts = z.partialRecord(z.enum(['10s', '1m', '10m', '1h']), z.int().min(0));

/** What is true before the request arrives. */
const Given = z
  .strictObject({
    /** The clock. */
    time: z.iso.datetime().default('2026-06-01T10:00:00Z'),
    /** What the gateway is trusted for. */
    trusts: z.array(z.enum(TRUSTS)).default(['client_address', 'client_certificate']),
    /** Claims of a token that the test key set signs: iss, aud, iat and exp are filled in; sent as `authorization: Bearer`. */
    token: z.record(z.string(), z.json()).optional(),
    /** The token has this defect; `keys_unavailable` means that its issuer's keys were never fetched. */
    token_defect: z
      .enum([
        'token_expired',
        'signature_invalid',
        'audience_mismatch',
        'issuer_unknown',
        'token_malformed',
        'scheme_unsupported',
        'keys_unavailable',
      ])
      .optional(),
    /** The certificate is refused, or could not be judged, for this reason: at the level `wasm` alone, unless the question itself brings such a one. */
    certificate_defect: z
      .enum(['certificate_malformed', 'certificate_untrusted', 'certificate_trust_domain', 'certificate_revoked', 'revocation_unavailable'])
      .optional(),
    /** The client has a key: its token is bound to it and comes by the scheme DPoP with a proof (RFC 9449). */
    dpop: z
      .strictObject({
        scheme: z.enum(['DPoP', 'Bearer']).default('DPoP'),
        /** Whether the token's `cnf.jkt` names the key. */
        bound: z.boolean().default(true),
        /** The proof has this defect, by the code that it gives; `store_unavailable` means that used proofs cannot be looked up. */
        defect: z
          .enum([
            'dpop_proof_missing',
            'dpop_proof_multiple',
            'dpop_type_invalid',
            'dpop_signature_invalid',
            'dpop_method_mismatch',
            'dpop_uri_mismatch',
            'dpop_nonce_required',
            'dpop_expired',
            'dpop_token_mismatch',
            'dpop_key_mismatch',
            'dpop_replayed',
            'store_unavailable',
          ])
          .optional(),
      })
      .optional(),
    /** The registry: a client as its files have it, an API key of it that comes in `x-api-key`, what is revoked, or `unavailable`: it was never loaded. */
    registry: Registered.optional(),
    /** Claims of a transaction token that the test key set signs: aud, iat and exp are filled in; sent as `txn-token`. */
    txn_token: z.record(z.string(), z.json()).optional(),
    /** The transaction token has this defect; `txn_token_unchecked` means that no service is configured. */
    txn_token_defect: z
      .enum(['signature_invalid', 'token_expired', 'type_not_allowed', 'txn_token_multiple', 'txn_token_unchecked', 'keys_unavailable'])
      .optional(),
    /** What the sources say of the client address; `unavailable` names the code of their failure. */
    network: z
      .union([
        z.strictObject({ country: z.string().nullable().default(null), kinds: z.array(z.string()).default([]) }),
        z.strictObject({ unavailable: z.enum(['database_missing', 'database_broken']) }),
      ])
      .optional(),
    /** Configured lists, and whether the client's address is on them. */
    lists: z
      .array(
        z.strictObject({
          name: z.string(),
          tags: z.array(z.string()).default([]),
          state: z.enum(['hit', 'miss', 'never_loaded']).default('hit'),
        }),
      )
      .default([]),
    /** Counts of the windows, this request included; a window that is not named counts as its shorter neighbour. */
    rate: z
      .union([
        z.strictObject({
          client: Counts.optional(),
          address: Counts.optional(),
          token: Counts.optional(),
          route: Counts.optional(),
          degraded: z.boolean().default(false),
        }),
        z.strictObject({ unavailable: z.enum(['store_unavailable', 'store_full']) }),
      ])
      .optional(),
    /** What is remembered of the client. */
    device: GivenDevice.optional(),
    behaviour: GivenBehaviour.optional(),
  })
  .prefault({});

/** What must come out; a member that is left out is not looked at. */
const Want = z.strictObject({
  effect: z.enum(['allow', 'deny', 'step_up']),
  /** All reason codes, in their order. */
  reasons: z.array(z.string()).min(1),
  /** Status of the client's response; left out on an allow. */
  status: z.int().optional(),
  /** Headers of the client's response; null where there must be none. */
  headers: z.record(z.string(), z.string().nullable()).optional(),
  /** `present`, or the code of why the token's binding is not. */
  binding: z.string().optional(),
  /** Codes of the reasons that the client's body shows. */
  shown: z.array(z.string()).optional(),
  step_up: z
    .strictObject({
      kind: z.enum(['authentication', 'binding', 'scope', 'approval']),
      methods: z.array(z.string()).optional(),
      scopes: z.array(z.string()).optional(),
    })
    .optional(),
  assurance: z.strictObject({ level: z.int(), required: z.int() }).optional(),
  risk: z.strictObject({ score: z.int(), factors: z.array(z.string()) }).optional(),
  /** Upstream headers; null where the name must be removed. */
  upstream: z.record(z.string(), z.string().nullable()).optional(),
  /** Fields of the decision record, by the names that the log gives them. */
  record: z.strictObject({
    route: z.string(),
    subject: z.string().nullable().optional(),
    client: z.string().nullable().optional(),
    error: z.string().nullable().default(null),
  }),
});

export const Case = z.strictObject({
  name: z.string().min(1),
  given: Given,
  /** The body of POST /decide; `authorization` is added from `given.token`. */
  ask: z.record(z.string(), z.json()),
  want: Want,
  levels: z.array(z.enum(['wasm', 'pdp', 'wire'])).default(['wasm', 'pdp', 'wire']),
});
export type Case = z.infer<typeof Case>;

export const CaseFile = z.array(Case).min(1);
