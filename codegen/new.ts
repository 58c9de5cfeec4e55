/** A first spec and its test, which pass as they are: a start for a header of one's own. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { Project } from "./generate.js";

const NAME = /^[a-z][a-z0-9]*(-[a-z0-9]+)*([/.][a-z][a-z0-9]*(-[a-z0-9]+)*)*$/;

/** Writes both; returns their paths. `name` is a path such as `acme/trace`. */
export function create(name: string, project: Project): string[] {
  if (!NAME.test(name)) {
    throw new Error(
      `'${name}' is no name for a header; write lower-case words, as in: --new acme/trace`,
    );
  }
  const words = name.split(/[/.]/);
  const spec = join(project.specs, `${words.join("/")}.ts`);
  const test = project.registry
    ? join(dirname(project.specs), "test", `${words.join("/")}.test.ts`)
    : spec.replace(/\.ts$/, project.javascript ? ".test.mjs" : ".test.ts");
  const codec = relative(dirname(test), join(project.out, words.join("/"))).replaceAll("\\", "/");
  const id = words.join("-").replace(/-([a-z0-9])/g, (_, c: string) => c.toUpperCase());
  const files: [string, string][] = [
    [spec, specText(words, id, project.registry)],
    [test, testText(id, codec.startsWith(".") ? codec : `./${codec}`, project.registry)],
  ];
  const taken = files.find(([path]) => existsSync(path))?.[0];
  if (taken !== undefined) throw new Error(`${taken} exists already; choose another name`);
  for (const [path, text] of files) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return files.map(([path]) => path);
}

function specText(words: readonly string[], id: string, own: boolean): string {
  const lang = own ? `${"../".repeat(words.length - 1) || "./"}lang.js` : "wirestack/spec";
  return `import { header, konst, oneOf, u8, u16 } from "${lang}";

/** What the header is for, in one sentence. */
export const ${id} = header(
  "${words.join(".").replaceAll("-", "_")}",
  {
    /** Of this layout. */
    version: konst(u8, 1),
    /** What the payload is. */
    kind: oneOf(u8, { piece: 0, last: 1 }),
    /** Octets of payload. */
    length: u16,
  },
  { ref: "${words.join(" ")}, version 1" },
).payload({ length: (h) => h.length });
`;
}

function testText(id: string, codec: string, own: boolean): string {
  const [imports, is, equal, end] = own
    ? [
        'import { test } from "uvu";\nimport * as assert from "uvu/assert";',
        "is",
        "equal",
        "\ntest.run();\n",
      ]
    : [
        'import assert from "node:assert/strict";\nimport { test } from "node:test";',
        "equal",
        "deepEqual",
        "",
      ];
  return `${imports}
import * as ${id} from "${codec}.js";

// Octets, where they come from, and what they mean. Replace these: a vector is worth most if another
// implementation wrote it.
const vectors = [
  {
    hex: "01 01 00 05",
    from: "made by hand",
    value: { kind: ${id}.Kind.last, length: 5 },
  },
];

for (const { hex, from, value } of vectors) {
  test(\`\${hex} (\${from}) is read, and written again\`, () => {
    const octets = Uint8Array.from(hex.split(" "), (h) => Number.parseInt(h, 16));
    const v = new DataView(octets.buffer);
    assert.${is}(${id}.measure(v, 0, octets.length), octets.length);
    assert.${equal}(${id}.read(v, 0, octets.length), value);
    const written = new Uint8Array(octets.length);
    assert.${is}(${id}.writeValue(new DataView(written.buffer), 0, value), octets.length);
    assert.${equal}(written, octets);
  });
}
${end}`;
}
