/** Over TLS with nngcat: who is refused. What it says to whom it trusts is with the other exchanges. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { pull, type TlsOptions } from "../../runtime/index.js";
import { abreast } from "../support/abreast.js";
import { ca, pathOf, shows } from "../support/certificates.js";
import { peerTest } from "../support/peers.js";
import { type Program, type Side, type Stage, staged } from "../support/stage.js";
import { until } from "../support/until.js";
import { bodyOf, fileOf } from "./foreign.js";

const test = abreast(suite("tls"), 2);

const SIZE = 200_000;
const theirs = bodyOf(SIZE, 1);
const within = { timeout: 10_000 };

/** What both sides have; each asks for the other's certificate. */
const terms: TlsOptions = { ...shows("localhost"), ca, requestCert: true };

/** What was said before a connection was there is gone. */
const often = ["--file", fileOf(SIZE, 1), "--interval", "1"];

/** nngcat, told that it may trust our authority, sends again and again. */
function nngcat(stage: Stage, role: string, show = "localhost") {
  return (side: Side, url: string): Program => {
    // It looks for the host's name, as text, in our certificate.
    const at = side === "listen" ? url : url.replace("127.0.0.1", "localhost");
    const where = side === "listen" ? "--listen" : "--dial";
    const trust = ["--cacert", pathOf("ca"), "--cert", pathOf(show)];
    return stage.start("nngcat", `--${role}`, where, at, ...trust, ...often);
  };
}

function same(got: Uint8Array): void {
  assert.is(Buffer.compare(got, theirs), 0);
}

for (const scheme of ["tls+tcp", "wss"] as const) {
  peerTest(
    test,
    "nngcat",
    `over ${scheme} an nngcat whose certificate another authority signed is refused, and so is one that is not asked for by name`,
    staged(async (stage) => {
      const socket = stage.open(pull());
      const refused: string[] = [];
      socket.on("refused", ({ error }) => refused.push(error.message));
      const { url } = await socket.listen(`${scheme}://127.0.0.1:0`, { tls: terms });
      nngcat(stage, "push", "stranger")("dial", url);
      await until("a refusal", () => refused.some((said) => said.includes("nobody we trust")));

      const asks = stage.open(pull());
      const heard: string[] = [];
      asks.on("refused", ({ error }) => heard.push(error.message));
      const at = await stage.free(scheme);
      nngcat(stage, "push", "elsewhere")("listen", at);
      asks.dial(at, { tls: { ca } });
      await until("a refusal", () => heard.some((said) => said.includes("is for another")));
      assert.is(socket.stats().attached + asks.stats().attached, 0);
    }),
  );

  peerTest(
    test,
    "nngcat",
    `over ${scheme} an nngcat that is another protocol, or speaks no TLS, is refused`,
    staged(async (stage) => {
      const socket = stage.open(pull());
      const refused: string[] = [];
      socket.on("refused", ({ error }) => refused.push(error.message));
      const { url } = await socket.listen(`${scheme}://127.0.0.1:0`, { tls: shows("localhost") });
      nngcat(stage, "pair0")("dial", url);
      await until("a refusal", () =>
        refused.includes("the peer's protocol is 0x10; pull (0x51) talks to 0x50"),
      );
      stage.start("nngcat", "--push", "--dial", url.replace(/tls\+|s(?=:)/, ""), ...often);
      await until("a refusal", () => refused.some((said) => said.includes("speaks no TLS")));
      nngcat(stage, "push")("dial", url);
      same(await socket.receive(within));
    }),
  );
}

test.run();
