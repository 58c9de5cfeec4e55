import assert from "node:assert/strict";
import { test } from "node:test";
import { feed, layerChecks, testLayer } from "wirestack/kit";
import { acmeDeflate } from "./deflate.layer.mjs";

const octets = (hex) => Uint8Array.from(hex.split(" "), (h) => Number.parseInt(h, 16));
// What is compressed is another message, in a buffer of its own: so it `merges`.
const layer = { make: () => acmeDeflate(), edges: [255, 256], merges: true };

// What every layer obeys, whatever its header says. A check that fails says what to mend.
for (const { name, run } of layerChecks(layer)) test(name, run);

// By Python's zlib.compressobj(wbits=-15): 300 times the letter a.
const PACKED = "4b 4c 1c 05 c4 02 00";

test("what another implementation has compressed is read", () => {
  const { messages } = feed(layer, octets(`01 01 00 00 01 2c ${PACKED}`));
  assert.equal(Buffer.concat(messages).toString(), "a".repeat(300));
});

// What this one does not take, and what it says of that.
const refused = {
  "another version": ["ff 00 00 00 00 00", /acme\.deflate\.version, octet 0/],
  "fewer octets than it tells": ["01 00 00 00 00 05 68 69", /is 5, but 2 octets follow/],
  "more than it tells, compressed": [
    `01 01 00 00 01 2b ${PACKED}`,
    /not what comes of the payload/,
  ],
  "what is not compressed": ["01 01 00 00 00 05 ff ff", /not what comes of the payload/],
  "a bomb, before it goes off": [`01 01 7f ff ff ff ${PACKED}`, /recvMax: 2147483647 octets/],
};

for (const [what, [hex, says]] of Object.entries(refused)) {
  test(`${what} closes the connection, and is told`, () => {
    const { messages, error } = feed(layer, octets(hex));
    assert.deepEqual(messages, []);
    assert.match(error?.message ?? "", says);
  });
}

console.log(String(testLayer(layer)));
