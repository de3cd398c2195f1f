import { country_code } from '@roniemartinez/iptocc';

/** Country (ISO 3166-1 alpha-2) that a canonical IP address was assigned to by a regional registry, or null. */
export type CountryLookup = (address: string) => string | null;

const COUNTRY = /^[A-Z]{2}$/;

/**
 * The packaged registry assignments; the owner of `@roniemartinez/iptocc`, whose data comes with the package and needs no
 * download. It says who holds a block, not where it is used, and knows neither private nor IPv4-mapped addresses.
 */
export const registryCountry: CountryLookup = (address) => {
  const code: unknown = country_code(address);
  return typeof code === 'string' && COUNTRY.test(code) ? code : null;
};
