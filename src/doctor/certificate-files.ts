import type { Config } from '../config/schema.ts';
import type { CertificateFile } from './certificates.ts';

/** Every file of the configuration that holds certificates in PEM; those of SPIFFE bundles, which are JSON, where `spiffe` says so. */
export function certificateFiles(config: Config, { spiffe }: { readonly spiffe: boolean }): readonly CertificateFile[] {
  const files: CertificateFile[] = [];
  const add = (key: string, file: string | null, keyFile: string | null = null): void => {
    if (file !== null) files.push({ key, file, keyFile, bundle: keyFile === null });
  };
  for (const listener of ['http', 'grpc'] as const) {
    const { tls } = config[listener];
    add(`${listener}.tls.certFile`, tls?.certFile ?? null, tls?.keyFile ?? null);
    add(`${listener}.tls.clientCaFile`, tls?.clientCaFile ?? null);
  }
  const { http: collector } = config.decisions.log;
  for (const [key, { tls }] of [
    ['policy', config.policy] as const,
    ...Object.entries(config.policies).map(([name, one]) => [`policies.${name}`, one] as const),
    ...(collector === null ? [] : [['decisions.log.http', collector] as const]),
  ]) {
    add(`${key}.tls.certFile`, tls.certFile, tls.keyFile);
    add(`${key}.tls.caFile`, tls.caFile);
  }
  for (const { name, caFile } of config.sources) add(`sources.${name}.caFile`, caFile);
  for (const { name, file } of config.identity.certificates.trustBundles) {
    if (spiffe || !file.endsWith('.json')) add(`identity.certificates.trustBundles.${name}`, file);
  }
  return files;
}
