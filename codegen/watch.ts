/** Waits for changes in a folder of specs. */
import { existsSync, type FSWatcher, readdirSync, watch as watchFolder } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

/** An editor that saves touches a file several times within this many milliseconds. */
const SETTLE = 20;

/**
 * Calls `changed` at once, and after each change of a .ts file below the folder, until the signal. One
 * watcher a folder, since a file that is replaced by rename leaves a watcher of its own behind.
 */
export async function watch(
  folder: string,
  changed: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const watchers = new Map<string, FSWatcher>();
  let wake = () => {};
  let stirred = true;
  const stir = () => {
    stirred = true;
    wake();
  };
  const refresh = () => {
    const there = foldersIn(folder);
    for (const [dir, watcher] of watchers) {
      if (there.includes(dir)) continue;
      watcher.close();
      watchers.delete(dir);
    }
    for (const dir of there) {
      if (watchers.has(dir)) continue;
      const watcher = watchFolder(dir, (_, name) => {
        if (name === null || !name.includes(".") || name.endsWith(".ts")) stir();
      });
      watchers.set(dir, watcher.on("error", stir));
    }
  };
  signal.addEventListener("abort", stir);
  try {
    refresh();
    while (!signal.aborted) {
      if (!stirred) {
        await new Promise<void>((done) => {
          wake = done;
        });
      }
      if (signal.aborted) break;
      await setTimeout(SETTLE);
      stirred = false;
      refresh();
      await changed();
    }
  } finally {
    for (const watcher of watchers.values()) watcher.close();
  }
}

function foldersIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const inner = readdirSync(folder, { withFileTypes: true })
    .filter((e) => e.isDirectory() && !e.name.startsWith(".") && e.name !== "node_modules")
    .flatMap((e) => foldersIn(join(folder, e.name)));
  return [folder, ...inner];
}
