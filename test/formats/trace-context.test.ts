import { expect, test } from 'vitest';
import { parseTraceparent, readTracestate, traceFlags, traceparentText } from '../../src/formats/trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

test.each([
  ['of the specification, sampled', `00-${TRACE}-${SPAN}-01`, { sampled: true, random: false }],
  ['not sampled', `00-${TRACE}-${SPAN}-00`, { sampled: false, random: false }],
  ['with flags that are not known', `00-${TRACE}-${SPAN}-fd`, { sampled: true, random: false }],
  ['with the random flag', `00-${TRACE}-${SPAN}-02`, { sampled: false, random: true }],
  ['of a later version', `cc-${TRACE}-${SPAN}-03`, { sampled: true, random: false }],
  ['of a later version that says more', `01-${TRACE}-${SPAN}-01-what-the-future-will-be-like`, { sampled: true, random: false }],
])('a traceparent %s', (_name, line, flags) => {
  expect(parseTraceparent(line)).toEqual({ traceId: TRACE, parentId: SPAN, ...flags });
});

test.each([
  ['empty', ''],
  ['of version ff', `ff-${TRACE}-${SPAN}-01`],
  ['of version 00 with more', `00-${TRACE}-${SPAN}-01-more`],
  ['of version 00 with a dash', `00-${TRACE}-${SPAN}-01-`],
  ['of a later version with more that is not apart', `01-${TRACE}-${SPAN}-01.more`],
  ['in upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ['with an upper case version', `CC-${TRACE}-${SPAN}-01`],
  ['without a trace', `00-${'0'.repeat(32)}-${SPAN}-01`],
  ['without a span', `00-${TRACE}-${'0'.repeat(16)}-01`],
  ['with a short trace id', `00-${TRACE.slice(1)}-${SPAN}-01`],
  ['with a long span id', `00-${TRACE}-${SPAN}0-01`],
  ['with no hexadecimal digits', `00-${TRACE.replace('4', '.')}-${SPAN}-01`],
  ['with flags of one digit', `00-${TRACE}-${SPAN}-1`],
  ['without flags', `00-${TRACE}-${SPAN}`],
  ['with a blank before it', ` 00-${TRACE}-${SPAN}-01`],
  ['with a line end', `00-${TRACE}-${SPAN}-01\n`],
  ['twice', `00-${TRACE}-${SPAN}-01,00-${TRACE}-${SPAN}-01`],
])('a traceparent %s is ignored', (_name, line) => {
  expect(parseTraceparent(line)).toBeNull();
});

test('what is written can be read', () => {
  const line = traceparentText(TRACE, SPAN, traceFlags({ sampled: true, random: true }));
  expect(line).toBe(`00-${TRACE}-${SPAN}-03`);
  expect(parseTraceparent(line)).toEqual({ traceId: TRACE, parentId: SPAN, sampled: true, random: true });
});

const members = (count: number, size = 1): string => Array.from({ length: count }, (_, at) => `k${at}=${'v'.repeat(size)}`).join(',');

test.each([
  ['nothing', '', ''],
  ['one member', 'rojo=00f067aa0ba902b7', 'rojo=00f067aa0ba902b7'],
  ['blanks around members', 'rojo=1 ,\tcongo=2', 'rojo=1,congo=2'],
  ['empty members', 'rojo=1,,congo=2,', 'rojo=1,congo=2'],
  ['a tenant', 'fw529a3039@dt=FfCu9', 'fw529a3039@dt=FfCu9'],
  ['a key that begins with a digit', '0a=1', '0a=1'],
  ['all that a key may have', 'a_-*/0=1', 'a_-*/0=1'],
  ['a value with a blank', 'a=b c', 'a=b c'],
  ['the longest key', `${'k'.repeat(256)}=1`, `${'k'.repeat(256)}=1`],
  ['32 members', members(32), members(32)],
])('a tracestate of %s', (_name, line, handedOn) => {
  expect(readTracestate(line)).toBe(handedOn);
});

test.each([
  ['33 members', members(33)],
  ['a key twice', 'a=1,b=2,a=3'],
  ['no value', 'a='],
  ['no key', '=1'],
  ['no equals sign', 'a'],
  ['two equals signs', 'a=b=c'],
  ['an upper case key', 'A=1'],
  ['a blank before the equals sign', 'a =1'],
  ['a key that is too long', `${'k'.repeat(257)}=1`],
  ['a value that is too long', `a=${'v'.repeat(257)}`],
  ['a character that is none', 'a=é'],
])('a tracestate with %s is dropped', (_name, line) => {
  expect(readTracestate(line)).toBe('');
});

test('a long tracestate loses its long members first, and then its last', () => {
  const long = `long=${'x'.repeat(200)}`;
  expect(readTracestate(`a=1,${long},${members(8, 50)}`)).toBe(`a=1,${members(8, 50)}`);
  const cut = readTracestate(members(20, 60));
  expect(cut.length).toBeLessThanOrEqual(512);
  expect(members(20, 60).startsWith(`${cut},`)).toBe(true);
});
