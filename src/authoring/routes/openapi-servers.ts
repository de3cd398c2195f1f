import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';

/** Where a path is served: the hosts that share one base path; no host means any. */
export type Server = { readonly base: string; readonly hosts: readonly string[] };

const HOST = /^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*$/;

/** The servers of an operation by base path; without one, or where it cannot be read, the root of any host. */
export function serversOf(servers: JsonValue | undefined): readonly Server[] {
  const listed = (Array.isArray(servers) ? servers : []).filter(isJsonObject);
  const byBase = new Map<string, Set<string> | null>();
  for (const server of listed) {
    const { base, host } = read(server);
    const known = byBase.get(base);
    // a relative address is of any host, and so is its base path from then on
    if (host === null || known === null) byBase.set(base, null);
    else byBase.set(base, new Set([...(known ?? []), host]));
  }
  if (byBase.size === 0) return [{ base: '', hosts: [] }];
  return [...byBase].map(([base, hosts]) => ({ base, hosts: hosts === null ? [] : [...hosts] }));
}

function read(server: JsonObject): { readonly base: string; readonly host: string | null } {
  const variables = isJsonObject(server['variables']) ? server['variables'] : {};
  const text = String(server['url'] ?? '/').replace(/\{([^}]+)\}/g, (_whole, name: string) => {
    const variable = variables[name];
    return isJsonObject(variable) && typeof variable['default'] === 'string' ? variable['default'] : `{${name}}`;
  });
  const absolute = /^(?:[a-z][a-z0-9+.-]*:)?\/\/([^/?#]*)([^?#]*)/i.exec(text);
  const host = absolute === null ? null : (absolute[1] ?? '').replace(/^.*@/, '').replace(/:\d+$/, '').toLowerCase();
  const path = absolute === null ? text.replace(/[?#].*$/, '') : (absolute[2] ?? '');
  const base = path.replace(/^\.\//, '/').replace(/\/+$/, '');
  return { base: base === '' || base.startsWith('/') ? base : `/${base}`, host: host !== null && HOST.test(host) ? host : null };
}

/**
 * The path of a catalogue for a path template: parameters get names of letters, digits and `_`, each once; a segment that is a parameter in part
 * becomes one as a whole. Null where the template is no path.
 */
export function pathOf(base: string, template: string): { readonly path: string; readonly widened: boolean } | null {
  if (!template.startsWith('/') || /[?#]|\/\/./.test(base + template)) return null;
  const names = new Set<string>();
  let widened = false;
  const segments = `${base}${template}`
    .slice(1)
    .split('/')
    .map((segment) => {
      if (!/[{}*]/.test(segment)) return segment;
      const whole = /^\{([^{}]+)\}$/.exec(segment);
      if (whole === null) widened = true;
      return `{${unused((whole?.[1] ?? segment).replace(/[^A-Za-z0-9_]+/g, '_'), names)}}`;
    });
  return { path: `/${segments.join('/')}`, widened };
}

function unused(text: string, names: Set<string>): string {
  const trimmed = text.replace(/^_+|_+$/g, '');
  const first = /^[A-Za-z_]/.test(trimmed) ? trimmed : `p_${trimmed}`;
  let name = first;
  for (let count = 2; names.has(name); count++) name = `${first}_${count}`;
  names.add(name);
  return name;
}
