import { z } from 'zod';
import { CountersignError } from '../../contract/errors.ts';
import { TIERS } from '../../contract/route.ts';
import { McpRoute } from '../mcp/plans.ts';

/** RFC 9110 `token`. */
const METHOD = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const HOST = /^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*$/;

/** RFC 9728 section 5.1: it goes into a quoted parameter, and clients fetch it. */
function isHttpsUrl(text: string): boolean {
  if (!/^https:\/\/[\x21\x23-\x5B\x5D-\x7E]+$/.test(text) || !URL.canParse(text)) return false;
  const url = new URL(text);
  return url.username === '' && url.password === '' && !text.includes('#');
}

/** One route as `countersign/routes/data.yaml` writes it. */
const RouteForm = z.strictObject({
  hosts: z.array(z.string().regex(HOST)).default([]).describe('Lower-case names, or `*.example.com`; none means any host'),
  methods: z
    .array(z.union([z.literal('*'), z.string().regex(METHOD)]))
    .min(1)
    .describe('Methods, or `*` for every one'),
  path: z.string().startsWith('/').max(2048).describe('`{name}` is one segment, `{name*}` at the end one or more'),
  tier: z.enum(TIERS),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5B\x5D-\x7E]+$/))
    .max(64)
    .default([]),
  public: z.boolean().default(false).describe('Anybody may call it'),
  enforce: z.boolean().default(true).describe('False: decided and recorded, but not enforced'),
  resource_metadata: z.string().max(2048).refine(isHttpsUrl, 'must be an https URL without credentials and fragment').optional(),
  mcp: McpRoute.optional(),
});

/** The data document `countersign.routes`: id to route. */
export const RoutesData = z.record(z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/), RouteForm);
/** One route, every member there. */
export type RouteEntry = z.infer<typeof RouteForm>;

/**
 * Reads the value of `data.countersign.routes`; undefined means no route.
 * @throws CountersignError bundle_routes_invalid, the field is the path within the catalogue
 */
export function parseRoutes(data: unknown): Readonly<Record<string, RouteEntry>> {
  const parsed = RoutesData.safeParse(data ?? {});
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new CountersignError('bundle_routes_invalid', { field: issue?.path.join('.') ?? '', detail: issue?.message ?? '' });
  }
  return parsed.data;
}

/** The refusal of a catalogue for one of its routes. */
export function wrongRoute(id: string, detail: string): CountersignError {
  return new CountersignError('bundle_routes_invalid', { field: id, detail });
}
