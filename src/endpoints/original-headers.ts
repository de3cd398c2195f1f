import type { Pep } from '../contract/pep.ts';
import { headerName } from './header-names.ts';

const OWN_PREFIX = 'x-countersign-';

/**
 * A client's headers as they came, without what means nothing: those that only Countersign sets, and certificates that the gateway is not believed
 * about. @param vouches whether the gateway's own certificate header counts
 */
export function originalHeaders(raw: Iterable<readonly [string, string]>, pep: Pep, vouches: boolean): [string, string][] {
  const headers: [string, string][] = [];
  const { name: certificateHeader, chainName = null } = pep.certificateHeader ?? { name: null };
  for (const [spelt, value] of raw) {
    const { name, plain, certificate } = headerName(spelt);
    if (plain.startsWith(OWN_PREFIX)) continue;
    const carries = certificate || plain === certificateHeader || plain === chainName;
    if (carries && !(vouches && (name === certificateHeader || name === chainName))) continue;
    headers.push([spelt, value]);
  }
  return headers;
}
