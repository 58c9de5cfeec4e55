/** Values of headers: where two differ, and what else they could be. */
import { type FieldModel, inValue, type TypeModel } from "../../codegen/model.js";
import type { Value } from "./interpreter.js";

/** The path of the first difference. Computed fields count only if `computed`. */
export function difference(
  fields: readonly FieldModel[],
  a: Value,
  b: Value,
  computed = true,
): string | undefined {
  for (const f of fields) {
    if (!inValue(f) || (f.auto !== undefined && !computed)) continue;
    const [x, y] = [a[f.name], b[f.name]];
    const found =
      x === undefined || y === undefined ? where(x === y, f.path) : inside(f, x, y, computed);
    if (found !== undefined) return found;
  }
  return undefined;
}

const where = (same: boolean, path: string) => (same ? undefined : path);

function inside(f: FieldModel, x: unknown, y: unknown, computed: boolean): string | undefined {
  const { type: t, path } = f;
  switch (t.kind) {
    case "bytes":
      return where(sameOctets(x, y), path);
    case "nested":
    case "choose":
      return difference(fieldsOf(t, x) ?? [], x as Value, y as Value, computed);
    case "repeat": {
      const [p, q] = [x as unknown[], y as unknown[]];
      if (p.length !== q.length) return `${path}, its length`;
      return p.map((e, i) => inside(t.of, e, q[i], computed)).find((d) => d !== undefined);
    }
    case "tlv": {
      type Items = { type: number; value: unknown }[];
      const [p, q] = [x as Items, y as Items];
      const same = (e: Items[number], i: number) =>
        e.type === q[i]?.type &&
        (e.value === undefined ? q[i]?.value === undefined : sameOctets(e.value, q[i]?.value));
      return where(p.length === q.length && p.every(same), path);
    }
    default:
      return where(x === y, path);
  }
}

function sameOctets(a: unknown, b: unknown): boolean {
  if (!(a instanceof Uint8Array) || !(b instanceof Uint8Array)) return false;
  return a.length === b.length && a.every((n, i) => n === b[i]);
}

const NUMBERS = [
  -1,
  0,
  1,
  7,
  8,
  15,
  16,
  0.5,
  127,
  128,
  255,
  256,
  65535,
  65536,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 64,
  Number.NaN,
  Number.POSITIVE_INFINITY,
];
const BIGINTS = [-1n, 0n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, -(2n ** 63n), -(2n ** 63n) - 1n];

/** The value with one field of it changed, to something of its type that often cannot be written. */
export function changed(fields: readonly FieldModel[], value: Value, choose: Chooser): Value {
  const own = fields.filter((f) => inValue(f) && f.auto === undefined);
  const f = own[choose(Math.max(1, own.length))];
  if (f === undefined) return value;
  const was = value[f.name];
  if (was === undefined) return { ...value, [f.name]: plainest(f) };
  if (f.when !== undefined && choose(4) === 0) return { ...value, [f.name]: undefined };
  return { ...value, [f.name]: other(f, was, choose) };
}

/** A number from 0 up to, and without, `ways`. */
type Chooser = (ways: number) => number;

function other({ type: t }: FieldModel, was: unknown, choose: Chooser): unknown {
  const one = <T>(ways: readonly T[]) => ways[choose(ways.length)] as T;
  switch (t.kind) {
    case "uint":
      if (t.as === "boolean") return !was;
      if (t.as === "bigint") return one(BIGINTS);
      return one([...NUMBERS, Number(was) + 1, Number(was) - 1]);
    case "escape":
    case "varint":
      return one([...NUMBERS, Number(was) + 1, Number(was) - 1]);
    case "text": {
      const text = was as string;
      return one([`${text}a`, text.slice(1), `é${text.slice(1)}`, `\ud800${text.slice(1)}`]);
    }
    case "bytes":
      return one([(was as Uint8Array).slice(1), Uint8Array.of(...(was as Uint8Array), 1)]);
    case "nested":
    case "choose":
      return changed(fieldsOf(t, was) ?? [], was as Value, choose);
    case "repeat": {
      const list = was as unknown[];
      const at = choose(Math.max(1, list.length));
      const ways = [list.slice(1), [...list, ...list.slice(-1)], [...list, ...list]];
      const inner = () => list.map((e, i) => (i === at ? other(t.of, e, choose) : e));
      return choose(2) === 0 ? one(ways) : inner();
    }
    case "tlv": {
      const list = was as readonly Item[];
      const at = choose(Math.max(1, list.length));
      const ways = [
        list.slice(1),
        [...list, ...list.slice(-1)],
        [...list, { type: 1, value: undefined }],
      ];
      const item = ({ type, value }: Item): Item =>
        one([
          { type: one(NUMBERS), value },
          { type, value: undefined },
          { type, value: Uint8Array.of(...(value ?? []), 1) },
          { type, value: new Uint8Array(300) },
        ]);
      return choose(2) === 0 ? one(ways) : list.map((e, i) => (i === at ? item(e) : e));
    }
    case "pad":
      return was;
  }
}

interface Item {
  readonly type: number;
  readonly value: Uint8Array | undefined;
}

/** Something where nothing should be. */
function plainest({ type: t }: FieldModel): unknown {
  if (t.kind === "uint") return t.as === "boolean" ? true : t.as === "bigint" ? 1n : 0;
  if (t.kind === "bytes") return new Uint8Array(1);
  if (t.kind === "text") return "a";
  return t.kind === "escape" || t.kind === "varint" ? 0 : undefined;
}

/** The fields of a value that has some: of a nested one, or of the arm that was chosen. */
export function fieldsOf(t: TypeModel, value: unknown): readonly FieldModel[] | undefined {
  if (t.kind === "nested") return t.fields;
  if (t.kind !== "choose") return undefined;
  return armOf([...t.arms.map((a) => a.fields), t.otherwise ?? []], value as Value);
}

/** The arm whose fields the value has. */
function armOf(arms: readonly (readonly FieldModel[])[], value: Value): readonly FieldModel[] {
  const names = Object.keys(value).sort().join();
  const fits = (arm: readonly FieldModel[]) =>
    arm
      .filter(inValue)
      .map((f) => f.name)
      .sort()
      .join() === names;
  return arms.find(fits) ?? [];
}
