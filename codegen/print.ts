/** Expressions in words, for the sentences of faults. */
import type { Expr } from "../spec/lang.js";

const SIGN: Readonly<Record<string, string>> = {
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  mod: "%",
  shl: "<<",
  shr: ">>",
  mask: "&",
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
  and: "and",
  or: "or",
};

/** An expression in words for people: `(ihl - 5) * 4`. */
export function print(e: Expr, inner = false): string {
  if (typeof e === "number") return e >= 4096 ? `0x${e.toString(16)}` : String(e);
  switch (e.op) {
    case "field":
      return e.name;
    case "self":
      return "value";
    case "head":
      return "octets of the header";
    case "payload":
      return "octets of the payload";
    case "octets":
      return `octets of ${e.of}`;
    case "count":
      return `elements of ${e.of}`;
    case "last":
      return `last of ${e.of}`;
    case "not":
      return `not ${print(e.a, true)}`;
    case "pick":
      return `${print(e.of, true)} → {${Object.entries(e.map)
        .map(([k, v]) => `${k}: ${v}`)
        .join(", ")}}`;
    default: {
      const text = `${print(e.a, true)} ${SIGN[e.op]} ${print(e.b, true)}`;
      return inner ? `(${text})` : text;
    }
  }
}
