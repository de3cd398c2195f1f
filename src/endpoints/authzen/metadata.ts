import { OBLIGATION_TYPES } from './respond.ts';

/** Paths of one PDP, as they come in requests. */
export type AuthzenPaths = {
  readonly evaluation: readonly string[];
  readonly evaluations: readonly string[];
  /** Answered with 501. */
  readonly searches: readonly string[];
  /** Null without a public URL: the metadata would name no base that a gateway could compare. */
  readonly metadata: string | null;
};

const WELL_KNOWN = '/.well-known/authzen-configuration';
const BASE = '/access/v1';

/**
 * Where the endpoints are: at the root, and below the path of the public URL too, whether a proxy cuts that off or not. The path of the id goes after
 * the well-known part (section 9.2.1).
 */
export function authzenPaths(publicUrl: string | null): AuthzenPaths {
  const path = publicUrl === null ? '' : pathOf(publicUrl);
  const at = (name: string): string[] => [...new Set([`${BASE}/${name}`, `${path}${BASE}/${name}`])];
  return {
    evaluation: at('evaluation'),
    evaluations: at('evaluations'),
    searches: ['subject', 'resource', 'action'].flatMap((name) => at(`search/${name}`)),
    metadata: publicUrl === null ? null : `${WELL_KNOWN}${path}`,
  };
}

/** The metadata (section 9.1): what is not answered is not in it. */
export function authzenMetadata(publicUrl: string): Record<string, unknown> {
  return {
    policy_decision_point: publicUrl,
    access_evaluation_endpoint: `${publicUrl}${BASE}/evaluation`,
    access_evaluations_endpoint: `${publicUrl}${BASE}/evaluations`,
    supported_obligations: OBLIGATION_TYPES,
  };
}

function pathOf(publicUrl: string): string {
  const { pathname } = new URL(publicUrl);
  return pathname === '/' ? '' : pathname;
}
