/**
 * Country codes of the European Union, ISO 3166-1 alpha-2, as of 2026-01-01 (the last change was the withdrawal of the United Kingdom on
 * 2020-01-31): the 27 members, and the territories with a code of their own in which the treaties apply (TFEU articles 349 and 355:
 * Guadeloupe, French Guiana, Martinique, Réunion, Mayotte, Saint Martin, Åland).
 */
const UNION: ReadonlySet<string> = new Set(
  (
    'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK ' + // members
    'AX GF GP MF MQ RE YT'
  ).split(' '),
);

/** True for a country of the European Union. */
export function isInUnion(country: string): boolean {
  return UNION.has(country);
}
