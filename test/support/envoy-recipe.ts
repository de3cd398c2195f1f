import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild, waitUntil } from './child.ts';
import { PROJECT_ROOT } from './countersign.ts';
import { envoyBinary } from './envoy.ts';
import { withPlaces } from './gateways.ts';
import { fencedBlocks } from './markdown.ts';

/** A real Envoy with exactly the configuration of docs/gateways/envoy.md, but for ports and how long Countersign may take: machines that test are busy. */
export async function startEnvoyRecipe(
  ports: { readonly authz: number; readonly upstream: number },
  token: string,
): Promise<{ readonly port: number; stop(): Promise<unknown> }> {
  const page = fencedBlocks(readFileSync(join(PROJECT_ROOT, 'docs/gateways/envoy.md'), 'utf8'));
  const recipe = withPlaces(page.find(({ info }) => info === 'yaml')?.text ?? '', [
    ['port_value: 10000', 'port_value: 0'],
    ['port_value: 9191', `port_value: ${ports.authz}`],
    ['port_value: 8081', `port_value: ${ports.upstream}`],
    ['timeout: 0.2s', 'timeout: 5s'],
  ]);
  const directory = mkdtempSync(join(tmpdir(), 'countersign-mcp-envoy-'));
  writeFileSync(join(directory, 'envoy.yaml'), `admin: { address: { socket_address: { address: 127.0.0.1, port_value: 0 } } }\n${recipe}`);
  const adminFile = join(directory, 'admin');
  const child = startChild(
    envoyBinary(),
    [
      ...['-c', join(directory, 'envoy.yaml'), '--admin-address-path', adminFile],
      ...['--concurrency', '1', '--disable-hot-restart', '--log-level', 'warn'],
    ],
    { env: { COUNTERSIGN_PEP_TOKEN: token } },
  );
  void child.exited.then(() => rmSync(directory, { recursive: true, force: true }));
  let admin = '';
  await waitUntil('envoy', child, async () => {
    admin = `http://${readFileSync(adminFile, 'utf8').trim()}`;
    return (await fetch(`${admin}/ready`)).status === 200;
  });
  const port = /^front::127\.0\.0\.1:(\d+)/m.exec(await (await fetch(`${admin}/listeners`)).text())?.[1];
  if (port === undefined) throw new Error('Envoy has no listener');
  return { port: Number(port), stop: () => child.stop('SIGTERM', 5_000) };
}
