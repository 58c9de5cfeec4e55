/**
 * Every mistake that the generator refuses: where it says it stands, what it says is wrong, and how to
 * mend it. The place is marked in the spec by ▸.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { readSpecs, specFiles } from "../codegen/read.js";
import { resolve } from "../codegen/resolve.js";

const WORDS =
  `bit, bits, by, bytes, choose, countOf, E, escape, flags, header, headLength, i8, konst,
  nested, octetsOf, oneOf, pad, payloadLength, repeat, reserved, rest, text, textOf, tlv, to, u16, u32, u53,
  u64, u8, unmask, varint`.replace(/\s+/g, " ");

/** What is in front of `header(…)` in the cases that do not say. */
const CONSTANT = "x = ";

type Case = readonly [name: string, spec: string, says: string];

function refused(what: string, cases: readonly Case[]): void {
  const test = suite(what);
  for (const [name, spec, says] of cases) {
    test(name, async () => {
      const declared = /^▸?\w+ = /.test(spec) ? spec : CONSTANT + spec;
      const text = `import { ${WORDS} } from "wirestack/spec";\nexport const ${declared};\n`;
      assert.is(await refusal(text.replace("▸", "")), `specs/x.ts:${placeOf(text)}: ${says}`);
    });
  }
  test.run();
}

/** Line and column of the mark. */
function placeOf(text: string): string {
  const lines = text.slice(0, text.indexOf("▸")).split("\n");
  return `${lines.length}:${(lines.at(-1) ?? "").length + 1}`;
}

/** The message with which a folder of one spec is refused. */
async function refusal(text: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "wirestack-"));
  try {
    writeFileSync(join(folder, "x.ts"), text);
    resolve(await readSpecs(folder, "specs", specFiles(folder)));
    return "is not refused";
  } catch (error) {
    return (error as Error).message;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

refused("bits that do not end on an octet", [
  [
    "a group that is too short",
    `header("x", { a: bits(4), ▸b: bits(3) }, { ref: "-" })`,
    "the group of bits at 'b' ends inside an octet; 7 bits so far: add reserved(1) or name the bit that follows",
  ],
  [
    "a group before whole octets",
    `header("x", { ▸a: bit, b: u8 }, { ref: "-" })`,
    "the group of bits at 'a' ends inside an octet; 1 bit so far: add reserved(7) or name the 7 bits that follow",
  ],
  [
    "a group in a part",
    `header("x", { part: nested({ ▸a: bits(5) }) }, { ref: "-" })`,
    "the group of bits at 'part.a' ends inside an octet; 5 bits so far: add reserved(3) or name the 3 bits that follow",
  ],
  [
    "a group of more than 32 bits",
    `header("x", { a: bits(4), ▸b: bits(30), c: bits(6) }, { ref: "-" })`,
    "the group of bits at 'b' is wider than 32 bits; let fields end on an octet within 32 bits",
  ],
  [
    "a group of which half may be absent",
    `header("x", { on: u8 }, { ref: "-" }).and((h) => ({ a: bits(4), ▸b: bits(4).when(h.on.eq(1)) }))`,
    "the group of bits at 'b' has fields with different conditions; give all fields that share an octet the same when()",
  ],
  [
    "a width of 33",
    `header("x", { ▸a: bits(33 as 32) }, { ref: "-" })`,
    "'a' has 33 bits; a field has 1 to 32 bits, or 64",
  ],
  [
    "half a bit",
    `header("x", { ▸a: bits(3.5 as 3) }, { ref: "-" })`,
    "'a' has 3.5 bits; a field has 1 to 32 bits, or 64",
  ],
  [
    "bits across octets, least octet first",
    `header("x", { a: bits(4), ▸b: bits(12) }, { ref: "-", order: "little" })`,
    "'b' crosses an octet in a header that is not big-endian; split it, or use a whole u16 or u32",
  ],
  [
    "bits as elements",
    `header("x", { ▸list: repeat(bits(4), { fill: "rest", max: 4 }) }, { ref: "-" })`,
    "elements of 'list' do not stand on octets by themselves; put bits and conditions into nested({ … })",
  ],
]);

refused("arms and fields that are never there, or twice", [
  [
    "an arm for a value that has no name",
    `header("x", { kind: oneOf(u8, { a: 1, b: 2 }) }, { ref: "-" }).and((h) => ({ body: choose(h.kind, { a: { is: 1, of: { x: u8 } }, ▸b: { is: 3, of: { y: u16 } } }) }))`,
    "the arm 'b' of 'body' can never be taken; no value that the earlier field may have leads there; take it away",
  ],
  [
    "an arm for more than the field holds",
    `header("x", { kind: u8 }, { ref: "-" }).and((h) => ({ body: choose(h.kind, { ▸b: { is: 256, of: { x: u16 } } }) }))`,
    "the arm 'b' of 'body' can never be taken; no value that the earlier field may have leads there; take it away",
  ],
  [
    "an otherwise where all values have arms",
    `header("x", { kind: oneOf(u8, { a: 1, b: 2 }) }, { ref: "-" }).and((h) => ({ ▸body: choose(h.kind, { a: { is: 1, of: { x: u8 } }, b: { is: 2, of: { x: u8 } } }, { y: u16 }) }))`,
    "the arm 'otherwise' of 'body' can never be taken; no value that the earlier field may have leads there; take it away",
  ],
  [
    "two arms for one value",
    `header("x", { kind: u8 }, { ref: "-" }).and((h) => ({ body: choose(h.kind, { a: { is: [1, 2], of: { x: u8 } }, ▸b: { is: 2, of: { y: u16 } } }) }))`,
    "the arms 'a' and 'b' of 'body' overlap: both are for 2; let each value have one arm",
  ],
  [
    "a choice without arms",
    `header("x", { kind: u8 }, { ref: "-" }).and((h) => ({ ▸body: choose(h.kind, {}) }))`,
    "'body' has no arms; write one, or take the choice away",
  ],
  [
    "a field against an earlier rule",
    `header("x", { n: u8.must((n) => n.lt(5)) }, { ref: "-" }).and((h) => ({ ▸a: u8.when(h.n.gt(5)) }))`,
    "'a' can never be present; its condition contradicts what earlier fields allow; mend it",
  ],
  [
    "a field for more than an earlier one holds",
    `header("x", { n: u8 }, { ref: "-" }).and((h) => ({ ▸a: u8.when(h.n.gt(255)) }))`,
    "'a' can never be present; its condition contradicts what earlier fields allow; mend it",
  ],
  [
    "names for no value",
    `header("x", { ▸kind: oneOf(u8, {}) }, { ref: "-" })`,
    "'kind' can have no value; name one, or add { open: true }",
  ],
  [
    "a rule that no value keeps to",
    `header("x", { ▸n: u8.must((n) => n.gt(255)) }, { ref: "-" })`,
    "no value of 'n' keeps to its rules (must hold: value > 255); mend the rules, or widen the field",
  ],
  [
    "rules that no value keeps to together",
    `header("x", { ▸n: u8.must((n) => n.gt(9), "is more than 9").must((n) => n.lt(5), "is less than 5") }, { ref: "-" })`,
    "no value of 'n' keeps to its rules (is more than 9; is less than 5); mend the rules, or widen the field",
  ],
  [
    "a field behind the rest",
    `header("x", { ▸body: rest(9), n: u8 }, { ref: "-" })`,
    "'body' takes all that is left, so 'n' can never follow; give it a length, or put it last",
  ],
  [
    "a payload behind the rest",
    `header("x", { ▸body: rest(9) }, { ref: "-" }).payload()`,
    "'body' takes all that is left, so there is no payload; give it a length, or take payload() away",
  ],
  [
    "a second element behind the rest",
    `header("x", { ▸list: repeat(nested({ n: u8, body: rest(9) }), { fill: "rest", max: 9 }) }, { ref: "-" })`,
    "the first element of 'list' takes all that is left; give the element a length",
  ],
]);

refused("lengths that can go negative", [
  [
    "octets",
    `header("x", { length: u8 }, { ref: "-" }).and((h) => ({ ▸body: bytes(h.length.sub(4)) }))`,
    "the length of 'body' can be negative, down to -4; add a must() to the field that it is computed from: .must(x => x.ge(…))",
  ],
  [
    "signed octets",
    `header("x", { length: i8 }, { ref: "-" }).and((h) => ({ ▸body: bytes(h.length) }))`,
    "the length of 'body' can be negative, down to -128; add a must() to the field that it is computed from: .must(x => x.ge(…))",
  ],
  [
    "options",
    `header("x", { ihl: u8 }, { ref: "-" }).and((h) => ({ ▸options: tlv({ type: u8, length: u8, fill: h.ihl.sub(5).mul(4), max: 40 }) }))`,
    "the length of 'options' can be negative, down to -20; add a must() to the field that it is computed from: .must(x => x.ge(…))",
  ],
  [
    "elements",
    `header("x", { n: u8 }, { ref: "-" }).and((h) => ({ ▸list: repeat(u8, { count: h.n.sub(1), max: 9 }) }))`,
    "the length of 'list' can be negative, down to -1; add a must() to the field that it is computed from: .must(x => x.ge(…))",
  ],
  [
    "the payload",
    `header("x", { length: u16 }, { ref: "-" }).payload({ ▸length: (h) => h.length.sub(2) })`,
    "the payload's length can be negative, down to -2; add a must() to the field that it is computed from",
  ],
  [
    "a quotient by what can be zero",
    `header("x", { n: u8, m: u8 }, { ref: "-" }).and((h) => ({ ▸body: bytes(h.n.div(h.m)) }))`,
    "the length of 'body' divides by m, which can be 0; add a must() to the field: .must((x) => x.ge(1))",
  ],
  [
    "a look-up without an entry",
    `header("x", { n: u8 }, { ref: "-" }).and((h) => ({ ▸body: bytes(h.n.pick({ 0: 2, 1: 4 })) }))`,
    "the length of 'body' has no entry for 2; add one, give a second argument for all others, or restrict the field with oneOf()",
  ],
]);

refused("headers without a bound", [
  [
    "a repetition up to a value",
    `header("x", { ▸list: repeat(u32, { until: (x) => x.eq(0), max: Infinity }) }, { ref: "-" })`,
    "'list' repeats without a bound; give an element count as max, from 1 to 16777215",
  ],
  [
    "a repetition by count",
    `header("x", { n: u32 }, { ref: "-" }).and((h) => ({ ▸list: repeat(u8, { count: h.n, max: 0 }) }))`,
    "'list' repeats without a bound; give an element count as max, from 1 to 16777215",
  ],
  [
    "a repetition without max",
    `header("x", { ▸list: repeat(u32, { fill: "rest" } as never) }, { ref: "-" })`,
    "'list' repeats without a bound; give an element count as max, from 1 to 16777215",
  ],
  [
    "options without max",
    `header("x", { ▸options: tlv({ type: u8, length: u8, fill: "rest" } as never) }, { ref: "-" })`,
    "'options' repeats without a bound; give a length as max, from 1 to 16777215",
  ],
  [
    "elements that can be empty",
    `header("x", { n: u8 }, { ref: "-" }).and((h) => ({ ▸list: repeat(nested({ a: bytes(0) }), { fill: h.n, max: 4 }) }))`,
    "elements of 'list' can be empty, so they never fill anything; give them at least one octet, or a count",
  ],
  [
    "a maximum that is always exceeded",
    `header("x", { ▸name: text(8, { max: 6 }) }, { ref: "-" })`,
    "'name' always has more than 6 octets; raise its max",
  ],
  [
    "the rest, however long",
    `header("x", { ▸body: rest(undefined as never) }, { ref: "-" })`,
    "'body' has no greatest length, so neither has the header; bound it: rest(max), { max }, or a must() on the length",
  ],
  [
    "text up to the end, however long",
    `header("x", { ▸name: text("rest") }, { ref: "-" })`,
    "'name' has no greatest length, so neither has the header; bound it: rest(max), { max }, or a must() on the length",
  ],
  [
    "octets by the payload's length",
    `header("x", { ▸body: bytes(payloadLength) }, { ref: "-" })`,
    "the length of 'body' refers to the payload's length, which is not known yet; refer to earlier fields",
  ],
  [
    "octets by 64 bits",
    `header("x", { length: u53 }, { ref: "-" }).and((h) => ({ ▸body: bytes(h.length) }))`,
    "'x' takes up to 9007199254741000 octets; a head has less than 2^24; what is longer belongs into the payload",
  ],
]);

refused("names that are taken, or not safe", [
  [
    "a name of an earlier stage",
    `header("x", { a: u8 }, { ref: "-" }).and(() => ({ ▸a: u8 }) as never)`,
    "the name 'a' is taken by an earlier field; choose another",
  ],
  [
    "a name twice in one stage",
    `header("x", { a: u8, ▸a: u16 } as never, { ref: "-" })`,
    "the name 'a' is taken by an earlier field; choose another",
  ],
  [
    "a head's name in the trailer",
    `header("x", { a: u8 }, { ref: "-" }).payload().trailer(() => ({ ▸a: u8 }) as never)`,
    "the name 'a' is taken by an earlier field; choose another",
  ],
  [
    "an outer name in an arm",
    `header("x", { kind: u8 }, { ref: "-" }).and((h) => ({ body: choose(h.kind, { a: { is: 1, of: { ▸kind: u8 } } }) }))`,
    "the name 'kind' is taken by an earlier field; choose another",
  ],
  [
    "a choice's name in its arm",
    `header("x", { kind: u8 }, { ref: "-" }).and((h) => ({ body: choose(h.kind, { a: { is: 1, of: { ▸body: u8 } } }) }))`,
    "the name 'body' is taken by the field around it; choose another",
  ],
  [
    "__proto__",
    `header("x", { ▸__proto__: u8 } as never, { ref: "-" })`,
    "'__proto__' is not safe as a name; every object has it, or gives it a meaning; choose another",
  ],
  [
    "__proto__, computed",
    `header("x", { ▸["__proto__"]: u8 } as never, { ref: "-" })`,
    "'__proto__' is not safe as a name; every object has it, or gives it a meaning; choose another",
  ],
  [
    "constructor",
    `header("x", { ▸constructor: u8 } as never, { ref: "-" })`,
    "'constructor' is not safe as a name; every object has it, or gives it a meaning; choose another",
  ],
  [
    "then",
    `header("x", { ▸then: u8 } as never, { ref: "-" })`,
    "'then' is not safe as a name; every object has it, or gives it a meaning; choose another",
  ],
  [
    "toString, in a part",
    `header("x", { part: nested({ ▸toString: u8 } as never) }, { ref: "-" })`,
    "'toString' is not safe as a name; every object has it, or gives it a meaning; choose another",
  ],
  [
    "constructor, as a value",
    `header("x", { kind: oneOf(u8, { ▸constructor: 1 }) }, { ref: "-" })`,
    "'constructor' is not safe as a name; every object has it, or gives it a meaning; choose another",
  ],
  [
    "__proto__, as a flag",
    `header("x", { bits: flags(u8, { ▸["__proto__"]: 1 }) }, { ref: "-" })`,
    "'__proto__' is not safe as a name; every object has it, or gives it a meaning; choose another",
  ],
  [
    "constructor, as an arm",
    `header("x", { kind: u8 }, { ref: "-" }).and((h) => ({ body: choose(h.kind, { ▸constructor: { is: 1, of: { x: u8 } } } as never) }))`,
    "'constructor' is not safe as a name; every object has it, or gives it a meaning; choose another",
  ],
  [
    "constructor, as a header",
    `▸x = header("constructor", { a: u8 }, { ref: "-" })`,
    "'constructor' is no name for a header; write lower-case words, joined by dots: acme.trace",
  ],
  [
    "then, as a constant",
    `▸then = header("x", { a: u8 }, { ref: "-" })`,
    "'then' is not safe as a name; choose another",
  ],
  [
    "a field with a hyphen",
    `header("x", { ▸"source-port": u8 }, { ref: "-" })`,
    "'source-port' is no name for a field; write one word in camelCase: sourcePort",
  ],
  [
    "a header in capitals",
    `▸x = header("Acme.Trace", { a: u8 }, { ref: "-" })`,
    "'Acme.Trace' is no name for a header; write lower-case words, joined by dots: acme.trace",
  ],
  [
    "two headers in one file",
    `x = header("x", { a: u8 }, { ref: "-" });
export const ▸y = header("y", { a: u8 }, { ref: "-" })`,
    "'y' is the second header of this file, after 'x'; give each header a file of its own",
  ],
  [
    "a value in a table that is claimed",
    `header("x", { a: u8 }, { ref: "-", on: { ▸linktype: [1, 1] } })`,
    "1 in 'linktype' is claimed by 'x' already; only one header can follow; take one claim away",
  ],
]);

refused("two spellings of one value", [
  [
    "two names",
    `header("x", { ▸kind: oneOf(u8, { a: 1, b: 1 }) }, { ref: "-" })`,
    "'a' and 'b' of 'kind' are two spellings of 1; let each value have one name",
  ],
  [
    "two flags",
    `header("x", { ▸bits: flags(u8, { a: 3, b: 2 }) }, { ref: "-" })`,
    "flag 'b' of 'bits' overlaps another; let each bit have one name",
  ],
  [
    "two tiers of one width",
    `header("x", { ▸length: escape(8, { 254: u16, 255: u16 }) }, { ref: "-" })`,
    "tier 255 of 'length' has 16 bits, and the one before 16: it can hold nothing that the other cannot; let each tier be wider than the one before, in whole octets",
  ],
  [
    "a tier no wider than its escape",
    `header("x", { ▸length: escape(8, { 255: u8 }) }, { ref: "-" })`,
    "tier 255 of 'length' has 8 bits, and the one before 8: it can hold nothing that the other cannot; let each tier be wider than the one before, in whole octets",
  ],
  [
    "tiers with a gap",
    `header("x", { ▸length: escape(8, { 253: u16, 255: u32 }) }, { ref: "-" })`,
    "'length' escapes at 253, but its greatest values are 254 to 255; let the tiers take the greatest values, without a gap",
  ],
  [
    "padding of any content",
    `header("x", { ▸fill: pad(4).lint() }, { ref: "-" })`,
    "'fill' is padding, and linted; make it bytes() to keep its octets",
  ],
]);

refused("values that do not fit", [
  [
    "a name",
    `header("x", { ▸kind: oneOf(bits(4), { a: 16 }), b: bits(4) }, { ref: "-" })`,
    "'a' is 16, which does not fit the 4 bits of 'kind'; widen the field, or mend the value",
  ],
  [
    "a flag",
    `header("x", { ▸kind: flags(u8, { a: 256 }) }, { ref: "-" })`,
    "flag 'a' of 'kind' does not fit 8 bits; mend its mask",
  ],
  [
    "a constant",
    `header("x", { ▸version: konst(u8, 256) }, { ref: "-" })`,
    "the constant 256 of 'version' does not fit 8 bits; widen the field, or mend the constant",
  ],
  [
    "too few octets of a constant",
    `header("x", { ▸magic: konst(bytes(3), [1, 2]) }, { ref: "-" })`,
    "the constant of 'magic' has 2 octets, its type another number; make them equal",
  ],
  [
    "no octet in a constant",
    `header("x", { ▸magic: konst(bytes(2), [1, 256]) }, { ref: "-" })`,
    "the constant of 'magic' has 256, which is no octet; write 0 to 255",
  ],
]);

refused("trailers that cannot be found from their end", [
  [
    "a last field of any size",
    `header("x", {}, { ref: "-" }).payload().trailer(() => ({ ▸tag: rest(32) }))`,
    "the trailer's last field 'tag' has no fixed size, so decoding from the end cannot find it; put it into before(…), with a size that the last fields or the head decide",
  ],
  [
    "a last field that may be absent",
    `header("x", { a: bit, b: bits(7) }, { ref: "-" }).payload().trailer((h) => ({ ▸tag: u32.when(h.a) }))`,
    "the trailer's last field 'tag' has no fixed size, so decoding from the end cannot find it; put it into before(…), with a size that the last fields or the head decide",
  ],
  [
    "the rest in front",
    `header("x", {}, { ref: "-" }).payload().trailer(() => ({ alg: u8 })).before(() => ({ ▸tag: rest(32) }))`,
    "neither the trailer's last octets nor the head decide the size of 'tag'; let a fixed field at the very end, or in the head, say it",
  ],
  [
    "a length in front, of what is in front",
    `header("x", {}, { ref: "-" }).payload().trailer(() => ({ alg: u8 })).before((h) => ({ n: u8, ▸tag: bytes((h as never as { n: E }).n) }))`,
    "neither the trailer's last octets nor the head decide the size of 'tag'; let a fixed field at the very end, or in the head, say it",
  ],
  [
    "a number of any size in front",
    `header("x", {}, { ref: "-" }).payload().trailer(() => ({ alg: u8 })).before(() => ({ ▸n: varint(14) }))`,
    "neither the trailer's last octets nor the head decide the size of 'n'; let a fixed field at the very end, or in the head, say it",
  ],
  [
    "a list up to a value in front",
    `header("x", {}, { ref: "-" }).payload().trailer(() => ({ alg: u8 })).before(() => ({ ▸list: repeat(u8, { until: (x) => x.eq(0), max: 4 }) }))`,
    "neither the trailer's last octets nor the head decide the size of 'list'; let a fixed field at the very end, or in the head, say it",
  ],
]);

refused("references past the types", [
  [
    "forward",
    `header("x", { n: u8 }, { ref: "-" }).and((h) => ({ ▸body: bytes((h as never as { length: E }).length), length: u8 }))`,
    "the length of 'body' refers to 'length', which is no earlier field; earlier fields are: n",
  ],
  [
    "misspelt",
    `header("x", { length: u8 }, { ref: "-" }).and((h) => ({ ▸body: bytes((h as never as { lenght: E }).lenght) }))`,
    "the length of 'body' refers to 'lenght', which is no earlier field; did you mean 'length'?",
  ],
  [
    "like nothing",
    `header("x", { length: u8 }, { ref: "-" }).and((h) => ({ ▸body: bytes((h as never as { zzzzz: E }).zzzzz) }))`,
    "the length of 'body' refers to 'zzzzz', which is no earlier field; earlier fields are: length",
  ],
  [
    "of two letters, like none of one",
    `header("x", { a: u8 }, { ref: "-" }).and((h) => ({ ▸body: bytes((h as never as { zz: E }).zz) }))`,
    "the length of 'body' refers to 'zz', which is no earlier field; earlier fields are: a",
  ],
  [
    "to octets",
    `header("x", { key: bytes(4) }, { ref: "-" }).and((h) => ({ ▸a: u8.when((h as never as { key: E<boolean> }).key) }))`,
    "the condition refers to 'key', which is no number; only numbers up to 2^53 can decide something",
  ],
  [
    "to 64 bits",
    `header("x", { n: u64 }, { ref: "-" }).and((h) => ({ ▸body: bytes((h as never as { n: E }).n) }))`,
    "the length of 'body' refers to 'n', which is no number; only numbers up to 2^53 can decide something",
  ],
  [
    "to a constant",
    `header("x", { version: konst(u8, 1) }, { ref: "-" }).and((h) => ({ ▸a: bytes((h as never as { version: E }).version) }))`,
    "the length of 'a' refers to 'version', which is constant; write the number",
  ],
  [
    "to what may be absent",
    `header("x", { a: bit, b: bits(7) }, { ref: "-" }).and((h) => ({ n: u8.when(h.a) })).and((h) => ({ ▸body: bytes(h.n) }))`,
    "the length of 'body' refers to 'n', which may be absent; give both the same when(), or group them: nested({ … }).when(…)",
  ],
  [
    "to a checksum",
    `header("x", { sum: u16.auto("internet") }, { ref: "-" }).and((h) => ({ ▸a: u8.when(h.sum.eq(0)) }))`,
    "the condition refers to 'sum', which is a checksum; refer to another field",
  ],
  [
    "to the header's own length",
    `header("x", { ▸a: u8.when(headLength.gt(3)) }, { ref: "-" })`,
    "the condition refers to the header's own length, which is not known yet; refer to earlier fields",
  ],
  [
    "in the payload's length",
    `header("x", { length: u8 }, { ref: "-" }).payload({ ▸length: (h) => (h as never as { lengthy: E }).lengthy })`,
    "the payload's length refers to 'lengthy', which is no earlier field; did you mean 'length'?",
  ],
  [
    "in what follows",
    `header("x", { type: u8 }, { ref: "-" }).payload({ ▸next: (h) => [by("t", (h as never as { typ: E }).typ)] })`,
    "what follows refers to 'typ', which is no earlier field; did you mean 'type'?",
  ],
  [
    "in what happens to the payload",
    `header("x", { key: u32 }, { ref: "-" }).payload({ ▸via: (h) => [unmask((h as never as { keys: E }).keys)] })`,
    "what happens to the payload refers to 'keys', which is no earlier field; did you mean 'key'?",
  ],
  [
    "in a flow fact",
    `header("x", { type: u8 }, { ref: "-" }).sets((h) => ({ ▸"x.y": (h as never as { typ: E }).typ }))`,
    "'x.y' refers to 'typ', which is no earlier field; did you mean 'type'?",
  ],
  [
    "in a flow fact that is a field's text",
    `header("x", { name: bytes(4), n: u8 }, { ref: "-" }).sets(() => ({ ▸"x.y": textOf("n") }))`,
    "'x.y' is the text of 'n', which is no field of text or octets; fields of text or octets are: name",
  ],
  [
    "in what is shown",
    `header("x", { length: u8 }, { ref: "-" }).shows((h) => ({ ▸twice: (h as never as { len: E }).len.mul(2) }))`,
    "'twice' refers to 'len', which is no earlier field; earlier fields are: length",
  ],
  [
    "in who speaks to whom",
    `▸x = header("x", { source: u8 }, { ref: "-" }).ends("source", "sauce" as never)`,
    "'sauce' is no field; did you mean 'source'?",
  ],
  [
    "to a table that nobody asks",
    `header("x", { a: u8 }, { ref: "-", on: { ▸"ip.proto": 6 } })`,
    "no header looks anything up in 'ip.proto'; tables are: none",
  ],
  [
    "to a header that is not there",
    `header("acme.a", { a: u8 }, { ref: "-" }).payload({ ▸next: () => [to("acme.b")] })`,
    "no header is called 'acme.b'; did you mean 'acme.a'?",
  ],
]);

refused("computed fields", [
  [
    "from the payload",
    `header("x", { ▸n: u16.auto(payloadLength) }, { ref: "-" })`,
    "'n' is computed from octets that are not the header's; leave it a plain field; the caller knows the payload",
  ],
  [
    "from what is not there",
    `header("x", { ▸n: u16.auto(octetsOf("bdy")), body: rest(9) }, { ref: "-" })`,
    "'n' is computed from 'bdy', which is no field; did you mean 'body'?",
  ],
  [
    "by counting octets",
    `header("x", { ▸n: u16.auto(countOf("body")), body: rest(9) }, { ref: "-" })`,
    "'n' counts 'body', which is no repetition; use octetsOf()",
  ],
  [
    "in one bit",
    `header("x", { ▸n: bit.auto(headLength), a: bits(7) }, { ref: "-" })`,
    "'n' is computed, but is no whole number; give it a type such as u8 or u16",
  ],
  [
    "a checksum of 32 bits",
    `header("x", { ▸sum: u32.auto("internet") }, { ref: "-" })`,
    "'sum' is an internet checksum, but not 16 bits of the head; make it u16",
  ],
  [
    "from the whole head, in a part of it",
    `header("x", { part: nested({ ▸n: u8.auto(headLength) }) }, { ref: "-" })`,
    "'part.n' is computed from the whole head, but stands inside a part of it; move it out of nested() or choose()",
  ],
]);

refused("computed fields that cannot be computed", [
  [
    "a choice of its own form",
    `header("x", { ▸n: u8.auto(octetsOf("body")) }, { ref: "-" }).and((h) => ({ body: choose(h.n, { a: { is: 1, of: { x: u8 } }, b: { is: 2, of: { y: u16 } } }) }))`,
    "'n' is computed from what it decides itself; let a field that is given decide what is there",
  ],
  [
    "the whole head, part of which is there by it",
    `header("x", { ▸n: u8.auto(headLength) }, { ref: "-" }).and((h) => ({ a: u8.when(h.n.gt(1)) }))`,
    "'n' is computed from what it decides itself; let a field that is given decide what is there",
  ],
  [
    "two, each from the other",
    `header("x", { ▸n: u8.auto(octetsOf("body")) }, { ref: "-" }).and((h) => ({ m: u8.auto(h.n) })).and((h) => ({ body: choose(h.m, { a: { is: 1, of: { x: u8 } }, b: { is: 2, of: { y: u16 } } }) }))`,
    "'n' and 'm' are computed from one another; let one of them be given",
  ],
  [
    "from what is not beside it",
    `header("x", { part: nested({ ▸n: u8.auto(octetsOf("body")), a: u8 }), body: rest(9) }, { ref: "-" })`,
    "'part.n' is computed from 'body', which is no field beside it; fields are: a, n",
  ],
  [
    "from an earlier field that is not there",
    `header("x", { a: u8 }, { ref: "-" }).and((h) => ({ ▸n: u8.auto((h as never as { b: E }).b.add(1)) }))`,
    "what 'n' is computed from refers to 'b', which is no earlier field; earlier fields are: a",
  ],
  [
    "from octets that are shared",
    `header("x", { ▸n: u8.auto(octetsOf("a")), a: bits(3), b: bits(5) }, { ref: "-" })`,
    "'n' is computed from the octets of 'a', which shares octets with others; name a field that has octets of its own",
  ],
  [
    "from padding",
    `header("x", { ▸n: u8.auto(octetsOf("a")), a: pad(4) }, { ref: "-" })`,
    "'n' is computed from the octets of 'a', which is padding; name a field that has octets of its own",
  ],
  [
    "in the trailer",
    `header("x", { a: u8 }, { ref: "-" }).payload().trailer(() => ({ ▸n: u8.auto(octetsOf("tag")) })).before((h) => ({ tag: bytes(h.n) }))`,
    "'n' is computed, but stands in the trailer; leave it a plain field, which the caller gives",
  ],
  [
    "an element",
    `header("x", { ▸list: repeat(u8.auto(headLength) as never, { fill: "rest", max: 3 }) }, { ref: "-" })`,
    "elements of 'list' are computed, each from what is beside it; put it into nested({ … }), with what it is computed from",
  ],
  [
    "a checksum with a rule",
    `header("x", { ▸sum: u16.auto("internet").must((x) => x.gt(1)) }, { ref: "-" })`,
    "'sum' is a checksum of all octets, and has a rule; take must() away",
  ],
]);

refused("what types would have refused", [
  [
    "a comparison of JavaScript's as a condition",
    `header("x", { n: u8 }, { ref: "-" }).and((h) => ({ a: u8.▸when((h.n as never as number) > 4 as never) }))`,
    "the condition is false, not an expression; write h.n.gt(4) for h.n > 4",
  ],
  [
    "a number as a condition",
    `header("x", { n: u8 }, { ref: "-" }).and((h) => ({ ▸a: u8.when(h.n as never) }))`,
    "the condition is a number: n; write h.n.ne(0)",
  ],
  [
    "a number as part of a condition",
    `header("x", { n: u8, b: bit, c: bits(7) }, { ref: "-" }).and((h) => ({ ▸a: u8.when(h.b.and(h.n.mask(1) as never)) }))`,
    "the condition is a number: n & 1; compare it: .ne(0)",
  ],
  [
    "a number as a byte order",
    `▸x = header("x", { n: u8 }, { ref: "-" }).little((h) => h.n as never).and(() => ({ a: u8 }))`,
    "the byte order is a number: n; write h.n.ne(0)",
  ],
  [
    "a number as a rule",
    `header("x", { ▸n: u8.must((x) => x as never) }, { ref: "-" })`,
    "the rule is a number: value; write x.ne(0)",
  ],
  [
    "a rule that is none",
    `header("x", { n: u8.▸must(() => true as never) }, { ref: "-" })`,
    "the rule is true, not an expression; write (x) => x.lt(5) for x < 5",
  ],
  [
    "a product of JavaScript's as a length",
    `header("x", { n: u8 }, { ref: "-" }).and((h) => ({ a: ▸bytes((h.n as never as number) * 4) }))`,
    "the length is NaN, not an expression; write h.n.mul(4) for h.n * 4",
  ],
  [
    "a product of JavaScript's as a count",
    `header("x", { n: u8 }, { ref: "-" }).and((h) => ({ a: ▸repeat(u8, { count: (h.n as never as number) * 4 as never, max: 9 }) }))`,
    "the count is NaN, not an expression; write h.n.mul(4) for h.n * 4",
  ],
  [
    "an option that a header does not have",
    `header("x", { a: u8 }, { ref: "-", ▸onn: { linktype: 147 } } as never)`,
    "'onn' is no option of a header; did you mean 'on'?",
  ],
  [
    "a byte order that there is none of",
    `header("x", { a: u16 }, { ref: "-", ▸order: "litle" as "little" })`,
    "'litle' is no byte order; write one of big, little, caller",
  ],
  [
    "an option that text does not have",
    `header("x", { a: ▸text("rest", { maximum: 9 } as never) }, { ref: "-" })`,
    "'maximum' is no option of text(); options are: encoding, max",
  ],
  [
    "an option that a payload does not have",
    `header("x", { a: u8 }, { ref: "-" }).▸payload({ lenght: (h: never) => h } as never)`,
    "'lenght' is no option of payload(); options are: length, told, via, next",
  ],
  [
    "a text in a table of numbers",
    `header("acme.a", { a: u8 }, { ref: "-", on: { ▸t: "abc" } }).payload({ next: (h) => [by("t", h.a)] })`,
    "'abc' is text, but 't' is looked up by number; claim a number",
  ],
]);

refused("what is no spec", [
  [
    "a number for a field",
    `header("x", { ▸a: 5 } as never, { ref: "-" })`,
    "'a' is no field; write a type of the vocabulary, such as u16",
  ],
  [
    "nothing for a field",
    `header("x", { ▸a: undefined } as never, { ref: "-" })`,
    "'a' is no field; write a type of the vocabulary, such as u16",
  ],
  [
    "a rule about octets",
    `header("x", { ▸a: bytes(4).must((x) => x.gt(1)) }, { ref: "-" })`,
    "'a' has a rule, but is no number; rules are about numbers; take must() away",
  ],
  [
    "a layout from nowhere",
    `▸x = header("x", { a: u8 }, {} as never)`,
    "'x' does not say where its layout is defined; add { ref: \"RFC …\" } as third argument",
  ],
  [
    "a method that is not there",
    `header("x", { a: (u8 as never as { wen(): typeof u8 }).▸wen() }, { ref: "-" })`,
    "running the spec failed: u8.wen is not a function; mend this expression",
  ],
  [
    "a missing brace",
    `header("x", { a: u8 }, { ref: "-" }▸;`,
    'Expected ")" but found ";"; mend the syntax',
  ],
]);

const words = suite("words that the vocabulary does not have");

words("a word like another", async () => {
  const text = `import { header,\n  u9 } from "wirestack/spec";\nexport const x = header("x", { a: u9 }, { ref: "-" });\n`;
  const says = "specs/x.ts:2:3: 'u9' is no word of wirestack/spec; did you mean 'u8'?";
  assert.is(await refusal(text), says);
});

words.run();
