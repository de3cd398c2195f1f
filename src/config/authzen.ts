import { z } from 'zod';
import { httpUrl, isSafeUrl } from './forms.ts';

/** The base that gateways reach this service by; it is the PDP's id of AuthZEN, so it has one spelling. */
export const publicUrl = httpUrl
  .refine(isSafeUrl, 'must be https, or http to loopback')
  .refine((value) => !URL.canParse(value) || isBase(new URL(value), value), 'must be written as a URL without query and trailing slash')
  .nullable()
  .default(null)
  .describe(
    'URL under which gateways reach this service: the id of the PDP in AuthZEN metadata, which is answered only where it is set. Its host counts among `http.publicHosts`.',
  );

/** The canonical spelling: lower-case host, no default port, no dot segments. */
function isBase({ origin, pathname, search }: URL, value: string): boolean {
  const path = pathname === '/' ? '' : pathname;
  return search === '' && !path.endsWith('/') && !path.includes('//') && value === `${origin}${path}`;
}

/** The AuthZEN endpoints. */
export const authzen = z
  .strictObject({
    evaluationsMax: z
      .int()
      .min(1)
      .max(1000)
      .default(100)
      .describe('Most evaluations of one batch; more are refused with 400. Each costs as much as a request of its own.'),
  })
  .prefault({})
  .describe('AuthZEN Authorization API.');
