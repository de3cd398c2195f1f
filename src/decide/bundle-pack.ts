import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { pack } from 'tar-stream';

/** What OPA wants to see before the rest. */
const FIRST = ['.manifest', '.signatures.json'];

/** A bundle of these files, in a fixed order and without times: the same files give the same bytes. */
export async function packBundle(files: ReadonlyMap<string, Uint8Array | string>): Promise<Uint8Array> {
  const rest = [...files.keys()].filter((path) => !FIRST.includes(path)).sort();
  const tar = pack();
  for (const path of [...FIRST.filter((one) => files.has(one)), ...rest]) {
    const content = files.get(path) ?? '';
    tar.entry({ name: `/${path}`, mtime: new Date(0), mode: 0o600 }, typeof content === 'string' ? content : Buffer.from(content));
  }
  tar.finalize();
  return promisify(gzip)(await buffer(tar));
}
