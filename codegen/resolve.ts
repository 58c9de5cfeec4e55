/** Specs to model: what every folder of specs is checked for, beyond its single headers. */
import type { Fields, Header, Next, Opener, StackSpec } from "../spec/lang.js";
import { hint, refuse } from "./error.js";
import { HeaderResolver } from "./header.js";
import type { HeaderModel, Model, OpenerModel, StackModel } from "./model.js";
import { isUnsafe } from "./names.js";
import type { Exported } from "./read.js";

export const isHeader = (v: unknown): v is Header<Fields, Fields> =>
  typeof v === "object" && v !== null && "head" in v && "options" in v && "name" in v;
export const isOpener = (v: unknown): v is Opener =>
  typeof v === "object" && v !== null && "opener" in v;
export const isStack = (v: unknown): v is StackSpec =>
  typeof v === "object" && v !== null && "stack" in v;

/** What other registries offer: headers to name, tables to claim. */
export interface Known {
  readonly headers: ReadonlySet<string>;
  readonly tables: ReadonlySet<string>;
  /** Tables in which only numbers are claimed. */
  readonly numbers: ReadonlySet<string>;
}

/** Builds the model. `known`: what a folder of one's own may refer to besides itself. */
export function resolve(
  exports: readonly Exported[],
  known: Known = { headers: new Set(), tables: new Set(), numbers: new Set() },
): Model {
  const specs = exports.filter((e) => isHeader(e.value) || isOpener(e.value) || isStack(e.value));
  distinct(specs);
  const headers: HeaderModel[] = [];
  const openers: OpenerModel[] = [];
  const stacks: StackModel[] = [];
  for (const { id, file, doc, value, ...e } of specs) {
    if (isHeader(value))
      headers.push(new HeaderResolver({ id, file, doc, value, ...e }, value).header());
    if (isOpener(value)) {
      const { opener, op, ref, on, sets, next } = value;
      openers.push({ name: opener, id, file, doc, ref, op, on, sets, next });
    }
    if (isStack(value)) {
      stacks.push({ name: value.stack, id, doc, headers: value.headers.map((h) => h.name) });
    }
  }
  const places = new Map(specs.map((e) => [e.id, e]));
  claims(headers, openers, places, known);
  const names = new Set(headers.map((h) => h.name));
  for (const { id, headers } of stacks) {
    const missing = headers.find((name) => !names.has(name));
    if (missing === undefined) continue;
    const at = (places.get(id) as Exported).at;
    refuse(at, `the stack names '${missing}', which no spec file exports`, "export it");
  }
  const byFile = (a: { file: string }, b: { file: string }) => (a.file < b.file ? -1 : 1);
  return { version: 1, headers: headers.sort(byFile), openers: openers.sort(byFile), stacks };
}

/** One header a file, and no two specs with one name. */
function distinct(specs: readonly Exported[]): void {
  const files = new Map<string, Exported>();
  const names = new Map<string, Exported>();
  const ids = new Map<string, Exported>();
  for (const e of specs) {
    if (isUnsafe(e.id)) refuse(e.at, `'${e.id}' is not safe as a name`, "choose another");
    const same = ids.get(e.id);
    if (same !== undefined) {
      const problem = `a constant '${e.id}' is also exported by ${same.at.file}:${same.at.line}`;
      refuse(e.at, problem, "choose another name");
    }
    ids.set(e.id, e);
    if (!isHeader(e.value)) continue;
    const other = files.get(e.file);
    if (other !== undefined) {
      const problem = `'${e.id}' is the second header of this file, after '${other.id}'`;
      refuse(e.at, problem, "give each header a file of its own");
    }
    files.set(e.file, e);
    const twin = names.get(e.value.name);
    if (twin !== undefined) {
      const problem = `the name '${e.value.name}' is taken by ${twin.at.file}:${twin.at.line}`;
      refuse(e.at, problem, "choose another");
    }
    names.set(e.value.name, e);
  }
}

/** Tables that some header or opener dispatches by. */
export function tablesOf(model: Pick<Model, "headers" | "openers">): Set<string> {
  const next = [...model.headers, ...model.openers].flatMap(nextOf);
  return new Set(
    next.flatMap((n) => [
      ...("table" in n ? [n.table] : []),
      ...("within" in n ? [n.within as string] : []),
    ]),
  );
}

/** Tables that are looked up by numbers: by a field's value, or where headers claim numbers alone. */
export function numbersIn(model: Pick<Model, "headers" | "openers">): Set<string> {
  const all = [...model.headers, ...model.openers];
  const said = new Map<string, unknown[]>();
  for (const [table, value] of all.flatMap(({ on }) => Object.entries(on))) {
    said.set(table, [...(said.get(table) ?? []), ...(value === true ? [] : [value].flat())]);
  }
  const claimed = [...said].filter(
    ([, v]) => v.length > 0 && v.every((x) => typeof x === "number"),
  );
  const valued = all.flatMap(nextOf).flatMap((n) => (n.by === "value" ? [n.table] : []));
  return new Set([...claimed.map(([table]) => table), ...valued]);
}

const nextOf = (owner: HeaderModel | OpenerModel): readonly Next[] =>
  "next" in owner ? owner.next : (owner.payload?.next ?? []);

/** Tables that are looked up whatever is here: by pcap's link type, and by what a tap or a peer lists. */
const ALWAYS: readonly string[] = ["linktype", "layer"];

/** Claims are made where somebody looks, by one header each; names that are followed exist. */
function claims(
  headers: readonly HeaderModel[],
  openers: readonly OpenerModel[],
  places: ReadonlyMap<string, Exported>,
  known: Known,
): void {
  const tables = new Set([...tablesOf({ headers, openers }), ...known.tables]);
  const names = new Set([...headers.map((h) => h.name), ...known.headers]);
  const numbers = new Set([...numbersIn({ headers, openers }), ...known.numbers]);
  const claimed = new Map<string, string>();
  for (const owner of [...headers, ...openers]) {
    const e = places.get(owner.id) as Exported;
    for (const [table, value] of Object.entries(owner.on)) {
      const at = (e.places.get(`@options.on.${table}`) ?? e.places.get("@options.on") ?? e).at;
      if (!tables.has(table) && !ALWAYS.includes(table)) {
        const mend = hint(table, tables, "tables");
        refuse(at, `no header looks anything up in '${table}'`, mend);
      }
      for (const v of value === true ? [] : [value].flat()) {
        if (typeof v === "string" && numbers.has(table)) {
          refuse(at, `'${v}' is text, but '${table}' is looked up by number`, "claim a number");
        }
        const other = claimed.get(`${table}=${v}`);
        if (other !== undefined) {
          const problem = `${v} in '${table}' is claimed by '${other}' already`;
          refuse(at, problem, "only one header can follow; take one claim away");
        }
        claimed.set(`${table}=${v}`, owner.name);
      }
    }
    for (const n of nextOf(owner)) {
      if (n.by !== "name" || names.has(n.header)) continue;
      const { at } = e.places.get("@payload.next") ?? e;
      refuse(at, `no header is called '${n.header}'`, hint(n.header, names, "headers"));
    }
  }
}
