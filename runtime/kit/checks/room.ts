/** Head and tail room: as much as is used, and no less. */
import { Broken } from "../chance.js";
import type { Law } from "../check.js";
import { Couple, MODES, octets } from "../couple.js";
import type { Terms } from "../terms.js";

const room: Law = {
  name: "the room that it declares is enough, and is reached",
  hold(terms) {
    let [head, tail] = [Infinity, Infinity];
    let declared = { head: 0, tail: 0 };
    for (const mode of MODES) {
      const couple = new Couple(terms, mode).open();
      for (const end of couple.ends) {
        const { stats } = end.context;
        const before = stats.outOfRoom;
        declared = end.room;
        end.wire.look = (m) => {
          head = Math.min(head, m.start - m.floor);
          if (m.rest.length === 0) tail = Math.min(tail, m.ceiling - m.end);
          // Who makes several of one has no room between them.
          if (mode === "scatter" || m.rest.length === 0 || terms.merges) return;
          couple.blame(
            `in mode contiguous a message went down in ${1 + m.rest.length} parts, its window and segments: write into the room around the window, by \`push\` and \`append\``,
          );
        };
        for (const length of [0, ...terms.edges]) {
          for (const shape of ["window", "borrowed"] as const) end.send(length, shape);
          couple.judge();
          if (stats.outOfRoom === before) continue;
          throw new Broken(
            `a message of ${octets(length)} needed a new head: ${octets(end.room.head)} of room are declared, and more are pushed; name every header that it writes in \`headers\``,
          );
        }
        end.wire.flush();
      }
      couple.run();
    }
    if (terms.merges) return;
    const unused = (n: number, of: number, where: string) => {
      if (n <= terms.spare || n === Infinity || of === 0) return;
      throw new Broken(
        `${octets(of)} of room are declared ${where} a body, and at most ${of - n} were used: leave out of \`headers\` what it does not write; or tell the kit sizes for which they are longest (\`edges\`), or what these options leave over (\`spare\`)`,
      );
    };
    unused(head, declared.head, "before");
    unused(tail, declared.tail, "behind");
  },
};

export const rooms = (_: Terms): readonly Law[] => [room];
