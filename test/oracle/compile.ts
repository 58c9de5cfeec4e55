/** Random headers, from their specs to modules that run. */

import { drawFiles, emitArbitrary } from "../../codegen/emit/arbitraries.js";
import { emitCodec } from "../../codegen/emit/codec.js";
import { SpecError } from "../../codegen/error.js";
import type { HeaderModel } from "../../codegen/model.js";
import { resolve } from "../../codegen/resolve.js";
import { type Module, run } from "../../codegen/run.js";
import type { Fields, Header } from "../../spec/lang.js";

export interface Compiled {
  readonly header: HeaderModel;
  readonly codec: Module;
  readonly arbitrary: Module;
}

/** The model of a header; the error if the generator refuses it. */
export function modelOf(header: Header<Fields, Fields>, file = "random"): HeaderModel | SpecError {
  const at = { file: `${file}.ts`, line: 1, column: 1 };
  const exported = { id: "random", file, value: header, doc: "", at, places: new Map() };
  try {
    return resolve([exported]).headers[0] as HeaderModel;
  } catch (e) {
    if (e instanceof SpecError) return e;
    throw e;
  }
}

/** All at once: one bundle for many headers. */
export async function compile(headers: readonly HeaderModel[]): Promise<Compiled[]> {
  const all = headers.map((h, i): HeaderModel => ({ ...h, file: `h${i}` }));
  const files = drawFiles();
  for (const h of all) {
    files.set(`${h.file}.ts`, emitCodec(h));
    files.set(`arbitraries/${h.file}.ts`, emitArbitrary(h));
  }
  const modules = await run(
    files,
    [...files.keys()].filter((path) => /\bh\d+\.ts$/.test(path)),
  );
  return all.map((h, i) => ({
    header: headers[i] as HeaderModel,
    codec: modules.get(`${h.file}.ts`) ?? {},
    arbitrary: modules.get(`arbitraries/${h.file}.ts`) ?? {},
  }));
}
