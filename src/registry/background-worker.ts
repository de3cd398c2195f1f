import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import type { BackgroundJob, ToMain } from './background.ts';
import { loadFiles } from './load-files.ts';

/* The thread that `background.ts` starts: reads, judges, and hands the entries over in portions, each once the last one was taken. */

const PORTION = 500;

async function run(port: MessagePort, job: BackgroundJob): Promise<void> {
  const tell = (message: ToMain): void => port.postMessage(message);
  const loaded = loadFiles(job.part, job.files, job.bounds);
  if (!loaded.ok) {
    tell({ kind: 'refused', code: loaded.code, problems: loaded.problems });
    return;
  }
  const { records, revocations } = loaded;
  const hand = async <T>(items: readonly T[], wrap: (portion: readonly T[]) => ToMain): Promise<void> => {
    for (let from = 0; from < items.length; from += PORTION) {
      tell(wrap(items.slice(from, from + PORTION)));
      await new Promise<void>((resolve) => port.once('message', () => resolve()));
    }
  };
  await hand(records?.clients ?? [], (clients) => ({ kind: 'clients', clients }));
  await hand(records?.apiKeys ?? [], (apiKeys) => ({ kind: 'apiKeys', apiKeys }));
  await hand(revocations?.revocations ?? [], (all) => ({ kind: 'revocations', revocations: all }));
  tell({ kind: 'done' });
}

if (parentPort !== null) await run(parentPort, workerData);
