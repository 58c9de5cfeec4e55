/** The life of a connection: it opens once, it may end at any octet, and its end is told once. */
import { ClosedError } from "../../error.js";
import { CLOSE, END } from "../../layer.js";
import { Broken } from "../chance.js";
import { type Law, spread, told } from "../check.js";
import { Couple, type End } from "../couple.js";
import { joined } from "../octets.js";
import { enter } from "../outside.js";
import { opposite, SIDES, type Side, type Terms } from "../terms.js";

/** Longer than anybody has patience. */
const LONG = 60_000;

const opens: Law = {
  name: "it opens once, keeps what was learnt below, and says nothing before that is open",
  hold(terms) {
    const early = new Couple(terms);
    for (const { context } of early.ends) context.env.advance(1);
    early.judge();
    const facts = { local: "here:1", remote: "there:2", host: "there", acme: { learnt: true } };
    const couple = new Couple(terms).open(undefined, facts);
    couple.pass();
    for (const { top } of couple.ends) {
      const opened = top.events.find((e) => e.type === "opened");
      for (const [name, value] of Object.entries(facts)) {
        if (opened?.facts[name] === value) continue;
        throw new Broken(
          `\`opened\` lost what the layers below had learnt, as facts.${name}: say { ...facts, and your own }`,
        );
      }
    }
  },
};

/** `closed` was said once, and nothing since. */
function over(couple: Couple, { top, context }: End): void {
  enter(context.env);
  context.env.advance(LONG);
  top.turn(true);
  // What the application does with a connection that is gone.
  for (const c of [CLOSE, END] as const) top.below.control(c);
  context.env.advance(LONG);
  couple.judge();
  if (top.closed === 1) return;
  throw new Broken(
    "the one above never heard `closed`: pass the event on, at the latest when all that you hold has been taken",
  );
}

const cutShort: Law = {
  name: "an opening that ends at any octet ends in closed, and in nothing else",
  hold(terms) {
    const whole = new Couple(terms).open();
    for (const side of SIDES) {
      for (const at of spread(2 * terms.runs, 0, Math.max(0, whole[side].wire.came - 1))) {
        for (const error of [undefined, new ClosedError("the connection was reset")]) {
          const couple = new Couple(terms);
          const { wire } = couple[side];
          told(`when the connection of the ${side}er was closed at ${at} of its opening`, () => {
            couple.begin().run((to) => (to === wire ? at - to.came : 70_000));
            wire.lose(error);
            over(couple, couple[side]);
          });
        }
      }
    }
  },
};

const closes: Law = {
  name: "closed is passed on once, whatever it holds, and is the last that is heard",
  hold(terms) {
    for (const side of SIDES) {
      const most = way(new Couple(terms).open(), side).length;
      for (const at of spread(2 * terms.runs, 0, most)) {
        for (const stopped of [false, true]) {
          const held = stopped ? ", and the one above having said stop at the first" : "";
          const what = terms.wire === "octets" ? "octets" : "messages";
          told(
            `when the connection of the ${side}er was lost, ${at} of ${most} ${what} having come${held}`,
            () => lost(new Couple(terms).open(), side, at, stopped),
          );
        }
      }
    }
  },
};

/** What is on its way to a side, when the other has sent some messages: octets, or messages. */
function way(couple: Couple, side: Side): ArrayLike<unknown> {
  for (const length of [5, 300, 0, 20]) couple[opposite[side]].send(length, "borrowed");
  const { wire } = couple[side];
  wire.other.flush();
  return wire.face === "octets" ? joined(wire.coming.map((c) => c.octets)) : wire.coming;
}

/** Brings as much, then nothing more. */
function lost(couple: Couple, side: Side, at: number, stopped: boolean): void {
  way(couple, side);
  const end = couple[side];
  const { top, wire } = end;
  if (stopped) top.insides = [{ side, of: "top", nth: 0, again: false }];
  for (const length of [300, 5]) end.send(length, "borrowed");
  if (wire.face === "octets") wire.deliver(at);
  else for (let i = 0; i < at && !wire.paused; i++) wire.deliver(1 << 20);
  couple.judge();
  const error = at % 2 === 0 ? new ClosedError("the connection was reset") : undefined;
  wire.lose(error);
  over(couple, end);
  const closed = top.events.find((e) => e.type === "closed");
  if (error !== undefined && closed?.error === undefined) {
    throw new Broken(
      "`closed` came up with an error, and was passed on without one: hand on `error`, or one whose cause it is",
    );
  }
}

const ends: Law = {
  name: "end and close from above end the connection",
  hold(terms) {
    const reason = new ClosedError("the application says so");
    for (const side of SIDES) {
      for (const c of [END, CLOSE, { type: "close", error: reason } as const]) {
        for (const open of [true, false]) {
          const said = `\`${c.type}\` from above${"error" in c ? ", with an error" : ""}${open ? "" : ", before it was open"}`;
          told(`after ${said}`, () => ended(terms, side, c, open, said));
        }
      }
    }
  },
};

function ended(
  terms: Terms,
  side: Side,
  c: typeof END | { readonly type: "close"; readonly error?: Error },
  open: boolean,
  said: string,
): void {
  const couple = new Couple(terms);
  if (open) couple.open();
  else couple.begin();
  const { top, wire, context } = couple[side];
  for (const length of open ? [5, 300] : []) couple[side].send(length, "borrowed");
  enter(context.env);
  top.below.control(c);
  couple.run();
  // Who waits for the peer's last word does so for some time only.
  if (top.closed === 0) couple.pass();
  couple.judge();
  if (!wire.controls.some(({ type }) => type === c.type || type === "end")) {
    throw new Broken(
      `the one below never heard of ${said}: pass on the control, when you have said what you have to say`,
    );
  }
  if (top.closed !== 1) throw new Broken("`closed` never came up: pass the event on");
  const closed = top.events.find((e) => e.type === "closed");
  const error = closed?.type === "closed" ? closed.error : undefined;
  if (c.type === "end") {
    // All that was said before comes first.
    if (open) couple.finish();
    if (open && error !== undefined) {
      throw new Broken(`an orderly end came up as an error: ${error.message}`);
    }
  } else if (c.error !== undefined && error === undefined) {
    throw new Broken(
      "the reason that was given is lost: pass on `close` with its error, or say it in your `closed`",
    );
  }
}

export const opening = ({ wire }: Terms): readonly Law[] =>
  wire === "ports" ? [] : [opens, cutShort, closes, ends];
