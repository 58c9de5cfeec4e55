/** Tests that run side by side: those that spend their time waiting, for other programs or the clock. */
import type { Callback, Test } from "uvu";

/**
 * As `test`, but when the first test is due `width` of them begin, and another one whenever one is over.
 * Each has its own name and outcome, told in its turn. What one test shares with the next, such as hooks
 * around each, is not for them.
 */
export function abreast<T>(test: Test<T>, width: number): Test<T> {
  const waiting: ((context: T) => Promise<void>)[] = [];
  let begun = false;
  const work = async (context: T) => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await next(context);
  };
  const add = (name: string, run: Callback<T>) => {
    let settle!: (outcome: Promise<void>) => void;
    const outcome = new Promise<void>((done) => {
      settle = done;
    });
    // A failure is told of in its turn, and until then is nobody's.
    const over = outcome.catch(() => {});
    waiting.push((context) => {
      settle((async () => run(context as Parameters<Callback<T>>[0]))() as Promise<void>);
      return over;
    });
    test(name, (context) => {
      if (!begun) for (let i = 0; i < width; i++) work(context as T);
      begun = true;
      return outcome;
    });
  };
  return Object.assign(add, test);
}
