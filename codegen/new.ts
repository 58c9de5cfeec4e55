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
  const codec = join(project.out, `${words.join("/")}.js`);
  const id = words.join("-").replace(/-([a-z0-9])/g, (_, c: string) => c.toUpperCase());
  const header = words.join(".").replaceAll("-", "_");
  const manner = { own, type: (text: string) => (project.javascript ? "" : text) };
  const from = (file: string, to: string) => module(file, project.javascript ? to : js(to));
  const files: [string, string][] = [
    [spec, specText(words, id, header, own)],
    [layer, layerText(id, header, module(layer, codec), manner)],
    [test, testText(id, module(test, codec), from(test, layer), from(test, index), manner)],
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
  { ref: "${words.join(" ")}, version 1" },
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

function testText(
  id: string,
  codec: string,
  layer: string,
  index: string,
  { own, type }: Manner,
): string {
  const names = type("type Layer, ");
  const [imports, is, equal, end] = own
    ? [
        `import { test } from "uvu";
import * as assert from "uvu/assert";
import * as header from "${codec}";
import { Element, ${names}Message, open, pair0, stack, xpair0 } from "${index}";`,
        "is",
        "equal",
        "\ntest.run();\n",
      ]
    : [
        `import assert from "node:assert/strict";
import { test } from "node:test";
import { Element, ${names}Message, open, pair0, stack, xpair0 } from "wirestack";
import * as header from "${codec}";`,
        "equal",
        "deepEqual",
        "",
      ];
  return `${imports}
import { ${id} } from "${layer}";

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
    const octets = Uint8Array.from(hex.split(" "), (h) => Number.parseInt(h, 16));
    const v = new DataView(octets.buffer);
    assert.${is}(header.measure(v, 0, octets.length), octets.length);
    assert.${equal}(header.read(v, 0, octets.length), value);
    const written = new Uint8Array(octets.length);
    assert.${is}(header.writeValue(new DataView(written.buffer), 0, value), octets.length);
    assert.${equal}(written, octets);
  });
}

${type(`type Change = (octets: Uint8Array) => readonly [Uint8Array, ...Uint8Array[]];
`)}const as${type(": Change")} = (octets) => [octets];

/** Stands below the layer, and changes what comes up to it. */
function changes(change${type(": Change")})${type(': Layer<"link", "link", "changes">')} {
  class Changes extends Element {
    ${type("override ")}up(m${type(": Message")})${type(": void")} {
      const [first, ...rest] = change(new Uint8Array(Buffer.concat(m.segments())));
      const changed = Message.of(first);
      changed.rest = rest;
      this.above.up(changed);
    }
  }
  return { name: "changes", below: "link", above: "link", make: () => new Changes() };
}

/** Two sockets with the layer, one of which hears what is changed. */
async function pair(change${type(": Change")}, mode${type(': "scatter" | "contiguous"')} = "scatter") {
  const near = open(stack(pair0(), xpair0(), ${id}()), { mode });
  const far = open(stack(pair0(), xpair0(), ${id}(), changes(change)), { mode });
  await far.listen("memory://${id}");
  await near.dial("memory://${id}").ready;
  const close = () => Promise.all([near.close(), far.close()]);
  return { near, far, close };
}

for (const mode of ["scatter", "contiguous"]${type(" as const")}) {
  test(\`what goes down comes up unchanged, in mode \${mode}, and there is room for it\`, async () => {
    const { near, far, close } = await pair(as, mode);
    for (const n of [0, 1, 1024, 100_000]) {
      const body = Uint8Array.from({ length: n }, (_, i) => i);
      await near.send(body, { copy: true });
      assert.${equal}(await far.receive(), body);
      await far.send(body, { copy: true });
      assert.${equal}(await near.receive(), body);
    }
    assert.${is}(near.stats().outOfRoom + far.stats().outOfRoom, 0);
    await close();
  });
}

test("a message that comes in pieces, cut anywhere, is the same message", async () => {
  let at = 0;
  const { near, far, close } = await pair((octets) => [octets.slice(0, at), octets.slice(at)]);
  for (; at <= header.MAX + 5; at++) {
    await near.send("hello");
    assert.${is}(new TextDecoder().decode(await far.receive()), "hello");
  }
  await close();
});

const broken${type(": Record<string, Change>")} = {
  "nothing at all": () => [new Uint8Array(0)],
  "half a header": (octets) => [octets.slice(0, header.MIN - 1)],
  "a wrong first octet": (octets) => [octets.map((o, i) => (i === 0 ? 0xff : o))],
  "fewer octets than it tells": (octets) => [octets.slice(0, -1)],
};

for (const [what, change] of Object.entries(broken)) {
  test(\`\${what} closes the connection, and is counted\`, async () => {
    const { near, far, close } = await pair(change);
    const gone = new Promise${type("<Error | undefined>")}((done) => far.on("detached", (e) => done(e.error)));
    await near.send("hello");
    assert.${is}((await gone)?.name, "WireError");
    assert.${is}(Object.keys(far.stats().malformed).length, 1);
    assert.${is}(far.tryReceive(), undefined);
    await close();
  });
}
${end}`;
}
