import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseRevocations } from '../../src/registry/parse-revocations.ts';
import { problemTexts } from '../../src/registry/problem.ts';
import { createRevocationIndex } from '../../src/registry/revocation-index.ts';
import { PROJECT_ROOT } from '../support/countersign.ts';

const parse = (text: string, name = 'revocations.yaml') => parseRevocations([{ name, text }], { entriesMax: 100 });
const problems = (text: string) => problemTexts(parse(text).problems);
const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url');

function index(...entries: readonly object[]) {
  const { revocations, problems: found } = parse(JSON.stringify({ revocations: entries }));
  expect(problemTexts(found)).toEqual([]);
  const made = createRevocationIndex();
  for (const one of revocations) made.add(one);
  return made;
}

describe('revocations', () => {
  it('by client and by API key', () => {
    const made = index({ client: 'a', reason: 'left' }, { apiKey: 'A'.repeat(15) });
    expect([made.entries, made.client('a'), made.client('b'), made.apiKey('A'.repeat(15)), made.apiKey('a')]).toEqual([
      2,
      true,
      false,
      true,
      false,
    ]);
  });

  it('by jti, as it is or as its hash, of one issuer or of any', () => {
    const made = index({ jti: 'one' }, { jti: 'two', issuer: 'https://a' }, { jtiHash: sha256('three') });
    expect(made.token(sha256('one'), 'https://b')).toBe(true);
    expect([made.token(sha256('two'), 'https://a'), made.token(sha256('two'), 'https://b')]).toEqual([true, false]);
    expect([made.token(sha256('three'), ''), made.token('three', '')]).toEqual([true, false]);
  });

  it('by session', () => {
    const made = index({ sid: 's', issuer: 'https://a' });
    expect([made.session('s', 'https://a'), made.session('s', 'https://b'), made.session('t', 'https://a')]).toEqual([true, false, false]);
    expect(made.token('s', 'https://a')).toBe(false);
  });

  it('by certificate, however its hexadecimal digits are written', () => {
    const made = index({ certificateSha256: 'AB:'.repeat(32).slice(0, -1) }, { certificateSerial: '00:0A:1b' });
    expect(made.certificate({ sha256: 'ab'.repeat(32), serial: null })).toBe(true);
    expect(made.certificate({ sha256: null, serial: 'a1b' })).toBe(true);
    expect(made.certificate({ sha256: 'cd'.repeat(32), serial: '1' })).toBe(false);
    expect(made.certificate({ sha256: null, serial: null })).toBe(false);
  });

  it('by the time of issue: the latest of all that hold', () => {
    const at = (seconds: number) => new Date(seconds * 1000).toISOString();
    const made = index(
      { issuedBefore: at(100) },
      { issuedBefore: at(200), client: 'a' },
      { issuedBefore: at(300), client: 'a', issuer: 'https://x' },
      { issuedBefore: at(250), issuer: 'https://y' },
      { issuedBefore: at(150), issuer: 'https://y' },
    );
    const ofSubject = index({ issuedBefore: at(400), subject: 'alice' }, { issuedBefore: at(100) });
    expect(['alice', 'bob', null].map((subject) => ofSubject.issuedBefore('https://z', 'a', subject))).toEqual([400, 100, 100]);
    expect(made.issuedBefore('https://z', 'b')).toBe(100);
    expect(made.issuedBefore('https://z', null)).toBe(100);
    expect(made.issuedBefore('https://z', 'a')).toBe(200);
    expect(made.issuedBefore('https://x', 'a')).toBe(300);
    expect(made.issuedBefore('https://y', 'a')).toBe(250);
    // a client that is named is not revoked by that
    expect(made.client('a')).toBe(false);
    expect(index().issuedBefore('https://x', 'a')).toBeNull();
  });
});

const EMPTY = 'revocations.yaml: is empty: where nothing is revoked, `revocations.yaml` says `revocations: []`';

describe('a file of revocations', () => {
  it.each([
    ['', EMPTY],
    ['# nothing yet\n\n', EMPTY],
    ['---\n', EMPTY],
    ['---\r\n# nothing yet\r\n...\r\n', EMPTY],
    // the first line of a file that is being written
    ['revocations:\n', 'revocations.yaml:1: must be a list: `revocations: []` where there is none'],
    ['# those of May\nrevocations:\n  # - {client: a}\n', 'revocations.yaml:2: must be a list: `revocations: []` where there is none'],
    ['revocations:\n  - {}\n', 'revocations.yaml:2 revocations[0]: must have one of issuedBefore, client, apiKey'],
    ['revocations:\n  - {cleint: a}\n', 'revocations.yaml:2 revocations[0]: must have one of'],
    ['revocations:\n  - {client: a, jti: b}\n', 'revocations.yaml:2 revocations[0].jti: is not known here'],
    ['revocations:\n  - {client: a, issuedBfore: 2026-01-01}\n', 'revocations.yaml:2 revocations[0].issuedBfore: is not known here'],
    ['revocations:\n  - {certificateSerial: 12}\n', 'revocations.yaml:2 revocations[0].certificateSerial: Invalid input'],
    ['revocations:\n  - {certificateSha256: "12"}\n', 'revocations.yaml:2 revocations[0].certificateSha256: must be a SHA-256'],
    ['revocations:\n  - {apiKey: csk_x}\n', 'revocations.yaml:2 revocations[0].apiKey: must be the id of an API key'],
    ['revocations:\n  - {issuedBefore: yesterday}\n', 'revocations.yaml:2 revocations[0].issuedBefore: must be a time'],
    ['revocations:\n  - a\n', 'revocations.yaml:2 revocations[0]: must have one of'],
    ['clients:\n  - {client: a}\n', 'revocations.yaml:1: must be one of `revocations:`'],
  ])('%j is refused', (text, wanted) => {
    expect(problems(text)[0]?.startsWith(wanted), problems(text)[0]).toBe(true);
  });

  it('may be JSON Lines', () => {
    expect(parse('{"revocation":{"client":"a"}}\n{"revocation":{"sid":"s"}}\n', 'revocations.jsonl')).toMatchObject({
      revocations: [{ kind: 'client' }, { kind: 'sid' }],
      problems: [],
    });
  });

  it.each(['', '\n', ' \n\n'])('of JSON Lines without a line is one that is being written: %j', (text) => {
    expect(parse(text, 'revocations.jsonl').problems).toMatchObject([
      { file: 'revocations.jsonl', message: expect.stringContaining('is empty') },
    ]);
  });

  it('of nothing but blanks is judged in one pass', () => {
    expect(problems(`${' \t'.repeat(200_000)}x`)[0]).not.toContain('is empty');
  });

  it('of the example is sound', () => {
    const read = parse(readFileSync(join(PROJECT_ROOT, 'config/registry-example/revocations.yaml'), 'utf8'));
    expect([read.revocations.length, read.problems]).toEqual([7, []]);
  });
});
