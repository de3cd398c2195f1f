import { z } from 'zod';
import { filePath, httpUrl, isSafeUrl, name, PATH_MARK, whenSound } from './forms.ts';
import { polling, signing } from './policy-source.ts';

const shape = {
  contract: z
    .enum(['rules'])
    .default('rules')
    .describe('What the entry point returns: `rules` are verdicts that are combined by this service.'),
  entrypoint: z
    .string()
    .regex(/^[A-Za-z_]\w*(\/[A-Za-z_]\w*)*$/, 'must be a path such as countersign/decision/result')
    .default('countersign/decision/result')
    .describe('Rule that is evaluated, as a path.'),
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

type Source = { readonly bundle: string; readonly allowInsecureHttp: boolean };

/** A bundle that somebody on the way could replace is no policy. */
const isSafe = ({ bundle: value, allowInsecureHttp }: Source): boolean => !isServer(value) || allowInsecureHttp || isSafeUrl(value);
const SAFE = {
  error: 'must be https, or http to loopback, or `allowInsecureHttp: true` must be written out',
  path: ['bundle'],
  when: whenSound('bundle', 'allowInsecureHttp'),
};

/** The policy named `default`. */
export const policy = z
  .strictObject({ bundle: bundle.default('policies'), ...shape })
  .refine(isSafe, SAFE)
  .prefault({})
  .describe('The policy named `default`.');

/** Further policies by name. */
export const policies = z
  .record(
    name.refine((value) => value !== 'default', '`default` is configured by the section `policy`'),
    z.strictObject({ bundle, ...shape }).refine(isSafe, SAFE),
  )
  .default({})
  .describe('Further policies by name, each with the keys of `policy`; `bundle` has no default there.');
