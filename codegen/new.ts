/** A first spec, its layer and its test, which pass as they are: a start for a header of one's own. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Project } from "./generate.js";

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*([/.][a-z][a-z0-9]*(-[a-z0-9]+)*)*$/;

/** How the files differ: in this repository, in somebody's TypeScript, in somebody's JavaScript. */
interface Manner {
  /** Of this repository: its modules by their paths, and uvu. Elsewhere the package, and node:test. */
  readonly own: boolean;
  /** What stands in TypeScript only. */
  readonly type: (text: string) => string;
}

/** Writes them, and exports a layer of ours; returns the paths. `name` is a path such as `acme/trace`. */
export function create(name: string, project: Project): string[] {
  if (!NAME.test(name)) {
    throw new Error(
      `'${name}' is no name for a header; write lower-case words, as in: --new acme/trace`,
    );
  }
  const own = project.registry;
  const words = name.split(/[/.]/);
  const spec = join(project.specs, `${words.join("/")}.ts`);
  const root = dirname(project.specs);
  const script = project.javascript ? "mjs" : "ts";
  const test = own
    ? join(root, "test", `${words.join("/")}.test.ts`)
    : spec.replace(/ts$/, `test.${script}`);
  const layer = own
    ? join(root, "runtime/tools", `${words.join("-")}.ts`)
    : spec.replace(/ts$/, `layer.${script}`);
  const index = join(root, "runtime/index.ts");
  const kit = join(root, "runtime/kit/index.ts");
  const codec = join(project.out, `${words.join("/")}.js`);
  const id = words.join("-").replace(/-([a-z0-9])/g, (_, c: string) => c.toUpperCase());
  const header = words.join(".").replaceAll("-", "_");
  const manner = { own, type: (text: string) => (project.javascript ? "" : text) };
  const from = (file: string, to: string) => module(file, project.javascript ? to : js(to));
  const files: [string, string][] = [
    [spec, specText(words, id, header, own)],
    [layer, layerText(id, header, module(layer, codec), manner)],
    [
      test,
      testText(id, header, manner, {
        codec: module(test, codec),
        layer: from(test, layer),
        index: own ? from(test, index) : "wirestack",
        kit: own ? from(test, kit) : "wirestack/kit",
      }),
    ],
  ];
  const taken = files.find(([path]) => existsSync(path))?.[0];
  if (taken !== undefined) throw new Error(`${taken} exists already; choose another name`);
  for (const [path, text] of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  const paths = files.map(([path]) => path);
  if (!own) return paths;
  // It needs nothing of node's, so pages have it, too.
  const portable = join(root, "runtime/portable.ts");
  const line = `export { ${id} } from "${module(portable, js(layer))}";`;
  writeFileSync(portable, exported(readFileSync(portable, "utf8"), line));
  return [...paths, portable];
}

const js = (path: string): string => path.replace(/\.ts$/, ".js");

/** How `file` names the module at `to`. */
function module(file: string, to: string): string {
  const path = relative(dirname(file), to).replaceAll("\\", "/");
  return path.startsWith(".") ? path : `./${path}`;
}

/** A list of exports with one line more, in the order of the modules. */
function exported(list: string, line: string): string {
  const source = (text: string) => /from "(.*)";$/.exec(text)?.[1] ?? "";
  const statements = [...list.matchAll(/^export [^;]*;$/gm)];
  const after = statements.find(([text]) => source(text) > source(line));
  const at = after?.index ?? list.length;
  return `${list.slice(0, at)}${line}\n${list.slice(at)}`;
}

function specText(words: readonly string[], id: string, header: string, own: boolean): string {
  const lang = own ? `${"../".repeat(words.length - 1) || "./"}lang.js` : "wirestack/spec";
  return `import { header, konst, oneOf, u8, u32 } from "${lang}";

/** What the header is for, in one sentence. */
export const ${id} = header(
  "${header}",
  {
    /** Of this layout. */
    version: konst(u8, 1),
    /** What the payload is. */
    kind: oneOf(u8, { piece: 0, last: 1 }),
    /** Octets of payload. */
    length: u32,
  },
  { ref: "${words.join(" ")}, version 1", on: { layer: "${id}" } },
).payload({ length: (h) => h.length });
`;
}

function layerText(id: string, header: string, codec: string, { own, type }: Manner): string {
  const Class = `${id[0]?.toUpperCase()}${id.slice(1)}`;
  const imports = own
    ? `import * as header from "${codec}";
import { WireError } from "../error.js";
import { Element, type Layer, type PipeContext } from "../layer.js";
import type { Message } from "../message.js";`
    : `import { Element, ${type("type Layer, type Message, type PipeContext, ")}WireError } from "wirestack";
import * as header from "${codec}";`;
  return `/**
 * What the layer does, in one sentence.
 *
 * It stands on a link and shows one: below a raw protocol, above what the address brings. Its header
 * goes in front of every message. What it does not understand closes the connection, and is counted.
 * \`stack(req(), xreq(), ${id}())\`
 */
${imports}

export function ${id}()${type(`: Layer<"link", "link", "${id}">`)} {
  return {
    name: "${id}",
    below: "link",
    above: "link",
    headers: [header.HEADER],
    make: (context) => new ${Class}(context),
  };
}

class ${Class} extends Element {
  ${type("readonly ")}#context${type(": PipeContext")};

  constructor(context${type(": PipeContext")}) {
    super();
    this.#context = context;
  }

  ${type("override ")}down(m${type(": Message")})${type(": void")} {
    const { length } = m;
    m.push(header.MAX, this.#context.slab);
    header.write(m.view, m.start, header.Kind.last, length);
    this.below.down(m);
  }

  ${type("override ")}up(m${type(": Message")})${type(": void")} {
    let n = header.measure(m.view, m.start, m.end);
    // It may lie across segments.
    if (n < 0) n = m.measure(header.measure, this.#context.slab);
    if (n < 0) return this.#close(header.explain(n, m.view, m.start, m.end));
    const length = header.getLength(m.view, m.start);
    m.pop(n);
    if (m.length !== length) {
      return this.#close(\`${header}.length: is \${length}, but \${m.length} octets follow\`);
    }
    this.above.up(m);
  }

  #close(said${type(": string")})${type(": void")} {
    this.below.control({ type: "close", error: new WireError("${id}", said) });
  }
}
`;
}

/** Where its modules are. */
interface Modules {
  readonly codec: string;
  readonly layer: string;
  readonly index: string;
  readonly kit: string;
}

function testText(
  id: string,
  header: string,
  { own, type }: Manner,
  { codec, layer, index, kit }: Modules,
): string {
  const runner = own
    ? `import { test } from "uvu";
import * as assert from "uvu/assert";
`
    : `import assert from "node:assert/strict";
import { test } from "node:test";
`;
  // Ours in the order of their paths, as the formatter has them.
  const imports = own
    ? `import * as header from "${codec}";
import { open, pair0, stack, xpair0 } from "${index}";
import { feed, layerChecks } from "${kit}";`
    : `import { open, pair0, stack, xpair0 } from "${index}";
import { feed, layerChecks } from "${kit}";
import * as header from "${codec}";`;
  const [is, equal, end] = own ? ["is", "equal", "\ntest.run();\n"] : ["equal", "deepEqual", ""];
  return `${runner}${imports}
import { ${id} } from "${layer}";

const octets = (hex${type(": string")}) => Uint8Array.from(hex.split(" "), (h) => Number.parseInt(h, 16));

// Octets, where they come from, and what they mean. Replace these: a vector is worth most if another
// implementation wrote it.
const vectors = [
  {
    hex: "01 01 00 00 00 05",
    from: "made by hand",
    value: { kind: header.Kind.last, length: 5 },
  },
];

for (const { hex, from, value } of vectors) {
  test(\`\${hex} (\${from}) is read, and written again\`, () => {
    const given = octets(hex);
    const v = new DataView(given.buffer);
    assert.${is}(header.measure(v, 0, given.length), given.length);
    assert.${equal}(header.read(v, 0, given.length), value);
    const written = new Uint8Array(given.length);
    assert.${is}(header.writeValue(new DataView(written.buffer), 0, value), given.length);
    assert.${equal}(written, given);
  });
}

const layer = { make: () => ${id}() };

// What every layer obeys, whatever its header says. A check that fails says what to mend.
for (const { name, run } of layerChecks(layer)) test(name, run);

// What this one does not take, and what it says of that.
const refused${type(": Record<string, readonly [hex: string, says: RegExp]>")} = {
  "half a header": ["01 01 00", /${header.replaceAll(".", "\\.")}/],
  "another version": ["ff 01 00 00 00 00", /${header.replaceAll(".", "\\.")}\\.version, octet 0/],
  "fewer octets than it tells": ["01 01 00 00 00 05 68 69", /is 5, but 2 octets follow/],
};

for (const [what, [hex, says]] of Object.entries(refused)) {
  test(\`\${what} closes the connection, and is told\`, () => {
    const { messages, error } = feed(layer, octets(hex));
    assert.${equal}(messages, []);
    assert.${is}(error?.name, "WireError");
    assert.match(error?.message ?? "", says);
  });
}

test("it stands in a stack, and its peer understands it", async () => {
  const near = open(stack(pair0(), xpair0(), ${id}()));
  const far = open(stack(pair0(), xpair0(), ${id}()));
  await far.listen("memory://${id}");
  await near.dial("memory://${id}").ready;
  await near.send("hello");
  assert.${is}(new TextDecoder().decode(await far.receive()), "hello");
  await Promise.all([near.close(), far.close()]);
});
${end}`;
}
