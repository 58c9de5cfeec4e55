/**
 * Takes headers apart by their tables, leniently: what is there is shown, what is wrong is marked, and
 * what is missing ends the header. The strict reading is the codec's.
 */
import { Cursor } from "./cursor.mjs";
import {
  type Around,
  type Choice,
  type Facts,
  type Node,
  note,
  type Status,
  type Step,
  type Walked,
} from "./nodes.mjs";
import { folded, wordSum } from "./octets.mjs";
import {
  type FactTable,
  type FieldTable,
  HEAD,
  type HeaderTable,
  type NextTable,
  type Numbers,
  PAYLOAD,
  SELF,
  type Test,
  type ViaTable,
} from "./tables.mjs";

export * from "./nodes.mjs";

const NOTHING: readonly never[] = [];

/** Walks one header after the other; it keeps nothing between two. */
export class Walker {
  readonly #cursor = new Cursor();

  /**
   * Takes the header at `start` apart; octets up to `end` are there. With `record` every field becomes
   * a node, without it only what is needed to go on is computed.
   */
  walk(
    table: HeaderTable,
    view: DataView,
    start: number,
    end: number,
    around: Around,
    record = true,
  ): Walked {
    const c = this.#cursor;
    if (c.numbers.length < table.slots) c.numbers = new Float64Array(2 * table.slots);
    const n = c.numbers.fill(Number.NaN, 0, table.slots);
    c.view = view;
    c.start = start;
    c.at = start * 8;
    c.end = end;
    c.claim = around.claim;
    c.little = around.little === true;
    c.record = record;
    c.nodes = [];
    c.notes = [];
    c.late = [];
    c.words = 0;
    c.cutField = undefined;
    c.cutEnd = undefined;

    const whole = this.#head(table);
    const head = Math.min(Math.ceil(c.at / 8), end);
    if (!whole) {
      // Where the head ends is known all the same if only its last field is cut.
      if (c.cutEnd !== undefined && c.cutField === table.fields.at(-1)) {
        n[HEAD] = c.cutEnd - start;
        n[PAYLOAD] = around.claim - c.cutEnd;
        if (record) this.#show(table);
      }
      return this.#walked(table, head, around.claim, true, NOTHING, undefined);
    }
    n[HEAD] = head - start;
    n[PAYLOAD] = around.claim - head;
    const claim = this.#payload(table, head);
    n[PAYLOAD] = claim - head;
    this.#judge(claim, around);
    if (record) this.#show(table);
    if (table.sets !== undefined) {
      for (const fact in table.sets) {
        const value = factOf(table.sets[fact] as FactTable, n, around.facts, c.nodes);
        if (value !== undefined) around.facts.set(fact, value);
      }
    }
    const via = table.payload?.via;
    return this.#walked(
      table,
      head,
      claim,
      false,
      via === undefined ? NOTHING : via.filter((x) => holds(x.when, n)).map((x) => step(x, n)),
      chosen(table.payload?.next ?? NOTHING, n, around.facts),
    );
  }

  #walked(
    table: HeaderTable,
    head: number,
    claim: number,
    cut: boolean,
    via: readonly Step[],
    next: Choice | undefined,
  ): Walked {
    const { start, end, nodes, notes, from, to, format, words } = this.#cursor;
    return {
      table,
      start,
      head,
      end: Math.min(claim, end),
      claim,
      cut,
      nodes,
      notes,
      ends: table.ends === true && !cut ? { from, to, format, words } : undefined,
      via,
      next,
    };
  }

  /** False: octets are missing. */
  #head(table: HeaderTable): boolean {
    const c = this.#cursor;
    const { little, fields } = table;
    if (little === undefined) return c.fields(fields, 0);
    if (!c.fields(fields.slice(0, little.from), 0)) return false;
    c.little = little.when(c.numbers);
    return c.fields(fields.slice(little.from), 0);
  }

  /** Where the payload should end; the trailer behind it is taken apart from its end. */
  #payload(table: HeaderTable, head: number): number {
    const { numbers, notes } = this.#cursor;
    const { payload } = table;
    const stop = this.#tail(table, head);
    if (payload === undefined) return head;
    const length = holds(payload.told, numbers) ? payload.length?.(numbers) : undefined;
    if (length === undefined) return stop;
    if (!(length >= 0)) {
      notes.push({ severity: "error", text: "the length of its payload makes no sense" });
    } else if (head + length > stop) {
      const lack = head + length - stop;
      notes.push({ severity: "error", text: `its payload claims ${lack} octets too many` });
    } else return head + length;
    return stop;
  }

  /** Where the trailer begins, if there is one and its octets are there; else where the octets end. */
  #tail(table: HeaderTable, head: number): number {
    const c = this.#cursor;
    const { claim } = c;
    if (table.last === undefined || claim > c.end) return claim;
    let at = claim * 8;
    for (const fields of [table.last, table.front ?? NOTHING]) {
      at -= fields.reduce((bits, f) => bits + sizeOf(f, c.numbers), 0);
      if (!(at >= head * 8)) {
        c.notes.push({ severity: "error", text: "its trailer does not fit" });
        return claim;
      }
      c.at = at;
      c.fields(fields, 0);
    }
    return at / 8;
  }

  #show(table: HeaderTable): void {
    const { nodes, numbers, start } = this.#cursor;
    for (const { name, format, value } of table.shows ?? NOTHING) {
      nodes.push({ name, value: value(numbers), format, bit: start * 8, bits: 0, depth: 0 });
    }
  }

  /** Rules and checksums that had to wait for the head's end, or the payload's. */
  #judge(claim: number, around: Around): void {
    const n = this.#cursor.numbers;
    for (const { field, value, bit, node } of this.#cursor.late) {
      if (node === undefined) continue;
      if (typeof field.auto === "function" && field.auto(n) !== value) {
        note(node, "error", `should be ${field.auto(n)}`);
      }
      if (field.auto === "internet" || field.check !== undefined) {
        node.status = this.#checksum(field, value, bit / 8, claim, around);
      }
      n[SELF] = value;
      for (const r of field.rules ?? NOTHING) {
        if (r.late && !r.test(n)) note(node, r.strict ? "error" : "warning", r.text);
      }
    }
  }

  #checksum(f: FieldTable, stored: number, at: number, claim: number, around: Around): Status {
    const { view, start, end, numbers } = this.#cursor;
    const stop = f.check === undefined ? start + (numbers[HEAD] ?? 0) : claim;
    const pseudo = f.check === "pseudo" ? around.pseudo?.() : 0;
    if (f.check === "pseudo" && stored === 0) return "zero";
    if (stop > end || pseudo === undefined) return "unverified";
    const own = wordSum(view, start, stop) - wordSum(view, at, at + 2);
    const fore = pseudo === 0 ? 0 : folded(pseudo + stop - start);
    const sum = folded(own + fore);
    // Zero has two forms in this arithmetic.
    if ((0xffff - sum || 0xffff) === (stored || 0xffff)) return "good";
    return pseudo !== 0 && stored === fore ? "partial (offload)" : "bad";
  }
}

/** Bits of a field whose size its neighbours decide. */
function sizeOf(f: FieldTable, n: Numbers): number {
  if (!holds(f.when, n)) return 0;
  switch (f.kind) {
    case "uint":
      return f.bits;
    case "bytes":
    case "text":
      return 8 * (typeof f.length === "function" ? f.length(n) : Number(f.length));
    case "repeat":
      return (f.size?.(n) ?? 0) * sizeOf(f.of, n);
    case "nested":
      return f.fields.reduce((bits, inner) => bits + sizeOf(inner, n), 0);
    default:
      return Number.NaN;
  }
}

const holds = (when: Test | undefined, n: Numbers): boolean => when === undefined || when(n);

/**
 * The first that may follow. A fact that is not set, is 0 or lists nothing leaves it to the next, if there
 * is one.
 */
function chosen(all: readonly NextTable[], n: Numbers, facts: Facts, from = 0): Choice | undefined {
  let last: Choice | undefined;
  for (let i = from; i < all.length; i++) {
    const next = all[i] as NextTable;
    if (!holds(next.when, n)) continue;
    const list = next.by === "list";
    const said = !(list || next.by === "fact") || facts.get(next.fact ?? next.of);
    last = { next, value: next.value?.(n) ?? Number.NaN };
    if (said) return list ? { ...last, beyond: chosen(all, n, facts, i + 1) } : last;
  }
  return last?.next.by === "list" ? undefined : last;
}

function step({ op, sender, with: values }: ViaTable, n: Numbers): Step {
  const made: Record<string, number> = {};
  for (const name in values) made[name] = values[name]?.(n) ?? Number.NaN;
  return sender === undefined ? { op, with: made } : { op, sender, with: made };
}

function factOf(
  fact: FactTable,
  n: Numbers,
  facts: Facts,
  nodes: readonly Node[],
): number | string | undefined {
  if (typeof fact === "function") {
    const value = Number(fact(n));
    return Number.isNaN(value) ? undefined : value;
  }
  if ("text" in fact) {
    const value = nodes.find((x) => x.name === fact.text)?.value;
    if (!(value instanceof Uint8Array)) return value === undefined ? value : String(value);
    return Array.from(value, (octet) => octet.toString(16).padStart(2, "0")).join("");
  }
  const key = facts.get(fact.by);
  // A peer chose it: `constructor` is no entry.
  if (key === undefined || !Object.hasOwn(fact.map, key)) return undefined;
  return factOf(fact.map[key] as FactTable, n, facts, nodes);
}
