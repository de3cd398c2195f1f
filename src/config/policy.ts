import { z } from 'zod';
import { filePath, host, httpUrl, isSafeUrl, name, PATH_MARK, whenSound } from './forms.ts';
import { polling, signing } from './policy-source.ts';
import { candidateOf } from './rollout.ts';

const shape = {
  contract: z
    .enum(['rules', 'decision', 'envoy'])
    .default('rules')
    .describe(
      'What the entry point returns: `rules` are verdicts that are combined by this service, `decision` is a decision that the policy makes itself, `envoy` the decision of opa-envoy-plugin, with its input.',
    ),
  entrypoint: z
    .string()
    .regex(/^[A-Za-z_]\w*(\/[A-Za-z_]\w*)*$/, 'must be a path such as countersign/decision/result')
    .nullable()
    .default(null)
    .describe(
      'Rule that is evaluated, as a path; null is `countersign/decision/result` with `rules` and `envoy/authz/allow` with `envoy`. With `decision` it must be named.',
    ),
  input: z
    .strictObject({
      credentials: z
        .boolean()
        .default(false)
        .describe(
          'With `envoy` only: the policy sees the headers whole, with `authorization` and every other credential. They are not logged.',
        ),
    })
    .prefault({})
    .describe('What this policy sees besides.'),
  requiredRules: z
    .array(z.string().regex(/^[a-z_]\w*\.[a-z_]\w*$/, 'must be a rule such as signals.required'))
    .default([])
    .describe('Rules that a bundle must hold to be activated.'),
  slowMs: z.number().min(0.1).max(10_000).default(20).describe('An evaluation that takes longer is counted and marked in the log.'),
  memoryPagesMax: z.int().min(16).max(65_536).default(512).describe('Most memory of the policy engine, in pages of 64 KiB.'),
  requiredData: z
    .array(z.string().regex(/^[^.\s]+(\.[^.\s]+)*$/, 'must be a path such as tenants.acme'))
    .default([])
    .describe('Paths in the data without which the policy decides nothing (`data_not_loaded`) and the process is not ready.'),
  worstCaseMs: z
    .number()
    .min(1)
    .max(60_000)
    .default(250)
    .describe('A bundle that takes longer for the worst input that the caps allow is refused.'),
  ageMax: z
    .int()
    .min(60)
    .max(31_536_000)
    .nullable()
    .default(null)
    .describe('Seconds after which a policy that its source has not confirmed makes the process unready; null: never.'),
  signing,
  polling,
  credentials: z
    .strictObject({
      tokenFile: filePath.nullable().default(null).describe('File with the bearer token for the bundle server; read each time.'),
    })
    .prefault({})
    .describe('What the bundle server is shown.'),
  tls: z
    .strictObject({
      caFile: filePath.nullable().default(null).describe("PEM of the authorities that vouch for the bundle server; null: the system's."),
      certFile: filePath.nullable().default(null).describe('PEM of the certificate that the bundle server is shown.'),
      keyFile: filePath.nullable().default(null).describe('PEM of its key.'),
    })
    .refine((value) => (value.certFile === null) === (value.keyFile === null), {
      error: 'needs both of certFile and keyFile, or neither',
      when: whenSound('certFile', 'keyFile'),
    })
    .prefault({})
    .describe('TLS to the bundle server; the files are read each time.'),
  allowInsecureHttp: z.boolean().default(false).describe('Let a bundle server off this machine be asked by plain http.'),
  opaBin: filePath
    .nullable()
    .default(null)
    .describe('The `opa` that compiles a folder of policies; null takes the variable `OPA_BIN`, else `opa` on PATH.'),
};

const bundle = z
  .string()
  .min(1, 'must name a file, a folder or a URL')
  .refine(
    (value) => !value.includes('\0') && (!/^[a-z][a-z0-9+.-]+:\/\//i.test(value) || isServer(value)),
    'must be a path or an http or https URL',
  )
  .meta({ [PATH_MARK]: true })
  .describe(
    'A folder of Rego that is compiled, a compiled bundle (`.tar.gz`), or the URL of one on a bundle server. It is followed as it changes.',
  );

/** True for a URL, which a bundle server answers. */
export function isServer(value: string): boolean {
  return httpUrl.safeParse(value).success;
}

const candidate = candidateOf(bundle);

type Source = {
  readonly bundle: string;
  readonly candidate: { readonly bundle: string } | null;
  readonly allowInsecureHttp: boolean;
};

/** A bundle that somebody on the way could replace is no policy. */
const isSafe = ({ bundle: value, allowInsecureHttp }: Pick<Source, 'bundle' | 'allowInsecureHttp'>): boolean =>
  !isServer(value) || allowInsecureHttp || isSafeUrl(value);
const isCandidateSafe = (value: Source): boolean => value.candidate === null || isSafe({ ...value, bundle: value.candidate.bundle });
const SAFE = {
  error: 'must be https, or http to loopback, or `allowInsecureHttp: true` must be written out',
  path: ['bundle'],
  when: whenSound('bundle', 'allowInsecureHttp'),
};
const CANDIDATE_SAFE = { ...SAFE, path: ['candidate', 'bundle'], when: whenSound('candidate', 'allowInsecureHttp') };

type Contracted = {
  readonly contract: string;
  readonly entrypoint: string | null;
  readonly input: { readonly credentials: boolean };
  readonly requiredRules: readonly string[];
};

/** What goes together with which contract. */
function checkContract(value: Contracted, context: z.RefinementCtx): void {
  const report = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
  if (value.contract === 'decision' && value.entrypoint === null) report(['entrypoint'], 'must be named with `contract: decision`');
  if (value.contract !== 'envoy' && value.input.credentials) report(['input', 'credentials'], 'is only for `contract: envoy`');
  if (value.contract === 'envoy' && value.requiredRules.length > 0)
    report(['requiredRules'], 'is not for `contract: envoy`, whose policies have no rules of ours');
}

const CONTRACT_KEYS = whenSound('contract', 'entrypoint', 'input', 'requiredRules');

/** The rule that is evaluated where the configuration names none. */
const ENTRYPOINTS = { rules: 'countersign/decision/result', envoy: 'envoy/authz/allow', decision: '' } as const;

/** The entry point of a policy, by its contract where none is named. */
export function entrypointOf(one: { readonly contract: keyof typeof ENTRYPOINTS; readonly entrypoint: string | null }): string {
  return one.entrypoint ?? ENTRYPOINTS[one.contract];
}

/** The policy named `default`. */
export const policy = z
  .strictObject({ bundle: bundle.default('policies'), candidate, ...shape })
  .refine(isSafe, SAFE)
  .refine(isCandidateSafe, CANDIDATE_SAFE)
  .superRefine(checkContract, { when: CONTRACT_KEYS })
  .prefault({})
  .describe('The policy named `default`.');

/** Further policies by name. */
export const policies = z
  .record(
    name.refine((value) => value !== 'default', '`default` is configured by the section `policy`'),
    z
      .strictObject({ bundle, candidate, ...shape })
      .refine(isSafe, SAFE)
      .refine(isCandidateSafe, CANDIDATE_SAFE)
      .superRefine(checkContract, { when: CONTRACT_KEYS }),
  )
  .default({})
  .describe('Further policies by name, each with the keys of `policy`; `bundle` has no default there.');

const IPV6 = /^\[[0-9a-f:.]+\]$/;

/** A host as requests have it: lower case, no port, no dot at the end, IPv6 in brackets. */
const canonicalHost = z
  .string()
  .refine(
    (value) =>
      IPV6.test(value)
        ? URL.canParse(`http://${value}/`) && new URL(`http://${value}/`).hostname === value
        : !value.includes(':') && host.safeParse(value).success,
    'must be a host in lower case, without a port; IPv6 in brackets and in its shortest form',
  );

/** Which policy answers for a host. */
export const policyByHost = z
  .record(canonicalHost, name)
  .default({})
  .describe('Policies by the host of the request, for gateways that may ask for several and name none. What is not listed gets `default`.');

/** Hosts whose policy is none of the configuration. */
export function unknownPolicies(byHost: Readonly<Record<string, string>>, policies: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(byHost).filter((key) => byHost[key] !== 'default' && !Object.hasOwn(policies, byHost[key] ?? ''));
}
