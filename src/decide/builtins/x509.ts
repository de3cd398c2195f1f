import type { BuiltinTable } from './builtin.ts';
export const X509: BuiltinTable = {};
