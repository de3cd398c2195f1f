import { z } from 'zod';
import { revocations } from './revocations.ts';

/** Bounds of what operators push. */
export const admin = z
  .strictObject({
    bundleMaxBytes: z.int().min(1024).max(33_554_432).default(33_554_432).describe('Longest policy bundle that may be pushed, packed.'),
    documentMaxBytes: z.int().min(1024).max(67_108_864).default(16_777_216).describe('Longest document or patch that may be pushed.'),
    dataMaxBytes: z
      .int()
      .min(1024)
      .max(134_217_728)
      .default(33_554_432)
      .describe('Most bytes of pushed data over one policy, all documents together.'),
    exceptionsMax: z.int().min(0).max(1000).default(100).describe('Most time-boxed exceptions of one policy; 0 allows none.'),
    exceptionMaxSeconds: z.int().min(60).max(2_592_000).default(86_400).describe('Longest time until an exception ends.'),
    revocations,
  })
  .prefault({})
  .describe('Bounds of the admin API, which is at `operations`.');
