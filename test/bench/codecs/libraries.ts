/** The libraries that generated code is compared with. Each may be missing. */

/** What is used of protodef, whose own declarations do not compile. */
export interface ProtoDef {
  read(buffer: Buffer, offset: number, type: string, root: object): { readonly value: unknown };
  write(value: unknown, buffer: Buffer, offset: number, type: string, root: object): number;
}
interface ProtoDefModule {
  readonly Compiler: {
    readonly ProtoDefCompiler: new () => {
      addProtocol(protocol: { types: object }, path: readonly string[]): void;
      compileProtoDefSync(): ProtoDef;
    };
  };
}

/** Its declarations are found only as a CommonJS module's. */
type BinaryParser = typeof import("binary-parser", { with: { "resolution-mode": "require" }});

export interface Libraries {
  readonly protodef: ProtoDefModule | undefined;
  readonly parser: BinaryParser | undefined;
  readonly packed: typeof import("micro-packed") | undefined;
  readonly typed: typeof import("typed-binary") | undefined;
}

async function installed<T>(name: string): Promise<T | undefined> {
  try {
    return await import(name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND") return undefined;
    throw error;
  }
}

export async function libraries(): Promise<Libraries> {
  const [protodef, parser, packed, typed] = await Promise.all([
    installed<{ default: ProtoDefModule }>("protodef"),
    installed<BinaryParser>("binary-parser"),
    installed<typeof import("micro-packed")>("micro-packed"),
    installed<typeof import("typed-binary")>("typed-binary"),
  ]);
  return { protodef: protodef?.default, parser, packed, typed };
}

const NATIVE = ["u8", "u16", "u32", "u64", "container", "switch", "bitfield", "void"];

export function protocol({ Compiler }: ProtoDefModule, types: object): ProtoDef {
  const compiler = new Compiler.ProtoDefCompiler();
  const native = Object.fromEntries(NATIVE.map((type) => [type, "native"]));
  compiler.addProtocol({ types: { ...native, ...types } }, []);
  return compiler.compileProtoDefSync();
}

/** protodef's field of some bits. */
export const bits = (name: string, size: number) => ({ name, size, signed: false });
