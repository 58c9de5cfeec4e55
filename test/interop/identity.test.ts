/** Layers that the others do not have: plain nanomsg and NNG are refused, and nothing of theirs is delivered. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import {
  Element,
  type Layer,
  PeerError,
  pull,
  stack,
  TimeoutError,
  WireError,
  xpull,
} from "../../runtime/index.js";
import { abreast } from "../support/abreast.js";
import { peerTest } from "../support/peers.js";
import { SIDES, staged } from "../support/stage.js";
import { until } from "../support/until.js";
import { fileOf, foreigners, secured, termsOf } from "./foreign.js";

const test = abreast(suite("identity and others"), 2);

const mark: Layer<"link", "link", "mark"> = {
  name: "mark",
  below: "link",
  above: "link",
  identity: "mark@1",
  make: () => new Element(),
};

for (const foreign of foreigners) {
  for (const scheme of foreign.schemes.filter((s) => !secured(s))) {
    for (const side of SIDES) {
      peerTest(
        test,
        foreign.name,
        `${foreign.name}'s PUSH over ${scheme} is refused by a PULL with a layer, which ${side}s, and nothing is delivered`,
        staged(async (stage) => {
          const socket = stage.open(stack(pull(), xpull(), mark), { openTimeout: 1000 });
          const said: Error[] = [];
          socket.on("refused", ({ error }) => said.push(error));
          const files = [fileOf(10)];
          if (side === "dial") {
            const url = await stage.free(scheme);
            foreign.start(stage, "push", "listen", url, files);
            socket.dial(url, termsOf(scheme));
          } else {
            const { url } = await socket.listen(stage.any(scheme), termsOf(scheme));
            foreign.start(stage, "push", "dial", url, files);
          }
          // As a client of WebSocket we ask for what they have never heard of: they refuse us.
          const asks = scheme === "ws" && side === "dial";
          const told = () =>
            said.find((error) =>
              asks
                ? (error instanceof PeerError && error.message.startsWith("ws: ")) ||
                  error instanceof TimeoutError
                : /^stacks differ: 'mark@1' is not at the peer, which is a plain socket/.test(
                    error.message,
                  ),
            );
          await until(
            () => `a refusal; heard: ${said.at(-1)?.message}`,
            () => told() !== undefined,
          );
          assert.not.instance(told(), WireError);
          const { received, attached } = socket.stats();
          assert.equal([received, attached], [0, 0]);
          assert.is(socket.tryReceive(), undefined);
        }),
      );
    }
  }
}

test.run();
