/** Target: the catalogue, one page about every header, for people. */
import type { Action, Claims, Fact, Next, Via } from "../../spec/lang.js";
import {
  type FieldModel,
  type HeaderModel,
  innerOf,
  isKonst,
  type Model,
  type OpenerModel,
} from "../model.js";
import { diagram } from "./diagram.js";
import { figure, type Look, lookIn, phrase, typeWords, whenWords } from "./words.js";

/** `headers.md`, without the line that says where it comes from. */
export function emitCatalogue(model: Model): string {
  const tables = new Tables(model);
  return [
    "# Headers",
    "",
    "Every header that the specs define: its octets, what they mean, where it stands and what follows.",
    "Numbers have their greatest octet first unless a header says otherwise.",
    "",
    ...table(
      ["Header", "Octets", "What it is", "Defined in"],
      model.headers.map((h) => [link(h.name), octets(h), h.title, h.ref]),
    ),
    ...model.headers.flatMap((h) => ["", ...section(h, tables)]),
    ...(model.openers.length === 0 ? [] : ["", "## Openings in text", ""]),
    ...model.openers.flatMap((o) => openerLines(o, tables)),
    ...(model.stacks.length === 0 ? [] : ["", ...stacks(model)]),
    "",
  ].join("\n");
}

/** Who stands where: tables and what leads to them. */
class Tables {
  readonly #from = new Map<string, string[]>();
  readonly #claims = new Map<string, { owner: string; values: Claims[string] }[]>();

  constructor(model: Model) {
    const owners = [
      ...model.headers.map((h) => ({ name: h.name, on: h.on, next: h.payload?.next ?? [] })),
      ...model.openers,
    ];
    for (const { name, on, next } of owners) {
      for (const n of next) if ("table" in n) push(this.#from, n.table, name);
      for (const [t, values] of Object.entries(on)) push(this.#claims, t, { owner: name, values });
    }
  }

  /** `after ws.upgrade`. */
  before(name: string): string {
    const from = [...new Set(this.#from.get(name) ?? [])].map(link);
    if (from.length === 0) return name === "linktype" ? "a capture's first header" : "";
    return `after ${from.join(", ")}`;
  }

  /** The headers that a table leads to, with the values they claim. */
  members(name: string): string {
    return (this.#claims.get(name) ?? [])
      .map(({ owner, values }) =>
        values === true ? link(owner) : `${link(owner)} (${claimed(values)})`,
      )
      .join(", ");
  }
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

const claimed = (values: Exclude<Claims[string], true>): string =>
  [values]
    .flat()
    .map((v) => (typeof v === "number" ? figure(v) : v))
    .join(", ");

function section(h: HeaderModel, tables: Tables): string[] {
  const fields = [...h.head, ...h.front, ...h.last];
  const look = lookIn(fields);
  const picture = diagram(h);
  return [
    `## ${h.name}`,
    "",
    h.doc === "" ? `${h.title}.` : h.doc,
    ...(picture.length === 0 ? [] : ["", "```text", ...picture, "```"]),
    "",
    ...facts(h, tables, look).map(([word, text]) => `- **${word}:** ${text}`),
    ...(fields.length === 0
      ? []
      : [
          "",
          ...table(["Field", "On the wire", "Meaning", "Rules", "Shown as"], rows(fields, look)),
        ]),
  ];
}

function facts(h: HeaderModel, tables: Tables, look: Look): [string, string][] {
  const { payload } = h;
  const behind =
    payload?.length === undefined
      ? "as far as the layer below says"
      : `${phrase(payload.length, look)} octets`;
  return [
    ["Defined in", h.ref],
    ["Octets", octets(h)],
    ...places(h.on, tables),
    ...(payload === undefined ? [] : [["Payload", behind] as [string, string]]),
    ...(payload?.via ?? []).map((v): [string, string] => ["First", viaWords(v, look)]),
    ...followers(payload?.next ?? [], tables, look),
    ...Object.entries(h.sets).map(([name, fact]): [string, string] => [
      "Sets",
      `\`${name}\` to ${factWords(fact, look)}`,
    ]),
    ...Object.entries(h.shows).map(([name, e]): [string, string] => [
      "Shows",
      `\`${h.protocol}.${name}\`: ${phrase(e, look)}`,
    ]),
    ["On bad input", actionWords(h.onFault)],
  ];
}

const places = (on: Claims, tables: Tables): [string, string][] =>
  Object.entries(on).map(([name, values]) => {
    const how = values === true ? "recognised by its octets" : claimed(values);
    return ["Found in", [`\`${name}\`: ${how}`, tables.before(name)].filter(Boolean).join("; ")];
  });

const followers = (next: readonly Next[], tables: Tables, look: Look): [string, string][] =>
  next.map((n) => {
    const when = n.when === undefined ? "" : `, if ${phrase(n.when, look)}`;
    if (n.by === "name") return ["Followed by", `${link(n.header)}${when}`];
    if (n.by === "above") return ["Followed by", `what stands on this layer${when}`];
    const members = tables.members(n.table) || "nothing known";
    const how =
      n.by === "value"
        ? `what \`${n.table}\` has for ${phrase(n.value, look)}`
        : n.by === "fact"
          ? `what the flow's \`${n.table}\` says`
          : n.by === "list"
            ? `each layer in the flow's \`${n.fact}\`, from the lowest up`
            : `whichever of \`${n.table}\` accepts the octets${n.again === true ? ", again and again" : ""}`;
    return ["Followed by", `${how}${when}: ${members}`];
  });

function viaWords(v: Via, look: Look): string {
  const when = v.when === undefined ? "" : `, if ${phrase(v.when, look)}`;
  const words = {
    join: "pieces are joined to a whole message",
    unmask: "the payload is unmasked",
    open: "the payload is decrypted",
    records: "the payload is split into records",
    fragments: "fragments are joined to a whole packet",
    stream: "segments are put in order",
  };
  return `${words[v.op]}${when}`;
}

function factWords(f: Fact, look: Look): string {
  if (f.from === "expr") return phrase(f.expr, look);
  if (f.from === "text") return `the text of \`${f.field}\``;
  const inner = Object.values(f.map);
  const deeper = inner.find((x) => x.from === "fact");
  return `what \`${f.fact}\` stands for${deeper?.from === "fact" ? `, with \`${deeper.fact}\`` : ""}`;
}

const actionWords = (a: Action): string =>
  a === "drop"
    ? "the message is dropped"
    : a === "close"
      ? "the connection is closed"
      : `the connection is closed with code ${a.close}`;

function rows(fields: readonly FieldModel[], look: Look, depth = 0): string[][] {
  return fields.flatMap((f) => [
    [
      `${"· ".repeat(depth)}\`${f.name}\``,
      `${typeWords(f.type, look)}${whenWords(f, look)}`,
      f.doc,
      rules(f, look).join("; "),
      `\`${f.shown}\``,
    ],
    ...(f.type.kind === "choose"
      ? [
          ...f.type.arms.flatMap((a) => arm(a.name, a.fields, look, depth + 1)),
          ...(f.type.otherwise === undefined
            ? []
            : arm("otherwise", f.type.otherwise, look, depth + 1)),
        ]
      : innerOf(f.type).flatMap((inner) => rows(inner, look, depth + 1))),
  ]);
}

const arm = (
  name: string,
  fields: readonly FieldModel[],
  look: Look,
  depth: number,
): string[][] => [
  [`${"· ".repeat(depth)}*${name}*`, "", "", "", ""],
  ...rows(fields, look, depth + 1),
];

function rules(f: FieldModel, look: Look): string[] {
  const t = f.type;
  const said: string[] = [];
  const kept = f.lint ? " (kept and marked if not)" : "";
  if (t.kind === "uint" && isKonst(f))
    said.push(t.reserved === true ? `zero${kept}` : `always ${figure(t.konst ?? 0)}${kept}`);
  if (t.kind === "bytes" && t.konst !== undefined) {
    said.push(`always ${t.konst.map((n) => n.toString(16).padStart(2, "0")).join(" ")}${kept}`);
  }
  const names = t.kind === "uint" ? (t.names ?? t.flags) : t.kind === "tlv" ? t.names : undefined;
  const hex = t.kind === "uint" && t.flags !== undefined;
  const listed = Object.entries(names ?? {}).map(
    ([k, n]) => `${hex ? `0x${n.toString(16)}` : figure(n)} ${k}`,
  );
  if (listed.length > 0) {
    const open = t.kind !== "uint" || t.open === true || t.flags !== undefined;
    said.push(`${listed.join(", ")}${open ? "" : "; nothing else"}${kept}`);
  }
  if (t.kind === "escape" || t.kind === "varint") said.push("shortest form only");
  for (const m of f.musts) said.push(phrase(m.expr, look, f.name));
  for (const s of f.shoulds) said.push(`should: ${s.text}`);
  if (f.auto !== undefined)
    said.push(
      `computed: ${typeof f.auto === "string" ? "internet checksum (RFC 1071)" : phrase(f.auto, look)}`,
    );
  if (f.check !== undefined) said.push("a checksum that the dissector verifies");
  return said;
}

const openerLines = (o: OpenerModel, tables: Tables): string[] => [
  `### ${o.name}`,
  "",
  o.doc,
  "",
  ...[
    ["Defined in", o.ref],
    ...places(o.on, tables),
    ...Object.keys(o.sets).map((name) => ["Sets", `\`${name}\``]),
    ...followers(o.next, tables, () => undefined),
  ].map(([word, text]) => `- **${word}:** ${text}`),
];

function stacks(model: Model): string[] {
  const byName = new Map(model.headers.map((h) => [h.name, h]));
  return [
    "## Stacks",
    "",
    ...table(
      ["Stack", "Headers, the outermost first", "Octets at most", "What it is"],
      model.stacks.map((s) => [
        s.name,
        s.headers.map(link).join(", "),
        String(
          s.headers.reduce(
            (sum, name) => sum + (byName.get(name)?.max ?? 0) + (byName.get(name)?.tailMax ?? 0),
            0,
          ),
        ),
        s.doc,
      ]),
    ),
  ];
}

function octets(h: HeaderModel): string {
  const range = (min: number, max: number) => (min === max ? `${min}` : `${min} to ${max}`);
  const tail = h.tailMax > 0 ? `, and a trailer of ${range(h.tailMin, h.tailMax)}` : "";
  return `${range(h.min, h.max)}${tail}`;
}

/** A link to a header's section, by the rule that GitHub makes anchors by. */
const link = (name: string): string => `[${name}](#${name.replaceAll(".", "")})`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((c) => c.replace(/\s+/g, " ").trim().replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => " --- ").join("|")}|`, ...rows.map(line)];
}
