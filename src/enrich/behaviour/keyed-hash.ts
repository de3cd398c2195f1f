/**
 * HalfSipHash-2-4 with 64 bits of output (Aumasson, Bernstein, https://github.com/veorq/SipHash) over UTF-16 code units, little-endian. The key
 * is this process's own: nobody outside can choose texts that fall on one hash, as could be done with a hash without a key.
 * The result stays in `high` and `low` until the next call, so that hashing makes no garbage.
 */
export class KeyedHash {
  readonly #key0: number;
  readonly #key1: number;
  high = 0;
  low = 0;

  /** @param key two random 32-bit numbers. */
  constructor(key: readonly [number, number]) {
    this.#key0 = key[0] | 0;
    this.#key1 = key[1] | 0;
  }

  /** Hashes a text after `kind`, a number that keeps texts of different kinds apart. */
  text(kind: string, text: string): void {
    this.#start();
    const length = kind.length + text.length;
    let pending = 0;
    for (let index = 0; index < length; index += 1) {
      const unit = index < kind.length ? kind.charCodeAt(index) : text.charCodeAt(index - kind.length);
      if ((index & 1) === 0) pending = unit;
      else this.#word(pending | (unit << 16));
    }
    this.#finish(((length * 2) << 24) | ((length & 1) === 0 ? 0 : pending));
  }

  /** Hashes a 32-bit number. */
  number(value: number): void {
    this.#start();
    this.#word(value | 0);
    this.#finish(4 << 24);
  }

  #v0 = 0;
  #v1 = 0;
  #v2 = 0;
  #v3 = 0;

  #start(): void {
    this.#v0 = this.#key0;
    this.#v1 = this.#key1 ^ 0xee;
    this.#v2 = 0x6c796765 ^ this.#key0;
    this.#v3 = 0x74656462 ^ this.#key1;
  }

  #word(word: number): void {
    this.#v3 ^= word;
    this.#rounds(2);
    this.#v0 ^= word;
  }

  #finish(last: number): void {
    this.#word(last);
    this.#v2 ^= 0xee;
    this.#rounds(4);
    this.low = (this.#v1 ^ this.#v3) >>> 0;
    this.#v1 ^= 0xdd;
    this.#rounds(4);
    this.high = (this.#v1 ^ this.#v3) >>> 0;
  }

  #rounds(count: number): void {
    let v0 = this.#v0;
    let v1 = this.#v1;
    let v2 = this.#v2;
    let v3 = this.#v3;
    for (let round = 0; round < count; round += 1) {
      v0 = (v0 + v1) | 0;
      v1 = (v1 << 5) | (v1 >>> 27);
      v1 ^= v0;
      v0 = (v0 << 16) | (v0 >>> 16);
      v2 = (v2 + v3) | 0;
      v3 = (v3 << 8) | (v3 >>> 24);
      v3 ^= v2;
      v0 = (v0 + v3) | 0;
      v3 = (v3 << 7) | (v3 >>> 25);
      v3 ^= v0;
      v2 = (v2 + v1) | 0;
      v1 = (v1 << 13) | (v1 >>> 19);
      v1 ^= v2;
      v2 = (v2 << 16) | (v2 >>> 16);
    }
    this.#v0 = v0;
    this.#v1 = v1;
    this.#v2 = v2;
    this.#v3 = v3;
  }
}
