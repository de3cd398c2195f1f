/*
 * OPA's `replace` never ends in Wasm where what it replaces is the empty text (1.22.2): it moves on by the length of that. Whoever may choose
 * the text could stop the process, so the function gets a first step that ends the evaluation there. The binary format is that of
 * https://webassembly.github.io/spec/core/binary/modules.html.
 */

import { CountersignError } from '../contract/errors.ts';

const GUARDED = 'opa_strings_replace';
/** `if (old is a string (type 4) and its length, four bytes behind, is 0) unreachable`; `old` is the second parameter. */
const STEP = Buffer.from('20012d00004104460440200128020445044000' + '0b0b', 'hex');
const SECTION = { custom: 0, import: 2, code: 10 } as const;
const NAMES_OF_FUNCTIONS = 1;
const HEADER_BYTES = 8;

/** Reads a binary from an offset on. A module that is malformed is left to the compiler to refuse. */
class Cursor {
  at: number;
  readonly bytes: Buffer;
  constructor(bytes: Buffer, at: number) {
    this.bytes = bytes;
    this.at = at;
  }

  /** LEB128. */
  number(): number {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = this.bytes.readUInt8(this.at++);
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
  }

  text(): string {
    const length = this.number();
    this.at += length;
    return this.bytes.toString('utf8', this.at - length, this.at);
  }
}

type Section = { readonly id: number; readonly start: number; readonly from: number; readonly end: number };

function sectionsOf(bytes: Buffer): readonly Section[] {
  const found: Section[] = [];
  for (const cursor = new Cursor(bytes, HEADER_BYTES); cursor.at < bytes.length; ) {
    const start = cursor.at;
    const id = bytes.readUInt8(cursor.at++);
    const size = cursor.number();
    found.push({ id, start, from: cursor.at, end: cursor.at + size });
    cursor.at += size;
    if (cursor.at > bytes.length) throw new RangeError('cut off');
  }
  return found;
}

/**
 * The module with the guard in it, or as it is where it has no such function. Only the names tell: `opa build` always writes them, and a module
 * that somebody stripped of them could hold the function unseen.
 * @throws CountersignError bundle_wasm_invalid where a module with code has no names of functions
 */
export function guardModule(module: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  try {
    const bytes = Buffer.from(module.buffer, module.byteOffset, module.byteLength);
    const sections = sectionsOf(bytes);
    const code = sections.find(({ id }) => id === SECTION.code);
    if (code === undefined) return module;
    const index = indexOfGuarded(bytes, sections);
    if (index === null) return module;
    return new Uint8Array(Buffer.concat([bytes.subarray(0, code.start), guardedCode(bytes, code, index), bytes.subarray(code.end)]));
  } catch (error) {
    // cut off: the compiler says so better
    if (error instanceof RangeError) return module;
    throw error;
  }
}

/** The place of the function among the bodies: its index without the imported ones. */
function indexOfGuarded(bytes: Buffer, sections: readonly Section[]): number | null {
  let named = false;
  for (const { id, from, end } of sections) {
    const cursor = new Cursor(bytes, from);
    if (id !== SECTION.custom || cursor.text() !== 'name') continue;
    while (cursor.at < end) {
      const kind = bytes.readUInt8(cursor.at++);
      const size = cursor.number();
      const next = cursor.at + size;
      if (kind === NAMES_OF_FUNCTIONS) named = true;
      for (let left = kind === NAMES_OF_FUNCTIONS ? cursor.number() : 0; left > 0; left--) {
        const index = cursor.number();
        if (cursor.text() === GUARDED) return index - importedFunctions(bytes, sections);
      }
      cursor.at = next;
    }
  }
  if (!named) throw new CountersignError('bundle_wasm_invalid', { detail: 'no name section, which opa build writes' });
  return null;
}

function importedFunctions(bytes: Buffer, sections: readonly Section[]): number {
  const section = sections.find(({ id }) => id === SECTION.import);
  if (section === undefined) return 0;
  const cursor = new Cursor(bytes, section.from);
  let functions = 0;
  for (let left = cursor.number(); left > 0; left--) {
    cursor.text();
    cursor.text();
    const kind = bytes.readUInt8(cursor.at++);
    if (kind === 0) {
      functions++;
      cursor.number();
    } else if (kind === 3) cursor.at += 2;
    else {
      // a table has its type before its limits
      if (kind === 1) cursor.at++;
      const hasMaximum = (cursor.number() & 1) === 1;
      cursor.number();
      if (hasMaximum) cursor.number();
    }
  }
  return functions;
}

function guardedCode(bytes: Buffer, { from }: Section, wanted: number): Buffer {
  const cursor = new Cursor(bytes, from);
  const count = cursor.number();
  const bodies: Buffer[] = [leb(count)];
  for (let index = 0; index < count; index++) {
    const start = cursor.at;
    const size = cursor.number();
    const body = cursor.at;
    cursor.at = body + size;
    if (index !== wanted) bodies.push(bytes.subarray(start, cursor.at));
    else bodies.push(leb(size + STEP.length), withStep(bytes, body, cursor.at));
  }
  const whole = Buffer.concat(bodies);
  return Buffer.concat([Buffer.of(SECTION.code), leb(whole.length), whole]);
}

/** The step comes behind the declarations of locals. */
function withStep(bytes: Buffer, from: number, end: number): Buffer {
  const cursor = new Cursor(bytes, from);
  for (let groups = cursor.number(); groups > 0; groups--) {
    cursor.number();
    cursor.at++;
  }
  return Buffer.concat([bytes.subarray(from, cursor.at), STEP, bytes.subarray(cursor.at, end)]);
}

function leb(value: number): Buffer {
  const made: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    made.push(rest < 0x80 ? rest : (rest & 0x7f) | 0x80);
    if (rest < 0x80) return Buffer.from(made);
  }
}
