/**
 * Target: test vectors as JSON, for codecs in any language. Every choice that the arbitraries leave open
 * is made once, every rule is broken at its least and at its greatest, and the bounds are attained.
 *
 * Values and octets come side by side from what draws them; no codec has a part in it.
 */
import type { Choices, Draw } from "../draw/draw.mjs";
import type { FieldModel, HeaderModel, Model } from "../model.js";
import { type Module, run } from "../run.js";

/** Path from the generated folder → text. `arbitraries`: likewise; they are run. */
export async function emitVectors(
  model: Model,
  arbitraries: ReadonlyMap<string, string>,
): Promise<Map<string, string>> {
  const path = (h: HeaderModel) => `arbitraries/${h.file}.ts`;
  const keyOf = (h: HeaderModel) => JSON.stringify([h, arbitraries.get(path(h))]);
  const stale = model.headers.filter((h) => !known.has(keyOf(h)));
  if (stale.length > 0) {
    const modules = await run(arbitraries, [DRAW, ...stale.map(path)]);
    const drawing = modules.get(DRAW) as unknown as Drawing;
    for (const h of stale) known.set(keyOf(h), print(h, modules.get(path(h)) ?? {}, drawing));
  }
  return new Map(model.headers.map((h) => [`vectors/${h.file}.json`, known.get(keyOf(h)) ?? ""]));
}

const DRAW = "arbitraries/draw/draw.ts";
type Drawing = Pick<typeof import("../draw/draw.mjs"), "Draw" | "DeadEnd">;

/** Kept from one generation to the next, for `--watch`. */
const known = new Map<string, string>();

interface Sample {
  readonly value: Readonly<Record<string, unknown>>;
  /** What a trailer is told of its head. */
  readonly needs: Readonly<Record<string, unknown>>;
}

/** Draws a head, or a trailer. */
type Part = (d: Draw) => Sample;

interface Vector extends Sample {
  /** What it is there for. */
  readonly of: string;
  readonly octets: Uint8Array;
  readonly hex: string;
  readonly little: boolean;
  /** Number of the one rule broken. */
  readonly fault?: number;
}

interface Step {
  readonly name: string;
  readonly ways: readonly unknown[];
  /** Index of the way taken. */
  readonly at: number;
}

/** Makes the choices that it is told to make, and then always the first, or always the last. */
class Path implements Choices {
  readonly steps: Step[] = [];
  /** Whole numbers asked for since the last choice. */
  #since = 0;

  constructor(
    readonly told: readonly number[],
    readonly last: boolean,
    readonly brokenLast = false,
  ) {}

  choose<T>(name: string, ways: readonly T[]): T {
    const end = ways.length - 1;
    if (name.endsWith(", broken")) return ways[this.brokenLast ? end : 0] as T;
    const at = Math.min(this.told[this.steps.length] ?? (this.last ? end : 0), end);
    this.steps.push({ name, ways, at });
    this.#since = 0;
    return ways[at] as T;
  }

  /** Far apart for neighbours, and the same whatever was chosen before. */
  whole(lo: number, hi: number): number {
    const spread = (n: number) => (Math.imul(n, 0x9e3779b1) >>> 0) / 2 ** 32;
    const n = this.steps.length * 64 + ++this.#since;
    return Math.min(hi, lo + Math.floor((spread(n) + spread(n * n) / 2 ** 32) * (hi - lo + 1)));
  }
}

interface Drawn {
  readonly path: Path;
  readonly sample: Sample;
  readonly draw: Draw;
}

/** What is longer is there for its size alone. */
const LONG = 1024;

/** Goes over the ways to draw a part, in one byte order. */
class Explorer {
  readonly accepted: Vector[] = [];
  readonly refused: Vector[] = [];
  readonly #drawn: Drawn[] = [];
  readonly #kept = new Set<string>();

  constructor(
    readonly part: Part,
    readonly drawing: Drawing,
    readonly little: boolean,
  ) {}

  /** Makes every choice once, each as far in front as it comes; what follows is the least there is. */
  choices(): void {
    const made = new Set<string>();
    const queue: { told: readonly number[]; of: string }[] = [{ told: [], of: "all least" }];
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const drawn = this.#drawAny(next.told);
      if (drawn === undefined) continue;
      this.#accept(drawn, next.of);
      if (drawn.draw.length > LONG) continue;
      for (const [told, step, way] of detours(drawn, "first")) {
        const of = keyOf(step, way);
        made.add(keyOf(step, step.ways[step.at]));
        if (made.has(of)) continue;
        made.add(of);
        queue.push({ told, of });
      }
    }
    const greatest = this.#draw(new Path([], true));
    if (greatest !== undefined) this.#accept(greatest, "all greatest");
  }

  /** Adds a vector of that size, unless there is one: by one other choice after another. */
  attain(size: number): void {
    const off = ({ draw }: Drawn) => Math.abs(size - draw.size);
    const nearest = (list: readonly Drawn[]) => list.reduce((a, b) => (off(b) < off(a) ? b : a));
    if (this.#drawn.length === 0) return;
    let best = nearest(this.#drawn);
    while (off(best) > 0) {
      const tried = detours(best, "all").map(([told]) =>
        this.#draw(new Path(told, best.path.last)),
      );
      const better = nearest([best, ...tried.filter((d) => d !== undefined)]);
      if (better === best) return;
      best = better;
    }
    this.#accept(best, `${size} octets`);
  }

  /** Breaks each rule at its least and at its greatest, where it is met first. */
  faults(): void {
    const broken = new Set<number>();
    const breakAll = (drawn: Drawn) => {
      for (const fault of drawn.draw.offered) {
        if (broken.has(fault)) continue;
        for (const last of [false, true]) {
          const { told } = drawn.path;
          const bad = this.#draw(new Path(told, drawn.path.last, last), fault);
          if (bad?.draw.broken !== true) continue;
          broken.add(fault);
          this.#keep(this.refused, bad, "", fault);
        }
      }
    };
    for (const drawn of this.#drawn) breakAll(drawn);
  }

  /** What is long is drawn with the greatest parts, which are fewer. */
  #drawAny(told: readonly number[]): Drawn | undefined {
    const least = this.#draw(new Path(told, false));
    if (least !== undefined && least.draw.length <= LONG) return least;
    return this.#draw(new Path(told, true)) ?? least;
  }

  #draw(path: Path, breaks?: number): Drawn | undefined {
    const draw = new this.drawing.Draw(path, this.little, breaks);
    try {
      return { path, sample: this.part(draw), draw };
    } catch (e) {
      if (e instanceof this.drawing.DeadEnd) return undefined;
      throw e;
    }
  }

  #accept(drawn: Drawn, of: string): void {
    this.#drawn.push(drawn);
    this.#keep(this.accepted, drawn, of);
  }

  #keep(list: Vector[], { sample, draw }: Drawn, of: string, fault?: number): void {
    const { octets } = draw;
    const hex = spell(octets);
    const key = JSON.stringify([fault, hex, sample.needs]);
    if (this.#kept.has(key)) return;
    this.#kept.add(key);
    const { little } = this;
    list.push({ ...sample, octets, hex, of, little, ...(fault === undefined ? {} : { fault }) });
  }
}

const keyOf = ({ name }: Step, way: unknown): string => `${name}: ${way}`;

/** Every path that makes one choice otherwise; of choices that come again and again all, or the first. */
function detours(
  { path: { steps } }: Drawn,
  which: "all" | "first",
): [told: number[], step: Step, way: unknown][] {
  const names = new Set<string>();
  return steps.flatMap((step, i) => {
    if (which === "first" && names.has(step.name)) return [];
    names.add(step.name);
    const behind = which === "all" ? steps.slice(i + 1) : [];
    return step.ways.map((way, at): [number[], Step, unknown] => [
      [...steps.slice(0, i), { at }, ...behind].map((s) => s.at),
      step,
      way,
    ]);
  });
}

/** Long runs of octets, which no rule is about, are one octet over and over: so they are short in print. */
function calm({ Draw, DeadEnd }: Drawing): Drawing {
  class Calm extends Draw {
    override bytes(octets: number): Uint8Array {
      const all = new Uint8Array(octets).fill(octets % 0xff);
      all.set(super.bytes(Math.min(octets, 32)));
      this.run(all.subarray(32));
      return all;
    }
  }
  return { Draw: Calm, DeadEnd };
}

/** What every file says of itself. */
const FORM =
  "Octets are in hex, and aa{12} is the octet aa twelve times. In values {octets} are in hex, {bigint} is " +
  "decimal, and null is a field that is absent. What is refused stays so whatever follows; what is cut " +
  "asks for at least one octet more, and for no more than are missing.";

function print(header: HeaderModel, module: Module, found: Drawing): string {
  const drawing = calm(found);
  const { name, min, max, head, front, last, tailMin, tailMax, tailNeeds } = header;
  const drawHead = module.head as (d: Draw) => Sample["value"];
  const parts = [
    section(header, "head", drawing, head, { min, max }, (d) => ({
      value: drawHead(d),
      needs: {},
    })),
  ];
  if (last.length > 0) {
    const drawTail = module.tail as (d: Draw, ...needs: unknown[]) => Sample["value"];
    const drawBoth: Part = (d) => {
      // The head is drawn for what it says, on octets of its own.
      const said = tailNeeds.length === 0 ? {} : drawHead(new drawing.Draw(d.choices, d.little));
      const needs = Object.fromEntries(tailNeeds.map((need) => [need, said[need]]));
      return { value: drawTail(d, ...Object.values(needs)), needs };
    };
    const bounds = { min: tailMin, max: tailMax };
    parts.push(section(header, "trailer", drawing, [...front, ...last], bounds, drawBoth));
  }
  const first = `  "header": ${JSON.stringify(name)},\n  "form": ${JSON.stringify(FORM)}`;
  return `{\n${[first, ...parts].join(",\n")}\n}\n`;
}

/** The vectors of a head or a trailer, one a line. */
function section(
  header: HeaderModel,
  kind: "head" | "trailer",
  drawing: Drawing,
  fields: readonly FieldModel[],
  { min, max }: { readonly min: number; readonly max: number },
  part: Part,
): string {
  const orders = header.order === "caller" ? [false, true] : [false];
  const all = orders.map((little) => {
    const explorer = new Explorer(part, drawing, little);
    explorer.choices();
    explorer.attain(min);
    explorer.attain(max);
    explorer.faults();
    return explorer;
  });
  const given = ({ little, needs }: Vector) => ({
    ...(orders.length > 1 ? { little } : {}),
    ...(header.tailNeeds.length > 0 && kind === "trailer" ? { head: plain(needs) } : {}),
  });
  const accepted = all.flatMap((e) => e.accepted);
  const lists = {
    accepted: accepted.map((v) => ({
      of: v.of,
      ...given(v),
      hex: v.hex,
      size: v.octets.length,
      value: plain(v.value),
    })),
    refused: all
      .flatMap((e) => e.refused)
      .map((v) => {
        const { path, text } = header.faults[v.fault ?? -1] ?? { path: "", text: "" };
        const name = `${header.name}.${path}`;
        return { ...given(v), hex: v.hex, fault: v.fault, path: name, text };
      }),
    cut: cut(accepted, fields.some(reachesOut) ? min : undefined).map((v) => {
      const some = kind === "head" ? v.octets.slice(0, -1) : v.octets.slice(1);
      return { ...given(v), hex: spell(some), missing: 1 };
    }),
  };
  const rows = Object.entries(lists).map(([name, list]) => {
    const lines = list.map((row) => `\n      ${JSON.stringify(row)}`).join(",");
    return `    "${name}": [${lines}${lines === "" ? "" : "\n    "}]`;
  });
  return `  "${kind}": {\n    "min": ${min},\n    "max": ${max},\n${rows.join(",\n")}\n  }`;
}

/** One of every size that is wrong without its last octet: what reaches to the end only at its least. */
function cut(vectors: readonly Vector[], only: number | undefined): Vector[] {
  const sizes = new Map<number, Vector>();
  for (const v of vectors) {
    const n = v.octets.length;
    if (n > 0 && (only ?? n) === n && !sizes.has(n)) sizes.set(n, v);
  }
  return [...sizes.values()];
}

/** Its end is decided by what surrounds it: a part of it may be whole too. */
function reachesOut({ type: t }: FieldModel): boolean {
  if (t.kind === "bytes" || t.kind === "text") return t.length === "rest";
  return (t.kind === "repeat" || t.kind === "tlv") && t.fill === "rest";
}

/** A value as JSON can hold it. */
function plain(x: unknown): unknown {
  if (x === undefined) return null;
  if (typeof x === "bigint") return { bigint: String(x) };
  if (x instanceof Uint8Array) return { octets: spell(x) };
  if (Array.isArray(x)) return x.map(plain);
  if (typeof x !== "object" || x === null) return x;
  return Object.fromEntries(Object.entries(x).map(([name, value]) => [name, plain(value)]));
}

/** Octets in hex; a run of nine or more of one octet is `aa{9}`. */
function spell(octets: Uint8Array): string {
  let text = "";
  for (let i = 0; i < octets.length; ) {
    let end = i + 1;
    while (octets[end] === octets[i]) end++;
    const octet = (octets[i] as number).toString(16).padStart(2, "0");
    text += end - i > 8 ? `${octet}{${end - i}}` : octet.repeat(end - i);
    i = end;
  }
  return text;
}
