import { isJsonObject, type JsonObject } from '../../src/contract/json.ts';
import { at, containersOf } from './helm.ts';

/** Volumes that the profile `restricted` allows. */
const VOLUMES = ['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'image', 'persistentVolumeClaim', 'projected', 'secret'];
const HOST_NAMESPACES = ['hostNetwork', 'hostPID', 'hostIPC'];

/**
 * What in a pod the profile `restricted` of the Pod Security Standards would refuse, and what is ours beyond it: a read-only root, no token of
 * the API server, a user that is not root by number, bounds on memory. Empty where all is well.
 */
export function podProblems(pod: JsonObject): string[] {
  const problems: string[] = [];
  const shared = pod['securityContext'];
  for (const key of HOST_NAMESPACES) if (pod[key] === true) problems.push(`${key} is on`);
  if (pod['automountServiceAccountToken'] !== false) problems.push('a token of the API server is mounted');
  if (at(shared, 'sysctls') !== undefined) problems.push('sysctls are set');
  for (const volume of listOf(pod['volumes'])) {
    const kinds = Object.keys(volume).filter((key) => key !== 'name');
    if (kinds.length !== 1 || !VOLUMES.includes(kinds[0] ?? '')) problems.push(`volume ${volume['name']} is ${kinds.join()}`);
  }
  for (const container of containersOf(pod)) {
    problems.push(...containerProblems(container, shared).map((problem) => `${container['name']}: ${problem}`));
  }
  return problems;
}

function containerProblems(container: JsonObject, shared: unknown): string[] {
  const own = container['securityContext'];
  const either = (key: string): unknown => at(own, key) ?? at(shared, key);
  const found: [boolean, string][] = [
    [at(own, 'privileged') === true, 'is privileged'],
    [at(own, 'allowPrivilegeEscalation') !== false, 'may gain privileges'],
    [at(own, 'readOnlyRootFilesystem') !== true, 'may write its root'],
    [JSON.stringify(at(own, 'capabilities', 'drop')) !== '["ALL"]', 'keeps capabilities'],
    [listOfTexts(at(own, 'capabilities', 'add')).some((name) => name !== 'NET_BIND_SERVICE'), 'adds capabilities'],
    [at(own, 'procMount') !== undefined && at(own, 'procMount') !== 'Default', 'has an unmasked /proc'],
    [either('runAsNonRoot') !== true, 'may be root'],
    [!(Number(either('runAsUser')) > 0), 'has no user but root'],
    [!['RuntimeDefault', 'Localhost'].includes(String(at(either('seccompProfile'), 'type'))), 'has no seccomp profile'],
    [at(either('seLinuxOptions'), 'user') !== undefined, 'sets a user of SELinux'],
    [at(either('appArmorProfile'), 'type') === 'Unconfined', 'has no AppArmor profile'],
    [listOf(container['ports']).some((port) => port['hostPort'] !== undefined), 'takes a port of the host'],
    [at(container, 'resources', 'limits', 'memory') === undefined, 'has no bound on memory'],
  ];
  return found.flatMap(([wrong, text]) => (wrong ? [text] : []));
}

function listOf(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function listOfTexts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
