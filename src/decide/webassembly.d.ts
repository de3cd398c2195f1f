/*
 * The part of the WebAssembly JavaScript interface that we use. TypeScript has it in its DOM library only,
 * which would bring every browser name with it.
 */
declare namespace WebAssembly {
  type Exports = Readonly<Record<string, unknown>>;
  /** A compiled module; opaque. */
  class Module {
    constructor(bytes: BufferSource);
    static exports(module: Module): readonly { readonly name: string; readonly kind: string }[];
  }
  class Instance {
    constructor(module: Module, imports?: Readonly<Record<string, Readonly<Record<string, unknown>>>>);
    readonly exports: Exports;
  }
  /** In pages of 64 KiB. */
  type MemoryDescriptor = { initial: number; maximum?: number };
  class Memory {
    constructor(descriptor: MemoryDescriptor);
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  }
  function compile(bytes: BufferSource): Promise<Module>;
}
