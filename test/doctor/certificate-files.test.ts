import { expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { certificateFiles } from '../../src/doctor/certificate-files.ts';

const config = loadConfig({ env: { COUNTERSIGN_DECISIONS_LOG_HTTP_URL: 'https://logs.example/logs' } });
const { http, decisions, identity } = config;
const tls = { certFile: 'own.pem', keyFile: 'own.key', caFile: 'ca.pem' };
const whole = {
  ...config,
  http: { ...http, tls: { certFile: 'http.pem', keyFile: 'http.key', clientCaFile: 'clients.pem' } },
  decisions: { ...decisions, log: { ...decisions.log, http: decisions.log.http === null ? null : { ...decisions.log.http, tls } } },
  identity: {
    ...identity,
    certificates: {
      ...identity.certificates,
      trustBundles: [
        { name: 'pem', file: 'td.pem', trustDomain: null },
        { name: 'mesh', file: 'td.json', trustDomain: 'td' },
      ],
    },
  },
};

it('are those of listeners, of the collector of the decision log and of trust bundles, each with its key where it has one', () => {
  const keys = (spiffe: boolean) =>
    certificateFiles(whole, { spiffe }).map(({ key, file, keyFile, bundle }) => [key, file, keyFile, bundle]);
  const pem = [
    ['http.tls.certFile', 'http.pem', 'http.key', false],
    ['http.tls.clientCaFile', 'clients.pem', null, true],
    ['decisions.log.http.tls.certFile', 'own.pem', 'own.key', false],
    ['decisions.log.http.tls.caFile', 'ca.pem', null, true],
    ['identity.certificates.trustBundles.pem', 'td.pem', null, true],
  ];
  expect(keys(false)).toEqual(pem);
  expect(keys(true)).toEqual([...pem, ['identity.certificates.trustBundles.mesh', 'td.json', null, true]]);
  expect(certificateFiles(loadConfig({ env: {} }), { spiffe: true })).toEqual([]);
});
