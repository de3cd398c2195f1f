import type { CheckList } from '../cli/lists.ts';
import type { GeoipTools } from '../contract/geoip.ts';
import type { Clock } from '../contract/stages.ts';
import { checkList } from '../enrich/lists/check-list.ts';
import { knownFields } from '../enrich/network-record.ts';
import { httpFetch } from '../stores/http-fetch.ts';
import { inspectMmdb } from '../stores/mmdb-inspect.ts';
import { installMmdb } from '../stores/mmdb-install.ts';
import { npmRegistry } from '../stores/npm-registry.ts';
import { readDocumentFile } from '../stores/read-file.ts';

/* What commands work with that need no running service. */

/** What `countersign geoip` works with: no service is needed for it. */
export function createGeoipTools(clock: Clock): GeoipTools {
  const deps = { now: () => clock.now(), fieldsOf: knownFields, fetch: httpFetch, npmRegistry };
  return { inspect: (file) => inspectMmdb(file, deps), update: (update) => installMmdb(update, deps) };
}

/** The longest list that the configuration can allow. */
const LIST_BYTES_MAX = 268_435_456;

/** What the service would make of a file with a list; for the command line. */
export const checkListFile: CheckList = async (file, options) => checkList(await readDocumentFile(file, LIST_BYTES_MAX), options);
