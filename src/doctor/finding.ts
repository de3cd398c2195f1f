import type { Finding } from '../contract/doctor.ts';

export const DAY_SECONDS = 86_400;

/** A finding that is well. */
export function fine(check: string, subject: string | null, message: string): Finding {
  return { check, subject, status: 'ok', message, remedy: null };
}

/** One that will not do for ever. */
export function warning(check: string, subject: string | null, message: string, remedy: string): Finding {
  return { check, subject, status: 'warning', message, remedy };
}

/** One that the service cannot work with. */
export function failed(check: string, subject: string | null, message: string, remedy: string): Finding {
  return { check, subject, status: 'failed', message, remedy };
}

/** Days, or less than one. */
export function daysText(seconds: number): string {
  const days = Math.floor(seconds / DAY_SECONDS);
  return days === 0 ? 'less than a day' : days === 1 ? '1 day' : `${days} days`;
}
