import { spawn } from 'node:child_process';
import { KUBERNETES_VERSIONS } from '../../scripts/tools/kubernetes-validate.mjs';
import type { JsonObject } from '../../src/contract/json.ts';

/** Reads `[[version…], [object…]]` and prints a line a problem; schemas are read once, since one file has all definitions. */
const PROGRAM = `
import functools, json, sys
import kubernetes_validate.utils as utils
utils.schema_contents = functools.lru_cache(maxsize=None)(utils.schema_contents)
versions, objects = json.load(sys.stdin)
for version in versions:
    for one in objects:
        name = version + ' ' + one.get('kind', '?') + '/' + one.get('metadata', {}).get('name', '?')
        try:
            used = utils.validate(one, version, strict=True)
            if used != version: print(name + ': held against ' + used)
        except utils.SchemaNotFoundError: print(name + ': is of no known kind')
        except utils.ValidationError as error: print(name + ': ' + '.'.join(map(str, error.path)) + ': ' + error.message[:300])
print('done ' + str(len(versions) * len(objects)))
`;

/**
 * Holds objects against the JSON Schemas of Kubernetes, in which unknown fields are refused, for each version that the tools have. Resolves with
 * a line for each problem, and with how many comparisons were made.
 */
export function validateObjects(
  objects: readonly JsonObject[],
): Promise<{ readonly problems: readonly string[]; readonly compared: number }> {
  const folder = process.env['KUBERNETES_VALIDATE'] ?? '';
  if (folder === '') throw new Error('KUBERNETES_VALIDATE is not set: `npm run verify` gets the schemas into .tools/kubernetes-validate');
  return new Promise((resolve, reject) => {
    const child = spawn('python3', ['-c', PROGRAM], { env: { ...process.env, PYTHONPATH: folder }, stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', () => {
      const lines = out.trimEnd().split('\n');
      const compared = /^done (\d+)$/.exec(lines.pop() ?? '')?.[1];
      if (compared === undefined) reject(new Error(`the validator broke off\n${err}`));
      else resolve({ problems: lines, compared: Number(compared) });
    });
    child.stdin.end(JSON.stringify([KUBERNETES_VERSIONS, objects]));
  });
}
