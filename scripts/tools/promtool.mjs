// promtool, which parses the alerts and the expressions of the dashboard: PROMTOOL_BIN, else .tools/gateways/prometheus, from Debian's packages.
import { findGateway } from './gateways.mjs';

/** Gets it as the gateways are got: unpacked, without root. */
export const findPromtool = () =>
  findGateway({
    name: 'prometheus',
    variable: 'PROMTOOL_BIN',
    binary: 'usr/bin/promtool',
    libraries: [],
    asks: ['--version'],
    says: /promtool, version ([\d.]+)/,
  });
