// etcd, in which the API server of `npm run verify:cluster` keeps its objects: ETCD_BIN, else .tools/gateways/etcd-server, from Debian's packages.
import { findGateway } from './gateways.mjs';

/** Gets it as the gateways are got: unpacked, without root, and no service is started. */
export const findEtcd = () =>
  findGateway({
    name: 'etcd-server',
    variable: 'ETCD_BIN',
    binary: 'usr/bin/etcd',
    libraries: [],
    asks: ['--version'],
    says: /etcd Version: ([\d.]+)/,
  });
