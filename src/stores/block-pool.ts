/** Bytes of one block: 32 hashes of 64 bits, or 256 registers. */
export const BLOCK_BYTES = 256;
const BLOCK_WORDS = BLOCK_BYTES / 4;
const CHUNK_BLOCKS = 1024;

/** Number of no block. */
export const NO_BLOCK = 0;

/** One block as it lies in memory: words from `word`, bytes from `byte`, of the same bytes. */
export type Block = { words: Uint32Array; word: number; bytes: Uint8Array; byte: number };

type Chunk = { readonly words: Uint32Array; readonly bytes: Uint8Array };

/** Blocks of 256 bytes, bounded, in pieces of 256 kB that are made when they are first needed and kept. */
export class BlockPool {
  readonly #blocksMax: number;
  readonly #chunks: Chunk[] = [];
  readonly #free: number[] = [];
  #used = 0;

  constructor(blocksMax: number) {
    this.#blocksMax = blocksMax;
  }

  /** Blocks that are in use. */
  get size(): number {
    return this.#used - this.#free.length;
  }

  /** Blocks that can be taken. */
  get left(): number {
    return this.#blocksMax - this.size;
  }

  /** A block of zeros, by a number from 1 up, or `NO_BLOCK` where all are in use. */
  take(): number {
    const freed = this.#free.pop();
    if (freed !== undefined) {
      const { words } = this.#chunkOf(freed);
      const word = ((freed - 1) % CHUNK_BLOCKS) * BLOCK_WORDS;
      words.fill(0, word, word + BLOCK_WORDS);
      return freed;
    }
    if (this.#used >= this.#blocksMax) return NO_BLOCK;
    this.#used += 1;
    return this.#used;
  }

  /** Gives a block back; `NO_BLOCK` is none. */
  release(block: number): void {
    if (block !== NO_BLOCK) this.#free.push(block);
  }

  /** Points `into` at the block. */
  open(block: number, into: Block): Block {
    const chunk = this.#chunkOf(block);
    const place = (block - 1) % CHUNK_BLOCKS;
    into.words = chunk.words;
    into.word = place * BLOCK_WORDS;
    into.bytes = chunk.bytes;
    into.byte = place * BLOCK_BYTES;
    return into;
  }

  #chunkOf(block: number): Chunk {
    const index = Math.floor((block - 1) / CHUNK_BLOCKS);
    for (;;) {
      const chunk = this.#chunks[index];
      if (chunk !== undefined) return chunk;
      const buffer = new ArrayBuffer(CHUNK_BLOCKS * BLOCK_BYTES);
      this.#chunks.push({ words: new Uint32Array(buffer), bytes: new Uint8Array(buffer) });
    }
  }
}

/** A pointer to be opened at blocks, one for all of them. */
export function createBlock(): Block {
  return { words: new Uint32Array(0), word: 0, bytes: new Uint8Array(0), byte: 0 };
}
