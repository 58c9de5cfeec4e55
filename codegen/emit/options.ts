/** Prints the loop that reads a list of options: type, length, value. */
import type { FieldModel, TlvModel } from "../model.js";
import { local } from "./code.js";
import { scalar } from "./load.js";
import type { Place } from "./place.js";

/** Options from the cursor to where the variable `stop` says; `kept`: into the list named as the field. */
export function readOptions(
  place: Place,
  f: FieldModel,
  t: TlvModel,
  stop: string,
  kept: boolean,
): void {
  const x = local(f.name);
  const head = t.type + t.length;
  const type = `${x}Type`;
  if (!kept && !place.checks) {
    place.code.line(`p = ${stop};`);
  } else {
    const ended = place.checks && t.end !== undefined;
    if (ended) place.code.line(`let ${x}Ended = false;`);
    place.code.block(`while (p < ${stop})`, () => {
      if (t.type > 1) place.refuse(`${stop} - p < ${t.type}`, f, "fill", "p");
      place.code.line(`const ${type} = ${scalar(t.type * 8, false, "p", t.order)};`);
      if (ended) {
        place.refuse(`${x}Ended && ${type} !== ${t.end}`, f, "end", "p");
        place.code.line(`if (${type} === ${t.end}) ${x}Ended = true;`);
      }
      const alone = t.single.map((s) => `${type} === ${s}`).join(" || ");
      if (alone === "") item(place, f, t, stop, "const n =");
      else {
        place.code.line(`let n = ${t.type};`);
        place.code.line(`const ${x}Alone = ${alone};`);
        place.code.block(`if (!${x}Alone)`, () => item(place, f, t, stop, "n ="));
      }
      if (kept) {
        const value = `${place.used.get("octets")}(v, p + ${head}, n - ${head})`;
        const given = alone === "" ? value : `${x}Alone ? undefined : ${value}`;
        place.code.line(`${x}.push({ type: ${type}, value: ${given} });`);
      }
      if (t.align === 1) place.code.line("p += n;");
      else {
        place.code.line(`const ${x}Filled = n + (-n & ${t.align - 1});`);
        place.refuse(`${x}Filled > ${stop} - p`, f, "fill", "p");
        place.refuse(`!${place.used.get("blank")}(v, p + n, ${x}Filled - n)`, f, "pad", "p + n");
        place.code.line(`p += ${x}Filled;`);
      }
    });
  }
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
