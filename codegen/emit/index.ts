/** All targets: what is made from a model, file by file. */
import type { HeaderModel, Model } from "../model.js";
import { emitArbitraries } from "./arbitraries.js";
import { emitCatalogue } from "./catalogue.js";
import { emitCodec } from "./codec.js";
import { COPIED, emitDissect } from "./fields.js";
import { emitModel } from "./model.js";
import { emitVectors } from "./vectors.js";

/** What a file is made from: one header's spec, all of them, or a file of the generator's own. */
export type Source = { readonly header: string } | { readonly copied: string } | "all";

export interface Emitted {
  /** Below the output folder, with slashes. */
  readonly path: string;
  /** Without the line that says where it comes from. */
  readonly text: string;
  readonly source: Source;
}

/** Prints every target. The order of files is that of their paths. */
export async function emit(model: Model): Promise<Emitted[]> {
  const files: Emitted[] = [];
  const headers = new Set(model.headers.map((h) => h.file));
  const add = (path: string, text: string, source: Source = "all") =>
    files.push({ path, text, source });
  for (const h of model.headers) add(`${h.file}.ts`, codecOf(h), { header: h.file });
  const arbitraries = emitArbitraries(model);
  for (const [path, text] of arbitraries) {
    const file = path.slice("arbitraries/".length, -".ts".length);
    add(path, text, headers.has(file) ? { header: file } : { copied: `codegen/${file}.mts` });
  }
  for (const [path, text] of await emitVectors(model, arbitraries)) {
    add(path, text, { header: path.slice("vectors/".length, -".json".length) });
  }
  for (const [path, text] of emitDissect(model)) {
    const walker = COPIED.find((name) => path === `dissect/${name}.ts`);
    add(path, text, walker === undefined ? "all" : { copied: `codegen/walker/${walker}.mts` });
  }
  add("headers.md", emitCatalogue(model));
  add("model.json", emitModel(model));
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Kept from one generation to the next, for `--watch`. */
const codecs = new Map<string, string>();

function codecOf(h: HeaderModel): string {
  const key = JSON.stringify(h);
  const text = codecs.get(key) ?? emitCodec(h);
  codecs.set(key, text);
  return text;
}
