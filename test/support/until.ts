/** Waiting for what other processes do: by looking again, and no longer than a deadline. */

/** Resolves when `done` says so; after `ms` milliseconds fails, and says what did not come. */
export async function until(
  what: string | (() => string),
  done: () => boolean,
  ms = 10_000,
): Promise<void> {
  const deadline = performance.now() + ms;
  while (!done()) {
    if (performance.now() > deadline) {
      throw new Error(`not within ${ms} ms: ${typeof what === "string" ? what : what()}`);
    }
    await new Promise((again) => setTimeout(again, 2));
  }
}
