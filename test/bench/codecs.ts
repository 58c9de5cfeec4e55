/** Generated codecs beside hand-written references and other people's libraries. */
import { type Contest, contests } from "./codecs/contest.js";
import { fair } from "./codecs/fairness.js";
import { ipv4 } from "./codecs/ipv4.js";
import { libraries } from "./codecs/libraries.js";
import { request } from "./codecs/request.js";
import { RECORDS } from "./codecs/slab.js";
import { ws } from "./codecs/ws.js";
import { type Contender, median, race, ratio } from "./race.js";
import type { Goal, Options, Report, Row } from "./report.js";

/** What generated code is to reach: at most this multiple of the reference, … */
const REFERENCE = 1.15;
/** … and to be at least so many times as fast as a library. */
const LIBRARIES: Readonly<Record<string, number>> = { protodef: 3, "binary-parser": 15 };

const near = (x: number): Goal => ({ text: `≤ ${REFERENCE}`, met: x <= REFERENCE });

export async function codecs({ rounds = 100, only }: Options): Promise<Report> {
  const found = await libraries();
  const [frames, requests, headers] = [ws(found), request(found), ipv4(found)];
  const all = [...contests(frames, only), ...contests(requests, only), ...contests(headers, only)];
  const contenders = all.flatMap(({ generated, reference, rivals }) => [
    generated,
    reference,
    ...rivals.flatMap((r) => r.contender ?? []),
  ]);
  const times = race(contenders, RECORDS, rounds);
  fair(frames);
  fair(requests);
  fair(headers);
  return { columns: ["× reference", "× generated"], rows: all.flatMap(rowsOf) };

  function rowsOf({ name, generated, reference, rivals }: Contest): Row[] {
    const row = (who: string, c: Contender, goal?: (factor: number) => Goal): Row => {
      const of = times.get(c) ?? [];
      const ratios = [ratio(times, c, reference), ratio(times, c, generated)] as const;
      const timed = { name, who, median: median(of), least: Math.min(...of), ratios };
      if (goal === undefined) return timed;
      return { ...timed, goal: goal(c === generated ? ratios[0] : ratios[1]) };
    };
    return [
      row("generated", generated, near),
      row("reference", reference),
      ...rivals.map(({ library, contender }): Row => {
        if (contender === undefined) return { name, who: library, note: "is not installed" };
        const least = LIBRARIES[library];
        if (least === undefined) return row(library, contender);
        return row(library, contender, (x) => ({ text: `≥ ${least}`, met: x >= least }));
      }),
    ];
  }
}
