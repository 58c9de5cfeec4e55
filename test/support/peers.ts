/** Tests that need a foreign program, such as tshark or nngcat. */
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Callback, Test } from "uvu";

/**
 * Adds a test that runs only where `tool` is on the PATH. Elsewhere it is a named skip, or a failure
 * under WIRESTACK_REQUIRE_PEERS=1, which CI sets: there nothing may be skipped unnoticed.
 */
export function peerTest<T>(test: Test<T>, tool: string, name: string, run: Callback<T>): void {
  if (installed(tool)) {
    test(name, run);
  } else if (process.env.WIRESTACK_REQUIRE_PEERS === "1") {
    test(name, () => {
      throw new Error(`${tool} not installed`);
    });
  } else {
    // The runner shows this line, and fails a file that skips without one.
    console.log(`skipped: ${name} (${tool} not installed)`);
    test.skip(name, run);
  }
}

export function installed(tool: string): boolean {
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return folder !== "";
    } catch {
      return false;
    }
  });
}
