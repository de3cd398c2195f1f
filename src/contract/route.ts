import type { McpPlan } from './mcp.ts';
import type { RatePlan } from './rate-plan.ts';

/** Tiers of routes, from harmless to critical. */
export const TIERS = ['low', 'medium', 'high', 'critical'] as const;
export type Tier = (typeof TIERS)[number];

/** The route of the catalogue that a request falls on; matched before Rego. */
export type Route = {
  /** `none` where the question has no HTTP request. */
  readonly status: 'matched' | 'unknown' | 'ambiguous' | 'none';
  /** Name of the policy whose catalogue this is; counters by route are kept apart by it. */
  readonly catalogue: string;
  /** `unknown` where nothing matched. */
  readonly id: string;
  readonly tier: Tier;
  readonly scopes: readonly string[];
  readonly public: boolean;
  /** RFC 9728: where its protected resource is described; null leaves it to the configuration. */
  readonly resourceMetadataUrl: string | null;
  /** Values of the path pattern's parameters. */
  readonly parameters: Readonly<Record<string, string>>;
  /** What its policy has counted beside hits; not there where that is nothing. */
  readonly rate?: RatePlan;
  /** False: what is decided is recorded, and the request passes. Not there where it is enforced. */
  readonly enforce?: false;
  /** What is behind it, where that is an MCP server. */
  readonly mcp?: McpPlan;
};
