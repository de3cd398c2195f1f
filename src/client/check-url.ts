const LOOPBACK = /^(localhost|\[::1\]|127\.\d+\.\d+\.\d+)$/;

/**
 * A URL of Countersign: https, or http to this machine, where no network lies between.
 * @throws TypeError where it is none of these
 */
export function checkUrl(text: string, insecureAllowed: boolean): URL {
  const url = new URL(text);
  const plain = url.protocol === 'http:';
  if (!plain && url.protocol !== 'https:') throw new TypeError('the URL of Countersign must be http or https');
  if (plain && !insecureAllowed && !LOOPBACK.test(url.hostname)) {
    throw new TypeError('the URL of Countersign must be https, or http to loopback, or `allowInsecureHttp: true` must be said');
  }
  return url;
}
