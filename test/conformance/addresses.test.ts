import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { findClientAddress } from '../../src/enrich/client-address.ts';
import { chainEntries, parseForwarded, parseNode } from '../../src/enrich/forwarded.ts';
import {
  blockContains,
  blockText,
  isPrivateRange,
  parseAddressOrBlock,
  parseIpAddress,
  parseIpBlock,
  rangeOf,
} from '../../src/enrich/ip-address.ts';
import { refusedOnPurpose } from '../support/refused.ts';
import { vectorCases } from '../support/vectors.ts';

/*
 * Every file of the topic `ip` but one: client-ip-single-header is about one header such as X-Real-IP that is believed as it is,
 * and Countersign has no such setting. client-ip-rightmost-non-private walks over private addresses, which here has to be said by
 * naming them in `trustedProxies`: its cases are run that way.
 */
const Headers = z.record(z.string(), z.array(z.string()));

/** Addresses are compared without zones, which have no meaning from the network, and in their canonical text. */
function withoutZone(text: string): string {
  const plain = text.replace(/%.*$/, '');
  return parseIpAddress(plain)?.text ?? plain;
}

describe('parse-address', () => {
  const Case = z.object({
    id: z.string(),
    input: z.string(),
    valid: z.union([z.boolean(), z.literal('zone')]),
    canonical: z.string().optional(),
  });
  for (const { id, input, valid, canonical } of vectorCases('ip', 'parse-address.json', Case)) {
    test(id, () => {
      expect(parseIpAddress(input)?.text ?? null).toBe(valid === true ? canonical : null);
      // in a chain the zone is dropped instead
      if (valid === 'zone' && canonical !== '::') expect(parseNode(input)?.text).toBe(canonical);
    });
  }
});

describe('parse-cidr', () => {
  const Case = z.object({
    id: z.string(),
    input: z.string(),
    valid: z.union([z.boolean(), z.literal('policy')]),
    network: z.string().optional(),
  });
  for (const { id, input, valid, network } of vectorCases('ip', 'parse-cidr.json', Case)) {
    test(id, () => {
      const block = parseIpBlock(input);
      // our choice where implementations differ: a zone in a block is refused
      expect(block === null ? null : blockText(block)).toBe(valid === true ? network : null);
    });
  }
});

describe('cidr-contains', () => {
  const Case = z.object({ id: z.string(), address: z.string(), cidr: z.string(), contains: z.boolean() });
  for (const { id, address, cidr, contains } of vectorCases('ip', 'cidr-contains.json', Case)) {
    test(id, () => {
      const [block, found] = [parseIpBlock(cidr), parseIpAddress(address)];
      // our choice: a zone in a block is refused
      if (cidr.includes('%')) expect(block).toBeNull();
      else expect(block !== null && found !== null && blockContains(block, found)).toBe(contains);
    });
  }
});

describe('special-ranges', () => {
  const Case = z.object({ id: z.string(), input: z.string(), range: z.string(), global_unicast: z.boolean() });
  const PRIVATE = ['private', 'loopback', 'linkLocal', 'uniqueLocal', 'carrierGradeNat'];
  for (const { id, input, range, global_unicast } of vectorCases('ip', 'special-ranges.json', Case)) {
    test(id, () => {
      const found = parseIpAddress(withoutZone(input)) ?? expect.fail(input);
      // an IPv4-mapped address is its IPv4 self here, and classified as that
      const wanted = range === 'ipv4Mapped' ? 'private' : range;
      expect(rangeOf(found)).toBe(wanted);
      expect(rangeOf(found) === 'unicast').toBe(global_unicast);
      expect(isPrivateRange(rangeOf(found))).toBe(PRIVATE.includes(wanted));
    });
  }
});

describe('forwarded-rfc7239', () => {
  const Case = z.object({ id: z.string(), header: z.array(z.string()), nodes: z.array(z.record(z.string(), z.string())) });
  for (const { id, header, nodes } of vectorCases('ip', 'forwarded-rfc7239.json', Case)) {
    test(id, () => {
      const elements = header.flatMap((line) => parseForwarded(line) ?? expect.fail(line));
      expect(elements.map((element) => Object.fromEntries(element))).toEqual(nodes);
    });
  }
});

describe('client-ip-forwarded-item', () => {
  const Case = z.object({ id: z.string(), fwd: z.string(), want: z.string().nullable() });
  // refused where the other library is lenient: white space after the equals sign is no RFC 7239
  const REFUSED = new Set(['RFC deviation: Incorrect whitespace']);
  for (const { id, fwd, want } of vectorCases('ip', 'client-ip-forwarded-item.json', Case)) {
    test(id, () => {
      const [entry] = chainEntries([fwd], 'forwarded');
      const found = entry === undefined ? null : parseNode(entry);
      expect(found?.text ?? null).toBe(want === null || REFUSED.has(id) ? null : withoutZone(want));
    });
  }
});

describe('client-ip-remote-addr', () => {
  const Case = z.object({ id: z.string(), remoteAddr: z.string(), want: z.string() });
  for (const { id, remoteAddr, want } of vectorCases('ip', 'client-ip-remote-addr.json', Case)) {
    test(id, () => {
      expect(find({ ip: remoteAddr, lines: [], header: 'x-forwarded-for', hops: null, trusted: [] })).toBe(withoutZone(want));
    });
  }
});

type Search = {
  ip: string | null;
  lines: readonly string[];
  header: string;
  hops: number | null;
  trusted: readonly string[];
  allTrusted?: boolean;
};

/** The address as text, '' where there is none, and where all were trusted (those libraries then give none; ours flags it). */
function find({ ip, lines, header, hops, trusted }: Search): string {
  const proxies = trusted.map((text) => parseAddressOrBlock(text) ?? expect.fail(text));
  // those libraries walk a list without a peer; ours does where the configuration says that a proxy of its own wrote the last entry
  const found = findClientAddress({ ip, port: null, forwardedFor: lines }, { header, appendsPeer: ip === null, hops }, proxies);
  return found.address === null || found.flags.includes('address_all_trusted') ? '' : found.address.text;
}

function linesOf(headers: z.infer<typeof Headers>, name: string): readonly string[] {
  return Object.entries(headers).find(([own]) => own.toLowerCase() === name)?.[1] ?? [];
}

const WalkCase = z.object({
  id: z.string(),
  headerName: z.string(),
  headers: Headers,
  remoteAddr: z.string().optional(),
  trustedRanges: z.array(z.string()).optional(),
  trustedCount: z.number().optional(),
  config_error: z.boolean().optional(),
  want: z.string().nullable(),
});

describe('client-ip-rightmost-trusted-range', () => {
  // a peer that a gateway names and that cannot be read is refused here instead of being skipped: `address_invalid`
  const STRICTER = new Set([
    'Peer Unix socket: walks header as normal',
    'Peer garbage: walks header as normal',
    'Peer unspecified IP: walks header as normal',
  ]);
  const cases = vectorCases('ip', 'client-ip-rightmost-trusted-range.json', WalkCase);
  // which header names are allowed is the configuration's matter
  for (const { id, headerName, headers, remoteAddr, trustedRanges = [], want } of cases.filter((one) => one.config_error !== true)) {
    test(id, () => {
      const header = headerName.toLowerCase();
      const ip = remoteAddr === undefined || remoteAddr === '' ? null : remoteAddr;
      const lines = linesOf(headers, header);
      if (STRICTER.has(id)) refusedOnPurpose();
      expect(find({ ip, lines, header, hops: null, trusted: trustedRanges })).toBe(STRICTER.has(id) ? '' : withoutZone(want ?? ''));
      // without the peer, as the endpoints hand on a Unix socket, the header is walked with `appendsPeer`
      if (STRICTER.has(id)) expect(find({ ip: null, lines, header, hops: null, trusted: trustedRanges })).toBe(want);
    });
  }
});

describe('client-ip-rightmost-trusted-count', () => {
  const cases = vectorCases('ip', 'client-ip-rightmost-trusted-count.json', WalkCase);
  for (const { id, headerName, headers, trustedCount = 0, want } of cases.filter((one) => one.config_error !== true)) {
    test(id, () => {
      const header = headerName.toLowerCase();
      const lines = linesOf(headers, header);
      // that library counts the header's entries only, so its count less one is our number of hops without a peer
      expect(find({ ip: null, lines, header, hops: trustedCount - 1, trusted: [] })).toBe(want);
    });
  }
});

describe('client-ip-rightmost-non-private', () => {
  const PRIVATE = ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '127.0.0.0/8', '169.254.0.0/16', '::1/128', 'fc00::/7', 'fe80::/10'];
  // that strategy passes over entries that do not parse; here they stop the walk, as in the trusted-range strategy
  const SKIPPING = new Set(['XFF: rightmost not desirable', 'Forwarded: rightmost not desirable']);
  const cases = vectorCases('ip', 'client-ip-rightmost-non-private.json', WalkCase);
  for (const { id, headerName, headers, want } of cases.filter((one) => one.config_error !== true)) {
    test(id, () => {
      const header = headerName.toLowerCase();
      const found = find({ ip: null, lines: linesOf(headers, header), header, hops: null, trusted: PRIVATE });
      if (SKIPPING.has(id)) refusedOnPurpose();
      expect(found).toBe(SKIPPING.has(id) ? '' : withoutZone(want ?? ''));
    });
  }
});

describe('envoy-xff-examples', () => {
  const Case = z.object({
    id: z.string(),
    use_remote_address: z.boolean(),
    xff_num_trusted_hops: z.number(),
    downstream: z.string(),
    xff: z.string().nullable(),
    trusted_client_address: z.string(),
  });
  for (const { id, use_remote_address, xff_num_trusted_hops, downstream, xff, trusted_client_address } of vectorCases(
    'ip',
    'envoy-xff-examples.json',
    Case,
  )) {
    // without use_remote_address Envoy does not count its own peer, so our number of hops is one more
    const hops = use_remote_address ? xff_num_trusted_hops : xff_num_trusted_hops + 1;
    const lines = xff === null ? [] : [xff];

    test(`${id}: as the header came to Envoy`, () => {
      expect(find({ ip: downstream, lines, header: 'x-forwarded-for', hops, trusted: [] })).toBe(trusted_client_address);
    });

    if (!use_remote_address) continue;
    test(`${id}: as ext_authz sees it, the peer appended`, () => {
      const source = { ip: downstream, port: null, forwardedFor: [...lines, downstream] };
      const found = findClientAddress(source, { header: 'x-forwarded-for', appendsPeer: true, hops }, []);
      expect(found.address?.text).toBe(trusted_client_address);
    });
  }
});
