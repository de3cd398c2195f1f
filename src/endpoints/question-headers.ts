import type { JsonObject } from '../contract/json.ts';
import { headerName } from './header-names.ts';

/** The headers as pairs in order, or the name whose spelling no header has or whose value is no string and no list of strings. */
export function receiveQuestionHeaders(headers: JsonObject): [string, string][] | { readonly invalid: string } {
  const pairs: [string, string][] = [];
  for (const name of Object.keys(headers)) {
    if (!headerName(name).valid) return { invalid: name };
    const value = headers[name];
    if (typeof value === 'string') {
      pairs.push([name, value]);
    } else if (Array.isArray(value)) {
      for (const one of value) {
        if (typeof one !== 'string') return { invalid: name };
        pairs.push([name, one]);
      }
    } else {
      return { invalid: name };
    }
  }
  return pairs;
}
