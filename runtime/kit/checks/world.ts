/** A layer has the world from `context.env`, so that simulations can run it. */
import { CLOSE } from "../../layer.js";
import { late } from "../causes.js";
import { Broken, Chance } from "../chance.js";
import type { Law } from "../check.js";
import { Couple, MODES } from "../couple.js";
import { body } from "../octets.js";
import { shut } from "../outside.js";
import { played, scenes } from "../steps.js";
import type { Terms } from "../terms.js";

const LONG = 60_000;

/** All that happens to a layer, in short. What is wrong with that is other checks' concern. */
function life(terms: Terms): void {
  for (const mode of MODES) {
    const scene = scenes(terms, true).draw(new Chance(terms.seed));
    quietly(() => played(terms, { ...scene, mode }));
    for (const last of ["end", "close", "lost", "noise"] as const) {
      quietly(() => {
        const couple = new Couple(terms, mode).open();
        const { dial, listen } = couple;
        for (const length of [0, 5, 3000])
          for (const end of couple.ends) end.send(length, "pieces");
        couple.finish();
        if (last === "end") dial.top.below.control({ type: "end" });
        else if (last === "close") dial.top.below.control(CLOSE);
        else if (last === "lost") dial.wire.lose();
        else listen.wire.above.up(listen.wire.form(body(200, 1), 200));
        couple.run();
        for (const { context } of couple.ends) context.env.advance(LONG);
      });
    }
  }
}

function quietly(run: () => void): void {
  try {
    run();
  } catch {
    // Told by another check.
  }
}

const env: Law = {
  name: "it takes clock, timers and chance from context.env alone",
  hold(terms) {
    const [escape] = shut(() => life(terms));
    if (escape === undefined) return;
    const { what, instead, at } = escape;
    const why = /^(timer|tick|turn)/.test(instead) ? late(terms) : undefined;
    if (why !== undefined) throw why.as(`it called ${what}, at ${at}, and ${why.reason}`);
    throw new Broken(
      `it called ${what}, at ${at}: take \`context.env.${instead}\` instead, so that simulations can run the layer`,
    );
  },
};

export const worlds = (_: Terms): readonly Law[] => [env];
