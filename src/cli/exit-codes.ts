/* Exit codes as sysexits.h has them. */

export const EXIT_OK = 0;
/** Wrong arguments. */
export const EXIT_USAGE = 64;
/** What was handed in does not have the form. */
export const EXIT_DATA = 65;
/** What should have been there is not. */
export const EXIT_NO_INPUT = 66;
/** The configuration is refused. */
export const EXIT_CONFIG = 78;
