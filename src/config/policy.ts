import { z } from 'zod';
import { filePath, name } from './forms.ts';

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
  opaBin: filePath
    .nullable()
    .default(null)
    .describe('The `opa` that compiles a folder of policies; null takes the variable `OPA_BIN`, else `opa` on PATH.'),
};

const bundle = filePath.describe('A folder of Rego that is compiled at start, or a compiled bundle (`.tar.gz`).');

/** The policy named `default`. */
export const policy = z
  .strictObject({ bundle: bundle.default('policies'), ...shape })
  .prefault({})
  .describe('The policy named `default`.');

/** Further policies by name. */
export const policies = z
  .record(
    name.refine((value) => value !== 'default', '`default` is configured by the section `policy`'),
    z.strictObject({ bundle, ...shape }),
  )
  .default({})
  .describe('Further policies by name, each with the keys of `policy`; `bundle` has no default there.');
