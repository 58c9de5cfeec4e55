/**
 * Prints how a list of options is read and written: type, length, value. Most headers have none, so each loop is
 * a function of its own, called only if there are octets: a compiler that puts `measure` and `read`
 * into their callers has little to put there.
 */
import type { FieldModel, TlvModel } from "../model.js";
import { beside, pascal, typeOf } from "./code.js";
import { scalar } from "./load.js";
import { Place } from "./place.js";
import type { Stores } from "./stores.js";
import { range32, type Values } from "./values.js";

/** Refuses options that are wrong, from here to where the variable `stop` says. */
export function checkOptions(place: Place, f: FieldModel, t: TlvModel, stop: string): void {
  if (!place.checks) return;
  if (place.mode === "explain") {
    place.cursor();
    return loop(place, f, t, stop);
  }
  const name = `check${pascal(f.path)}`;
  const check = place.used.own(name, (code) => {
    code.doc(`The fault in \`${f.path}\`, the options from \`p\` to \`stop\`; 0 if there is none.`);
    code.block(`function ${name}(${params(t)}): number`, () => {
      loop(new Place(code, place.header, "measure", place.used, "p"), f, t, "stop");
      code.line("return 0;");
    });
  });
  const fault = beside(f.name, "fault");
  place.code.block(`if (${place.at} < ${stop})`, () => {
    place.code.line(`const ${fault} = ${check}(${args(place, t, stop)});`);
    place.code.line(`if (${fault} !== 0) return ${fault};`);
  });
}

/** The options from here to where the variable `stop` says, as an expression. */
export function splitOptions(place: Place, f: FieldModel, t: TlvModel, stop: string): string {
  const name = `split${pascal(f.path)}`;
  const split = place.used.own(name, (code) => {
    const type = typeOf(f, place.header).replace(/ \| undefined$/, "");
    code.doc(`\`${f.path}\`: the options from \`p\` to \`stop\`, which have been found right.`);
    code.block(`function ${name}(${params(t)}): ${type}`, () => {
      code.line(`const options: ${type} = [];`);
      loop(new Place(code, place.header, "read", place.used, "p"), f, t, "stop", "options");
      code.line("return options;");
    });
  });
  return `${place.at} < ${stop} ? ${split}(${args(place, t, stop)}) : []`;
}

/** Writes the options in `x`. */
export function writeOptions(
  values: Values,
  stores: Stores,
  f: FieldModel,
  t: TlvModel,
  x: string,
): void {
  const { code, used } = values;
  const head = t.type + t.length;
  const [type, value] = [beside(f.name, "type"), beside(f.name, "value")];
  const option = `\`option \${${type}}\``;
  stores.cursor();
  const from = beside(f.name, "from");
  code.line(`const ${from} = p;`);
  const ended = beside(f.name, "ended");
  if (t.end !== undefined) code.line(`let ${ended} = false;`);
  values.each(x, `{ type: ${type}, value: ${value} }`, `i < ${x}.length`, () => {
    values.refuseIf(range32(t.type * 8, type), f, `does not fit ${t.type * 8} bits`, type);
    if (t.end !== undefined) {
      values.refuseIf(`${ended} && ${type} !== ${t.end}`, f, "follows the end", option);
      code.line(`if (${type} === ${t.end}) ${ended} = true;`);
    }
    stores.number(t.type * 8, false, t.order, type);
    if (t.single.length > 0) {
      code.line(`if (${t.single.map((s) => `${type} === ${s}`).join(" || ")}) {`);
      code.indented(() => {
        values.refuseIf(`${value} !== undefined`, f, "stands alone, without a value", option);
        stores.skip(String(t.type), t.align);
        code.line("continue;");
      });
      code.line("}");
    }
    values.refuseIf(`${value} === undefined`, f, "needs a value", option);
    const counted = t.counts === "item" ? `${value}.length + ${head}` : `${value}.length`;
    const most = 2 ** (t.length * 8) - 1;
    if (t.unit > 1)
      values.refuseIf(
        `(${counted}) % ${t.unit} !== 0`,
        f,
        `is no multiple of ${t.unit} octets`,
        option,
      );
    const scaled = t.unit > 1 ? `(${counted}) / ${t.unit}` : counted;
    values.refuseIf(`${scaled} > ${most}`, f, "is too long", option);
    stores.plus = t.type;
    stores.number(t.length * 8, false, t.order, scaled);
    stores.plus = 0;
    code.line(`${used.get("put")}(v, p + ${head}, ${value});`);
    stores.skip(`${value}.length + ${head}`, t.align);
  });
  values.refuseIf(`p - ${from} > ${t.max}`, f, `octets are more than ${t.max}`, `p - ${from}`);
  if (t.fill !== "rest") values.filled(f, t.fill);
}

const params = (t: TlvModel): string =>
  `v: DataView, p: number, stop: number${t.order === "header" ? ", little: boolean" : ""}`;

const args = (place: Place, t: TlvModel, stop: string): string =>
  `v, ${place.at}, ${stop}${t.order === "header" ? ", little" : ""}`;

/** Options from `p` on; those of `read` are put in `list`. */
function loop(place: Place, f: FieldModel, t: TlvModel, stop: string, list?: string): void {
  const { code } = place;
  const head = t.type + t.length;
  const ended = place.checks && t.end !== undefined;
  code.block(ended ? `for (let ended = false; p < ${stop}; )` : `while (p < ${stop})`, () => {
    if (t.type > 1) place.refuse(`${stop} - p < ${t.type}`, f, "fill", "p");
    code.line(`const type = ${scalar(t.type * 8, false, "p", t.order)};`);
    if (ended) {
      place.refuse(`ended && type !== ${t.end}`, f, "end", "p");
      code.line(`if (type === ${t.end}) ended = true;`);
    }
    const alone = t.single.map((s) => `type === ${s}`).join(" || ");
    if (alone === "") item(place, f, t, stop, "const n =");
    else {
      code.line(`let n = ${t.type};`);
      code.line(`const alone = ${alone};`);
      code.block("if (!alone)", () => item(place, f, t, stop, "n ="));
    }
    if (list !== undefined) {
      const value = `${place.used.get("octets")}(v, p + ${head}, n - ${head})`;
      const given = alone === "" ? value : `alone ? undefined : ${value}`;
      code.line(`${list}.push({ type, value: ${given} });`);
    }
    if (t.align === 1) code.line("p += n;");
    else {
      code.line(`const filled = n + (-n & ${t.align - 1});`);
      place.refuse(`filled > ${stop} - p`, f, "fill", "p");
      place.refuse(`!${place.used.get("blank")}(v, p + n, filled - n)`, f, "pad", "p + n");
      code.line("p += filled;");
    }
  });
}

/** Octets of an option that has a value, its type and length counted. */
function item(place: Place, f: FieldModel, t: TlvModel, stop: string, assign: string): void {
  const head = t.type + t.length;
  place.refuse(`${stop} - p < ${head}`, f, "fill", "p");
  const raw = scalar(t.length * 8, false, `p + ${t.type}`, t.order);
  const scaled = t.unit === 1 ? raw : `${raw} * ${t.unit}`;
  place.code.line(`${assign} ${t.counts === "item" ? scaled : `${scaled} + ${head}`};`);
  const few = t.counts === "item" ? `n < ${head} || ` : "";
  place.refuse(`${few}n > ${stop} - p`, f, "fill", "p");
}
