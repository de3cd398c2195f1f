import { isJsonObject } from '../../contract/json.ts';
import type { Reportable } from '../behaviour/feedback.ts';
import type { ReportableCost } from '../rate.ts';

/** What another replica noted of a decision, or left in its place once it was reported on; null for anything else. */
export function parseReportable(text: string): (Reportable & { readonly at: number }) | null {
  const value = parseJson(text);
  if (!isJsonObject(value)) return null;
  const { pep, client = null, costs = [], at } = value;
  if (typeof pep !== 'string' || (client !== null && typeof client !== 'string') || typeof at !== 'number' || !Array.isArray(costs))
    return null;
  return { pep, client, costs: costs.flatMap(parseCost), at };
}

function parseCost(value: unknown): ReportableCost[] {
  if (!isJsonObject(value)) return [];
  const { unit, counter, key } = value;
  return typeof unit === 'string' && typeof counter === 'string' && typeof key === 'string' ? [{ unit, counter, key }] : [];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
