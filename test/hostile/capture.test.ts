/** Capture files that lie: what they say is not believed further than it costs, and never reaches a terminal raw. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as description from "../../generated/file/pcapng-interface.js";
import * as section from "../../generated/file/pcapng-section.js";
import {
  CaptureReader,
  Dissector,
  type DissectorOptions,
  type Frame,
  messageRow,
  type Packet,
  treeText,
} from "../../runtime/dissect/index.js";
import { Growing, piecesOf, sourceOf } from "../../runtime/dissect/source.js";
import { pdu } from "../../runtime/tools/tap/joint.js";
import { concat } from "../dissect/traffic.js";

const test = suite("hostile captures");

const REQUEST = Uint8Array.of(0x80, 0, 0, 1, 0x61, 0x62, 0x63);
const LINK = { "tap.joint": "link", "sp.type": 0x30 };

/** What an interface may say. */
function telling(out: object | string, ends: readonly string[] = ["here", "there"]): string {
  const facts = typeof out === "string" ? out : JSON.stringify(out);
  return `wirestack tap 1\nends: ${JSON.stringify(ends)}\nout: ${facts}`;
}

/** What becomes of messages that came by an interface which says that. */
function frames(
  said: string,
  messages: readonly Uint8Array[] = [REQUEST],
  options: DissectorOptions = {},
): Frame[] {
  const dissector = new Dissector(undefined, options);
  const origin = { description: said };
  const all = messages.map((m, i): Packet => {
    const octets = concat([pdu("data"), m]);
    const of = { number: i + 1, length: octets.length, octets, offset: 0 };
    return { ...of, link: 252, time: undefined, interface: 0, origin };
  });
  return [...all.map((p) => dissector.packet(p)), dissector.finish(all.at(-1) as Packet)];
}

/** Milliseconds that something takes. */
function time(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;

test("names that a description gives come to a terminal without control characters, and not too long", () => {
  const evil = `\u001b[2J\u009b\t${"x".repeat(10_000)}`;
  for (const out of [
    LINK,
    { ...LINK, "sp.type": `${evil}\n` },
    { ...LINK, "sp.layers": `${evil}\nfalse(` },
    { ...LINK, "sp.layers": "hop@1", "hop.sealed": 1, "hop.sender": `${evil}\n` },
  ]) {
    const keys = { opener: () => undefined };
    const found = frames(telling(out, [`${evil}\n`, "b"]), [new Uint8Array(40)], { keys });
    for (const frame of found) {
      const text = treeText(frame, true);
      assert.not.match(text, CONTROL);
      assert.ok(text.length < 5000, `${text.length}`);
      for (const m of frame.messages) {
        assert.is(messageRow(m).split("\t").length, 10);
        assert.not.match(messageRow(m).replaceAll("\t", ""), CONTROL);
      }
      for (const part of frame.parts) {
        if (part.is === "octets") assert.not.match(part.unknown ?? "", CONTROL);
      }
    }
  }
});

test("facts of any name and kind are no reason to throw", () => {
  const names = ["hasOwnProperty", "__proto__", "constructor", "valueOf", "__defineGetter__"];
  for (const name of names) {
    const upgraded = { "tap.joint": "link", "sp.layers": "sp.ws" };
    frames(telling({ ...upgraded, "ws.role": "client", "ws.subprotocol": name }));
    frames(telling({ ...upgraded, "ws.role": name }));
    frames(telling(`{"tap.joint":"link","${name}":"x","sp.type":"${name}"}`));
    frames(telling({ "tap.joint": name }));
  }
  const others = ["[]", "1", "null", '"x"', "{", '{"tap.joint":{}}', '{"tap.joint":1e999}'];
  for (const out of others) frames(telling(out));
});

test("a list of layers that leads back to itself has an end", () => {
  for (const layers of ["tap.link", "tap.pdu tap.link", "hop.record tap.link"]) {
    const [frame] = frames(telling({ ...LINK, "sp.layers": layers }), [new Uint8Array(1000)]);
    assert.ok((frame?.parts.length ?? 0) < 2000, layers);
  }
});

test("a list of 30,000 layers costs no message more than one of 64", () => {
  const said = telling({ ...LINK, "sp.layers": "a ".repeat(30_000) });
  const ms = time(() => frames(said, Array(3000).fill(REQUEST)));
  assert.ok(ms < 4000, `${ms} ms`);
});

test("no text of 60 KB takes long to look through", () => {
  const layers = `${"(".repeat(60_000)}\n`;
  const ms = time(() => frames(telling({ ...LINK, "sp.layers": layers }), Array(20).fill(REQUEST)));
  assert.ok(ms < 2000, `a layer's name: ${ms} ms`);

  const text = new TextEncoder().encode(`${"\0".repeat(60_000)}x`);
  const options = [{ type: description.Options.description, value: text }];
  const file = new Uint8Array(section.MIN + section.TAIL_MAX + description.size(options) + 4);
  const v = new DataView(file.buffer);
  const begun = section.write(v, 0, true, 1, 0, -1n, []);
  const at = section.writeEnd(v, begun, true, begun + 4, begun + 4);
  const end = description.write(v, at, true, 252, 0, 0, options);
  description.writeEnd(v, end, true, end + 4 - at, end + 4 - at);
  const reader = new CaptureReader();
  const slow = time(() => {
    reader.push(file);
    reader.end();
    reader.next();
  });
  assert.is(reader.damage, undefined);
  assert.ok(slow < 1000, `a description: ${slow} ms`);
});

test("a record has no more pieces than fit into the longest", () => {
  const said = telling({ ...LINK, "sp.layers": "hop.record" });
  const [frame] = frames(said, [new Uint8Array(200_000)]);
  assert.is(frame?.messages.length, 2 ** 15);
});

test("a frame has no more parts than can be shown, and says that there were others", () => {
  const said = telling({ ...LINK, "sp.layers": "hop.record" });
  const [frame] = frames(said, [new Uint8Array(65_535)], { parts: 1000 });
  assert.is(frame?.parts.length, 1000);
  assert.ok((frame?.messages.length ?? 0) < 1000);
  assert.equal(frame?.remarks, [
    "there is more in this frame than can be shown: it is passed over",
  ]);
});

test("what comes in 130,000 pieces goes on being put together, and is shown", () => {
  const [grown, all] = [new Growing(), new Growing()];
  for (let i = 0; i < 130_000; i++) grown.add(sourceOf("frame", new Uint8Array(1), i + 1), 0, 1);
  all.add(grown.source("stream"), 0, 130_000);
  const source = all.source("joined");
  assert.is(source.pieces?.length, 130_000);
  assert.equal(piecesOf(source, 65_000, 65_001, 0), [
    { at: 0, octets: 1, frame: 65_001, offset: 0 },
  ]);
  const [frame] = frames(telling(LINK));
  const part = { is: "octets", source, from: 0, to: 1, lack: 0, what: "data" } as const;
  assert.match(treeText({ ...frame, parts: [part] } as Frame), /\(joined\)/);
});

test.run();
