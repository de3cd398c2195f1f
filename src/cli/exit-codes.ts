/* Exit codes as sysexits.h has them. */

export const EXIT_OK = 0;
/** Something was found that is not sound, or is not the same. */
export const EXIT_FINDINGS = 1;
/** Wrong arguments. */
export const EXIT_USAGE = 64;
/** What was handed in does not have the form. */
export const EXIT_DATA = 65;
/** What should have been there is not. */
export const EXIT_NO_INPUT = 66;
/** What is needed could not be had: a program, or an answer from another system. */
export const EXIT_UNAVAILABLE = 69;
/** The configuration is refused. */
export const EXIT_CONFIG = 78;
