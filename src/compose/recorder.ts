import { randomUUID } from 'node:crypto';
import type { Config } from '../config/schema.ts';
import { CountersignError } from '../contract/errors.ts';
import { createHttpSink } from '../record/http-sink.ts';
import { createPseudonyms } from '../record/pseudonyms.ts';
import { createRecorder, type DecisionRecorder, type RecorderParts } from '../record/recorder.ts';
import { postLogs } from '../stores/log-post.ts';
import { readDocumentFile } from '../stores/read-file.ts';

const KEY_FORM = /^([0-9a-f]{2}){16,512}$/i;
const KEY_BYTES_MAX = 4096;

/**
 * The decision log with its sinks.
 * @throws CountersignError config_invalid where the file of the sink or the key of the hashes cannot be used
 */
export async function openRecorder(
  { decisions: { log } }: Config,
  version: string,
  base: Pick<RecorderParts, 'metrics' | 'logger'> & Required<Pick<RecorderParts, 'clock'>>,
): Promise<DecisionRecorder> {
  const { privacy, http } = log;
  const keepRefused = log.audit === 'required';
  const key = privacy.keyFile === null ? null : await readLogKey(privacy.keyFile);
  const labels = { ...log.labels, id: randomUUID(), app: 'countersign', version };
  return createRecorder(
    { ...log, labels },
    {
      ...base,
      pseudonymise: createPseudonyms({ ...privacy, key }),
      later: (work) => void setImmediate(work),
      http:
        http === null
          ? null
          : {
              format: http.format,
              open: (onError) =>
                createHttpSink(http, { post: postLogs, readFile: readDocumentFile, random: Math.random, onError, keepRefused }),
            },
    },
  );
}

/** The key of the hashes. @throws CountersignError config_invalid */
export async function readLogKey(path: string): Promise<Buffer> {
  const field = 'decisions.log.privacy.keyFile';
  let text: string;
  try {
    text = (await readDocumentFile(path, KEY_BYTES_MAX)).toString('utf8').trim();
  } catch (cause) {
    throw new CountersignError('config_invalid', { field, detail: 'the file cannot be read', cause });
  }
  if (!KEY_FORM.test(text)) throw new CountersignError('config_invalid', { field, detail: 'not hexadecimal of 128 bits at least' });
  return Buffer.from(text, 'hex');
}
