import { isNode, LineCounter, parseAllDocuments } from 'yaml';
import { isJsonObject, type JsonObject } from '../../contract/json.ts';
import type { Finding } from '../finding.ts';
import type { Origin } from './catalogue.ts';

/** One document of a file of JSON or YAML, and where its parts are. */
export type SourceDocument = {
  readonly value: JsonObject;
  /** Where a path is written, or the longest part of it that is there. */
  readonly originOf: (...path: readonly (string | number)[]) => Origin;
};

/** The objects in a file of JSON or YAML (several, where `---` is between them), or what is wrong with it. */
export function readDocuments(
  file: string,
  text: string,
): { readonly documents: readonly SourceDocument[]; readonly problems: readonly Finding[] } {
  const lines = new LineCounter();
  // aliases are few in such documents; many of them are an attack on whoever reads it
  const parsed = parseAllDocuments(text, { lineCounter: lines, merge: true });
  const place = (at: number): Origin => {
    const { line, col } = lines.linePos(at);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const documents: SourceDocument[] = [];
  const problems: Finding[] = [];
  for (const document of Array.isArray(parsed) ? parsed : []) {
    for (const { pos, message } of document.errors)
      problems.push({ ...place(pos[0]), code: 'document_invalid', text: message.split('\n')[0] ?? message });
    if (document.errors.length > 0) continue;
    const value: unknown = readValue(document);
    if (value === null || value === undefined) continue;
    if (!isJsonObject(value)) problems.push({ ...place(0), code: 'document_invalid', text: 'it is no object' });
    else
      documents.push({
        value,
        originOf: (...path) => {
          for (let length = path.length; length > 0; length--) {
            const node = document.getIn(path.slice(0, length), true);
            if (isNode(node) && node.range) return place(node.range[0]);
          }
          return place(isNode(document.contents) && document.contents.range ? document.contents.range[0] : 0);
        },
      });
  }
  if (documents.length === 0 && problems.length === 0)
    problems.push({ file, line: 1, column: 1, code: 'document_invalid', text: 'nothing is in it' });
  return { documents, problems };
}

function readValue(document: { toJS(): unknown }): unknown {
  try {
    const value: unknown = document.toJS();
    return value;
  } catch {
    // too many aliases
    return 'aliases';
  }
}
