/** Controls and events that a layer does not know go on as they are; and nobody is called in the wrong turn. */
import { PeerError } from "../../error.js";
import type { Control, Event } from "../../layer.js";
import { Exchange } from "../../message.js";
import { Broken } from "../chance.js";
import type { Law } from "../check.js";
import { Couple, SHAPES } from "../couple.js";
import { enter } from "../outside.js";
import type { Terms } from "../terms.js";

const topic = new Uint8Array(3);
const exchange = new Exchange();
const pipe = {};
const error = new PeerError("kit");

const CONTROLS = [
  { type: "acme.unknown", acme: topic },
  { type: "cancel", exchange },
  { type: "subscribe", topic },
  { type: "unsubscribe", topic },
] as unknown as readonly Control[];

const EVENTS = [{ type: "acme.unknown", acme: topic }] as unknown as readonly Event[];
/** Said above a hub only. */
const ABOVE: readonly Event[] = [
  { type: "attached", pipe },
  { type: "detached", pipe, error },
  { type: "failed", exchange, error },
  { type: "ended" },
];

const same = (a: object, b: object): boolean =>
  Object.entries(a).every(([name, value]) => (b as Record<string, unknown>)[name] === value);

const unknown: Law = {
  name: "controls and events that it does not know it passes on, as they are",
  hold(terms) {
    const couple = new Couple(terms).open();
    for (const { top, wire, context } of couple.ends) {
      enter(context.env);
      for (const c of CONTROLS) {
        const before = wire.controls.length;
        top.below.control(c);
        if (wire.controls.slice(before).some((heard) => same(c, heard))) continue;
        throw new Broken(
          `the control \`${c.type}\` did not reach the one below: in \`control\`, pass on what you do not know, as it is (\`this.below.control(c)\`)`,
        );
      }
      const events = terms.wire === "ports" ? [...EVENTS, ...ABOVE] : EVENTS;
      for (const e of events) {
        const before = top.events.length;
        wire.above.event(e);
        if (top.events.slice(before).some((heard) => same(e, heard))) continue;
        throw new Broken(
          `the event \`${e.type}\` did not reach the one above: in \`event\`, pass on what you do not know, as it is (\`this.above.event(e)\`)`,
        );
      }
    }
    couple.finish();
  },
};

const lends: Law = {
  name: "who asks to borrow the connection is answered, and not past who must see its octets",
  hold(terms) {
    const couple = new Couple(terms).open();
    const { dial } = couple;
    const before = dial.wire.put.length;
    dial.send(40, "borrowed");
    dial.wire.flush();
    const length = dial.wire.put.slice(before).reduce((n, p) => n + p.length, 0);
    const changes = length !== 40 || terms.layer.headers !== undefined;
    let answers = 0;
    enter(dial.context.env);
    dial.top.below.control({ type: "lend", to: () => answers++ });
    const passed = dial.wire.controls.some(({ type }) => type === "lend");
    if (answers !== 1) {
      throw new Broken(
        `\`lend\` was answered ${answers} times: pass it on, or answer it once, \`c.to(undefined)\`; who asks waits for that`,
      );
    }
    if (passed && changes && terms.top === "octets") {
      throw new Broken(
        "`lend` was passed on, though the layer puts octets of its own among the others: who borrows the connection would go past it; answer `c.to(undefined)`",
      );
    }
  },
};

const turns: Law = {
  name: "no message comes up within the call of one that goes down, or of another that comes up",
  hold(terms) {
    const couple = new Couple(terms).open();
    for (const { side, top } of couple.ends) {
      top.look = () => {
        if (top.sending) {
          couple.blame(
            "a message came up within the call of one that went down: two who answer each other would fill the call stack; pass it up when it comes, or later by `context.env.tick`",
          );
        }
        if (top.taking > 1) {
          couple.blame(
            "a message came up within the call of another: `stop` and `go` amid each would fill the call stack; at `go`, leave it to the loop that is running",
          );
        }
      };
      const every = Array.from({ length: 100 }, (_, nth) => nth);
      top.insides = every.map((nth) => ({ side, of: "top", nth, again: true }));
    }
    for (const chunk of [70_000, 3]) {
      for (const length of [5, 0, 300, 40]) {
        for (const shape of SHAPES) {
          for (const { wire } of couple.ends) wire.deliver(chunk);
          // What was put off until the next tick has not had that yet.
          for (const end of couple.ends) end.send(length, shape);
          couple.judge();
        }
      }
      couple.run();
    }
    couple.finish();
  },
};

export const passing = (_: Terms): readonly Law[] => [unknown, lends, turns];
