import type { Builtin, BuiltinTable } from './builtin.ts';
import { ofTexts } from './builtin.ts';

/* Semantic Versioning 2.0.0, with the `v` before it that OPA allows. */

type Version = { readonly numbers: readonly bigint[]; readonly preRelease: readonly string[] };

const FORM =
  /^v?(0|[1-9]\d{0,18})\.(0|[1-9]\d{0,18})\.(0|[1-9]\d{0,18})(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?$/;
const INT64_MAX = 2n ** 63n - 1n;

function parseVersion(text: string): Version | undefined {
  const found = FORM.exec(text);
  if (found === null) return undefined;
  const numbers = found.slice(1, 4).map(BigInt);
  const preRelease = found[4]?.split('.') ?? [];
  if (numbers.some((one) => one > INT64_MAX) || preRelease.some((one) => /^0\d+$/.test(one))) return undefined;
  return { numbers, preRelease };
}

function compareNumbers(one: bigint, other: bigint): number {
  return one === other ? 0 : one < other ? -1 : 1;
}

/** Numbers are below words; a row that ends first is below a longer one. */
function compareIdentifiers(one: string | undefined, other: string | undefined): number {
  if (one === undefined || other === undefined) return one === other ? 0 : one === undefined ? -1 : 1;
  const isNumber = /^\d+$/.test(one);
  if (isNumber !== /^\d+$/.test(other)) return isNumber ? -1 : 1;
  if (isNumber) return compareNumbers(BigInt(one), BigInt(other));
  return one === other ? 0 : one < other ? -1 : 1;
}

function compareVersions(one: Version, other: Version): number {
  for (const [index, number] of one.numbers.entries()) {
    const order = compareNumbers(number, other.numbers[index] ?? 0n);
    if (order !== 0) return order;
  }
  // a release is above its pre-releases
  if (one.preRelease.length === 0 || other.preRelease.length === 0) return Math.sign(other.preRelease.length - one.preRelease.length);
  for (let index = 0; index < Math.max(one.preRelease.length, other.preRelease.length); index++) {
    const order = compareIdentifiers(one.preRelease[index], other.preRelease[index]);
    if (order !== 0) return order;
  }
  return 0;
}

const isValid: Builtin = ([value]) => typeof value === 'string' && parseVersion(value) !== undefined;

export const SEMVER: BuiltinTable = {
  'semver.is_valid': isValid,
  'semver.compare': ofTexts(2, (one, other) => {
    const first = parseVersion(one);
    const second = parseVersion(other);
    return first === undefined || second === undefined ? undefined : compareVersions(first, second);
  }),
};
