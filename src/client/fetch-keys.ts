import type { FetchKeys } from './key-set.ts';

/** Fetches over https, or http where the address says so; no redirect is followed, and nothing beyond the bound is read. */
export const fetchKeys: FetchKeys = async (url, { timeoutMs, bytesMax }) => {
  const response = await fetch(url, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new Error(`the key set was answered with ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    length += chunk.length;
    // leaving the loop cancels the stream
    if (length > bytesMax) throw new Error('the key set is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
};
