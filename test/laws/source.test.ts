/**
 * No octet of a wire is touched outside generated/: the runtime's sources call no accessor of numbers
 * in octets, and neither read nor write an element of a byte array but to copy it to another.
 */
import { Node, Project, type SourceFile, SyntaxKind, type Type } from "ts-morph";
import { suite } from "uvu";
import * as assert from "uvu/assert";

const test = suite("source");

/** Functions that may, and why. Each is named as `file: function`. */
const exceptions: Readonly<Record<string, string>> = {
  "runtime/block.ts: copyWords": "it moves octets, and knows of none what it means",
  "runtime/dissect/flow/unmask.ts: xor": "a mask covers the payload, whatever that is",
  "runtime/framing/ws/mask.ts: cover": "a mask covers the payload, whatever that is",
  "runtime/guard.ts: firstDifference": "it looks for a change of a body, whatever that is",
  "runtime/kit/causes.ts: unwritten": "it looks for what was not written over poison",
  "runtime/kit/octets.ts: difference": "it looks for where octets differ, whatever they are",
  "runtime/kit/octets.ts: edited": "it breaks octets at random, and knows of none what it means",
  "runtime/kit/octets.ts: unlike": "it looks for what was written over poison",
  "runtime/tools/tap/conversation.ts: words": "a checksum covers octets, whatever they mean",
  "runtime/topics.ts: find": "a topic is how a body begins: the application's octets",
  "runtime/topics.ts: shared": "a topic is how a body begins: the application's octets",
};

/** Of DataView, and of Buffer. */
const accessor = /^([gs]et(Big)?(Uint|Int|Float)\d+|(read|write)(Big)?(U?Int|Float|Double)\w*)$/i;

const project = new Project({
  tsConfigFilePath: "tsconfig.json",
  skipAddingFilesFromTsConfig: true,
});
const planted: readonly (readonly [line: string, offends: boolean])[] = [
  ["v.getUint16(0)", true],
  ["v.setBigUint64(0, 1n)", true],
  ["Buffer.from(u).readUInt32BE(0)", true],
  ["Buffer.from(u).writeInt8(0)", true],
  ["(u[0] as number) << 8", true],
  ["u[0]! + 1", true],
  ["u[0] === 0x81", true],
  ["let x = b[0]", true],
  ["u[0] = 5", true],
  ["u[0]++", true],
  ["u.at(-1)", true],
  ["for (const x of u) x.toString()", true],
  ["[...u]", true],
  ["const [first] = u", true],
  ["u[0] = (b[0] as number)", false],
  ["u.set(b, 1)", false],
  ["n[0]! + 1", false],
  ["u.subarray(1).length + 1", false],
];
const samples = project.createSourceFile(
  "runtime/planted.ts",
  planted
    .map(
      ([line], i) =>
        `function f${i}(v: DataView, u: Uint8Array, b: Buffer, n: number[]) {\n${line};\n}\n`,
    )
    .join(""),
);
const runtime = project.addSourceFilesAtPaths("runtime/**/*.ts");

function isBytes(type: Type): boolean {
  const names = [type, ...type.getUnionTypes()].map((t) => t.getSymbol()?.getName() ?? "");
  return names.some((name) => /^(Uint8Array|Uint8ClampedArray|Int8Array|Buffer)$/.test(name));
}

/** An element of a byte array, whatever stands around it. */
function isElement(node: Node | undefined): boolean {
  if (node === undefined) return false;
  const bare = stripped(node);
  return Node.isElementAccessExpression(bare) && isBytes(bare.getExpression().getType());
}

function stripped(node: Node): Node {
  if (
    Node.isAsExpression(node) ||
    Node.isNonNullExpression(node) ||
    Node.isParenthesizedExpression(node)
  ) {
    return stripped(node.getExpression());
  }
  return node;
}

/** The function or method, by which exceptions are named. */
function place(node: Node): string {
  const around = node.getFirstAncestor(
    (n) =>
      Node.isFunctionDeclaration(n) ||
      Node.isMethodDeclaration(n) ||
      Node.isConstructorDeclaration(n),
  );
  const name =
    around === undefined || Node.isConstructorDeclaration(around)
      ? "constructor"
      : ((around as { getName?(): string | undefined }).getName?.() ?? "?");
  return `${node.getSourceFile().getFilePath().replace(`${process.cwd()}/`, "")}: ${name}`;
}

function offences(file: SourceFile): { place: string; said: string }[] {
  const found: { place: string; said: string }[] = [];
  const add = (node: Node, what: string) =>
    found.push({
      place: place(node),
      said: `line ${node.getStartLineNumber()}: ${what}: ${node.getText().slice(0, 80)}`,
    });
  for (const call of file.getDescendantsOfKind(SyntaxKind.PropertyAccessExpression)) {
    if (accessor.test(call.getName())) add(call, "reads or writes a number in octets");
    const at = call.getName() === "at" && isBytes(call.getExpression().getType());
    if (at) add(call, "reads an octet");
  }
  for (const element of file.getDescendantsOfKind(SyntaxKind.ElementAccessExpression)) {
    if (!isElement(element)) continue;
    let around: Node = element;
    for (
      let p = around.getParent();
      p !== undefined && stripped(p) === element;
      p = p.getParent()
    ) {
      around = p;
    }
    const parent = around.getParent();
    const moves =
      Node.isBinaryExpression(parent) &&
      parent.getOperatorToken().getKind() === SyntaxKind.EqualsToken &&
      isElement(parent.getLeft()) &&
      isElement(parent.getRight());
    if (!moves) add(parent ?? element, "touches an octet");
  }
  const all = [
    ...file.getDescendantsOfKind(SyntaxKind.ForOfStatement).map((loop) => loop.getExpression()),
    ...file.getDescendantsOfKind(SyntaxKind.SpreadElement).map((s) => s.getExpression()),
    ...file
      .getDescendantsOfKind(SyntaxKind.ArrayBindingPattern)
      .map((p) => p.getParent())
      .flatMap((d) => (Node.isVariableDeclaration(d) ? (d.getInitializer() ?? []) : [])),
  ];
  for (const octets of all) if (isBytes(octets.getType())) add(octets, "reads octets one by one");
  return found;
}

test("no source of the runtime touches an octet of a wire", () => {
  const found = runtime.flatMap(offences);
  const bad = found.filter((o) => exceptions[o.place] === undefined);
  assert.is(bad.map((o) => `${o.place}, ${o.said}`).join("\n"), "");
  const needless = Object.keys(exceptions).filter((name) => !found.some((o) => o.place === name));
  assert.equal(needless, [], "every exception is needed");
});

test("a layer that declares headers has them, and all it knows of them, from generated/", () => {
  let layers = 0;
  for (const file of runtime) {
    for (const property of file.getDescendantsOfKind(SyntaxKind.PropertyAssignment)) {
      const list = property.getInitializerIfKind(SyntaxKind.ArrayLiteralExpression);
      // HTTP has headers too: those are no list.
      if (property.getName() !== "headers" || list === undefined) continue;
      layers++;
      const from = file.getImportDeclarations().map((i) => i.getModuleSpecifierValue());
      const codecs = from.filter((name) => /^\.\.\/\.\.\/generated\/(?!dissect)/.test(name));
      assert.ok(codecs.length > 0, `${file.getBaseName()} imports no codec`);
      for (const header of list.getElements()) assert.match(header.getText(), /^\w+\.HEADER$/);
    }
  }
  assert.ok(layers > 0);
});

test("ways to touch an octet are seen", () => {
  const found = offences(samples).map((o) => o.place);
  for (const [i, [line, offends]] of planted.entries()) {
    assert.is(found.includes(`runtime/planted.ts: f${i}`), offends, line);
  }
});

test.run();
