// What applications import of the build: the examples of the documentation are types that fit, and every export loads.
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../project.mjs';
import { run, Stop } from '../run.mjs';

const OPTIONS = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2024', '--types', 'node'];

/** @returns {Promise<number>} how many exports there are */
export async function checkPackage() {
  const folder = await mkdtemp(join(tmpdir(), 'countersign-package-'));
  try {
    await mkdir(join(folder, 'node_modules', '@types'), { recursive: true });
    await symlink(ROOT, join(folder, 'node_modules', 'countersign'));
    for (const name of ['express', '@types/express', '@types/node'])
      await symlink(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name));
    await writeFile(join(folder, 'package.json'), '{"type": "module"}');
    const page = await readFile(join(ROOT, 'docs/applications.md'), 'utf8');
    const examples = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, text = '']) => text);
    const files = await Promise.all(
      examples.map(async (text, index) => {
        await writeFile(join(folder, `example-${index}.ts`), text);
        return `example-${index}.ts`;
      }),
    );
    const typed = await run('tsc', [...OPTIONS, ...files], { cwd: folder });
    if (!typed.ok) throw new Stop(`The types of the package do not fit the examples of docs/applications.md:\n${typed.stdout}`);
    const { exports } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    const names = Object.keys(exports).filter((name) => !name.endsWith('.json'));
    await writeFile(join(folder, 'load.js'), names.map((name) => `import ${JSON.stringify(name.replace('.', 'countersign'))};\n`).join(''));
    const loaded = await run('node', ['load.js'], { cwd: folder });
    if (!loaded.ok) throw new Stop(`An export of the package does not load:\n${loaded.stderr}`);
    return names.length;
  } finally {
    await rm(folder, { recursive: true });
  }
}
