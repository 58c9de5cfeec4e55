/**
 * Draws a header as RFCs do: 32 bits a row, greatest bit first.
 *
 * Fields of a fixed size are boxes of that width. What may be absent, or varies, has rows of its own
 * that say so; where its size varies, its sides are slashes. Names that do not fit are explained below.
 */
import { layout } from "../layout.js";
import { type FieldModel, type HeaderModel, innerOf, type UintModel } from "../model.js";
import {
  escapeWords,
  fieldsWords,
  figure,
  type Look,
  lookIn,
  phrase,
  typeWords,
  whenWords,
} from "./words.js";

const ROW = 32;

/** Part of a row that one field takes: bits `from` to `to`. */
interface Cell {
  readonly box: Box;
  readonly from: number;
  readonly to: number;
}
interface Box {
  readonly label: string;
  readonly cells: { readonly row: number; readonly cell: Cell }[];
}
/** A row of boxes side by side, or, with `text`, one that tells about a field in words. */
interface Row {
  readonly cells: Cell[];
  readonly text?: readonly string[];
  readonly side: "|" | "/";
}

/** The picture, line by line; none for a header without octets. */
export function diagram(header: HeaderModel): string[] {
  const tail = [...header.front, ...header.last];
  const picture = new Picture(lookIn([...header.head, ...tail]));
  picture.fields(header.head);
  if (tail.length > 0) {
    const length = header.payload?.length;
    picture.words(
      [length === undefined ? "payload" : `payload: ${picture.say(length)} octets`],
      "/",
    );
    picture.fields(header.front);
    picture.fields(header.last);
  }
  return [...picture.draw(), ...orderNote(header).flatMap(hang)];
}

function orderNote({ order, little, head }: HeaderModel): string[] {
  const many = head.some((f) => f.type.kind === "uint" && f.type.bits > 8);
  if (little !== undefined) return [`Least octet first if ${phrase(little.when, lookIn(head))}.`];
  if (order === "big" || !many) return [];
  return [
    order === "caller" ? "Byte order: the caller's." : "Numbers have their least octet first.",
  ];
}

class Picture {
  readonly #rows: Row[] = [];
  /** Bits that the last row has room for. */
  #room = 0;
  readonly #taken = new Set<string>();
  readonly #legend: string[] = [];

  constructor(readonly look: Look) {}

  say(e: Parameters<typeof phrase>[0]): string {
    return phrase(e, this.look);
  }

  fields(list: readonly FieldModel[], prefix = ""): void {
    for (const segment of layout(list)) {
      if (segment.kind === "field") {
        this.#field(segment.field, prefix);
        continue;
      }
      if (segment.when !== undefined) {
        this.words(
          [
            `${fieldsWords(segment.fields.map(unconditional), this.look)}, if ${this.say(segment.when)}`,
          ],
          "|",
        );
        continue;
      }
      for (const f of segment.fields) this.#bits(f, prefix);
      for (const f of segment.fields) this.#wider(f, prefix);
    }
  }

  /** A field that shares no octet. */
  #field(f: FieldModel, prefix: string): void {
    const t = f.type;
    const name = prefix + f.name;
    if (f.when === undefined) {
      if (t.kind === "uint") return this.#bits(f, prefix);
      if (t.kind === "escape") {
        this.#bits(f, prefix);
        return this.#wider(f, prefix);
      }
      if (t.kind === "nested") return this.fields(t.fields, `${name}.`);
      if (t.kind === "bytes" && f.min === f.max && f.max > 0 && f.max <= 16) {
        const octets = t.konst?.map((n) => n.toString(16).padStart(2, "0")).join(" ");
        const names = [...(octets === undefined ? [] : [`${name} = ${octets}`]), name, f.name];
        return this.#box(8 * f.max, this.#fit(names, 8 * f.max));
      }
    }
    if (t.kind === "choose") {
      const arms = [
        ...t.arms.map((a) => ({
          title: `${a.name} (${a.is.map((n) => this.#value(t.on, n)).join(", ")})`,
          fields: a.fields,
        })),
        ...(t.otherwise === undefined ? [] : [{ title: "otherwise", fields: t.otherwise }]),
      ];
      const lines = arms.flatMap((a) => hang(`  ${a.title}: ${fieldsWords(a.fields, this.look)}`));
      return this.words(
        [`${name}, by ${this.say(t.on)}${whenWords(f, this.look)}:`, ...lines],
        side(f),
        true,
      );
    }
    const whole =
      t.kind === "uint" && t.bits === ROW ? name : `${name}: ${typeWords(t, this.look)}`;
    this.words(`${whole}${whenWords(f, this.look)}`.split("; "), side(f));
  }

  #value(on: Parameters<typeof phrase>[0], n: number): string {
    const says = this.say({ op: "eq", a: on, b: n });
    const name = says.slice(says.lastIndexOf(" ") + 1);
    return name === figure(n) ? name : `${n}`;
  }

  /** A number as a box of its width: those of an escape's first part. */
  #bits(f: FieldModel, prefix: string): void {
    const t = f.type as UintModel;
    const name = prefix + f.name;
    if (t.flags !== undefined && this.#flags(f.name, t, t.flags)) return;
    const names = [name, f.name];
    if (t.reserved === true) names.push("0");
    else if (t.konst !== undefined) names.unshift(`${name} = ${figure(t.konst)}`);
    this.#box(t.bits, this.#fit(names, t.bits));
  }

  /** Flags as boxes of their own bits; false if their bits do not lie together. */
  #flags(name: string, t: UintModel, flags: Readonly<Record<string, number>>): boolean {
    const runs = Object.entries(flags).map(([flag, mask]) => {
      const low = Math.log2(mask & -mask);
      const bits = Math.log2((mask >>> 0) / 2 ** low + 1);
      return { flag, bits, from: t.bits - low - bits };
    });
    if (runs.some((r) => !Number.isInteger(r.bits) || r.from < 0)) return false;
    const explained: string[] = [];
    let at = 0;
    let named = false;
    const gap = (to: number) => {
      const bits = to - at;
      if (bits <= 0) return;
      const label = !named && name.length < 2 * bits ? name : "";
      named ||= label !== "";
      this.#box(bits, label);
    };
    for (const { flag, bits, from } of runs.sort((a, b) => a.from - b.from)) {
      gap(from);
      const label = flag.length < 2 * bits ? flag : this.#short(flag, bits);
      if (label !== flag) explained.push(`${label} ${flag}`);
      this.#taken.add(label);
      this.#box(bits, label);
      at = from + bits;
    }
    gap(t.bits);
    if (explained.length > 0) this.#legend.push(`${name}: ${explained.join(", ")}`);
    return true;
  }

  /** What follows an escape's first part if that has not room enough. */
  #wider(f: FieldModel, prefix: string): void {
    if (f.type.kind === "escape") this.words([`${prefix}${f.name}: ${escapeWords(f.type)}`], "/");
  }

  /** The first of the names that fits, else a short form that the legend explains. */
  #fit(names: readonly string[], bits: number): string {
    const fitting = names.find(
      (name) => name.length < 2 * bits && (name === "0" || !this.#taken.has(name)),
    );
    const full = names.find((n) => !n.includes(" ")) ?? "";
    const label = fitting ?? this.#short(full, bits);
    if (fitting === undefined) this.#legend.push(`${label}: ${full}`);
    this.#taken.add(label);
    return label;
  }

  /** A short form of the name that nothing else in the picture has. */
  #short(name: string, bits: number): string {
    const width = Math.min(2 * bits - 1, ROW * 2 - 1);
    const bare = name.slice(name.lastIndexOf(".") + 1);
    const letters = [...bare].flatMap((c) => [c.toUpperCase(), c.toLowerCase()]);
    const candidates =
      width === 1
        ? letters
        : [bare.slice(0, width), ...letters.map((c) => bare.slice(0, width - 1) + c)];
    return candidates.find((c) => !this.#taken.has(c)) ?? "?";
  }

  /** Boxes flow on into the next row, as octets do. */
  #box(bits: number, label: string): void {
    const box: Box = { label, cells: [] };
    for (let left = bits; left > 0; ) {
      if (this.#room === 0) {
        this.#rows.push({ cells: [], side: "|" });
        this.#room = ROW;
      }
      const n = Math.min(left, this.#room);
      const from = ROW - this.#room;
      const cell = { box, from, to: from + n };
      const row = this.#rows.at(-1) as Row;
      row.cells.push(cell);
      box.cells.push({ row: this.#rows.length - 1, cell });
      this.#room -= n;
      left -= n;
    }
  }

  /** A row that tells in words. */
  words(lines: readonly string[], side: "|" | "/", left = false): void {
    const text = left
      ? lines.map((l) => ` ${l}`.padEnd(2 * ROW - 1))
      : lines.flatMap((l) => wrap(l)).map((l) => centred(l, 2 * ROW - 1));
    const box: Box = { label: "", cells: [] };
    this.#rows.push({ cells: [{ box, from: 0, to: ROW }], text, side });
    this.#room = 0;
  }

  draw(): string[] {
    const rows = this.#rows;
    if (rows.length === 0) return [];
    const width = Math.max(...rows.map((r) => r.cells.at(-1)?.to ?? 0));
    const lines = ruler(width);
    for (let i = 0; i <= rows.length; i++) {
      lines.push(this.#border(i));
      const row = rows[i];
      if (row === undefined) break;
      if (row.text !== undefined) lines.push(...row.text.map((t) => `${row.side}${t}${row.side}`));
      else {
        const line = blank();
        for (const { box, from, to } of row.cells) {
          line[2 * from] = line[2 * to] = "|";
          const here = middle(box);
          if (here.row === i && !here.below) put(line, from, to, box.label);
        }
        lines.push(line.join("").trimEnd());
      }
    }
    return [...lines, ...this.#legendLines()];
  }

  /** The line above row `i`: dashes where the boxes above and below differ. */
  #border(i: number): string {
    const above = this.#rows[i - 1]?.cells ?? [];
    const below = this.#rows[i]?.cells ?? [];
    const at = (cells: readonly Cell[], bit: number) =>
      cells.find((c) => c.from <= bit && bit < c.to)?.box;
    const line = blank();
    for (let bit = 0; bit < ROW; bit++) {
      if (at(above, bit) !== at(below, bit)) line[2 * bit] = line[2 * bit + 2] = "+";
      if (at(above, bit) !== at(below, bit)) line[2 * bit + 1] = "-";
    }
    for (const { from, to } of [...above, ...below]) line[2 * from] = line[2 * to] = "+";
    for (const { box, from, to } of below) {
      const here = middle(box);
      if (here.row === i - 1 && here.below) put(line, from, to, box.label);
    }
    return line.join("").trimEnd();
  }

  #legendLines(): string[] {
    const lines: string[] = [];
    for (const entry of this.#legend) {
      const last = lines.at(-1);
      const joined = `${last}, ${entry}`;
      if (
        last !== undefined &&
        !entry.includes(",") &&
        !last.includes(", ") &&
        joined.length <= 2 * ROW
      )
        lines[lines.length - 1] = joined;
      else lines.push(...hang(entry));
    }
    return lines;
  }
}

const unconditional = ({ when: _, ...f }: FieldModel): FieldModel => f as FieldModel;

/** Slashes where the size varies once the field is there. */
const side = (f: FieldModel): "|" | "/" =>
  f.min === f.max && innerOf(f.type).length === 0 ? "|" : "/";

const blank = (): string[] => Array.from({ length: 2 * ROW + 1 }, () => " ");

/** Where a box has its label: in the row, or, if two rows are equally near, on the line below it. */
function middle({ cells }: Box): { row: number; below: boolean } {
  const widths = cells.map(({ cell }) => cell.to - cell.from);
  const widest = Math.max(...widths);
  const best = cells.filter((_, i) => widths[i] === widest);
  const row = best[Math.floor((best.length - 1) / 2)]?.row ?? 0;
  return { row, below: best.length % 2 === 0 && widest === ROW };
}

function put(line: string[], from: number, to: number, text: string): void {
  const label = centred(text, 2 * (to - from) - 1);
  for (let i = 0; i < label.length; i++) line[2 * from + 1 + i] = label[i] as string;
}

function centred(text: string, width: number): string {
  const left = Math.max(0, Math.floor((width - text.length) / 2));
  return (" ".repeat(left) + text).padEnd(width);
}

/** Lines no longer than a row, broken after commas where that is enough. */
function wrap(text: string, width = 2 * ROW - 3): string[] {
  const lines: string[] = [];
  for (const item of text
    .split(/(?<=,) /)
    .flatMap((i) => (i.length > width ? i.split(" ") : [i]))) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + item.length <= width)
      lines[lines.length - 1] = `${last} ${item}`;
    else lines.push(item);
  }
  return lines;
}

/** Wrapped, with the lines after the first set in. */
function hang(text: string): string[] {
  const inset = /^ */.exec(text)?.[0] ?? "";
  return wrap(text.trimStart(), 2 * ROW - 5 - inset.length).map(
    (l, i) => inset + (i === 0 ? "" : "  ") + l,
  );
}

function ruler(width: number): string[] {
  const tens = Array.from({ length: width }, (_, i) => (i % 10 === 0 ? `${i / 10} ` : "  ")).join(
    "",
  );
  const ones = Array.from({ length: width }, (_, i) => `${i % 10} `).join("");
  return [` ${tens}`.trimEnd(), ` ${ones}`.trimEnd()];
}
