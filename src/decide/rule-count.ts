import { isJsonObject, type JsonObject } from '../contract/json.ts';

/**
 * The data that Rego reads, with the number of rules at `countersign.rule_count`, whatever is there: `countersign.decision` takes it for the sign that each of
 * them has a verdict. Where it is missing or wrong the entry point looks for those without one, which is right too and a quarter slower.
 */
export function withRuleCount(data: JsonObject, rules: number): JsonObject {
  const ours = data['countersign'];
  return { ...data, countersign: { ...(isJsonObject(ours) ? ours : {}), rule_count: rules } };
}
