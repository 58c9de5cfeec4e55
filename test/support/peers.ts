/** Tests that need a foreign program, such as tshark or nngcat, or a library to compile against. */
import { accessSync, constants, existsSync } from "node:fs";
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

/** Libraries, by a header of theirs. */
const HEADERS: Readonly<Record<string, string>> = {
  libnng: "/usr/include/nng/nng.h",
  libnanomsg: "/usr/include/nanomsg/nn.h",
};

/** What is no program, but read or run by one. */
const FILES: Readonly<Record<string, string>> = {
  "flynn/noise": "/usr/share/gocode/src/github.com/flynn/noise/vectors.txt",
  "Linux's /proc/net/tcp": "/proc/net/tcp",
  dissononce: "/usr/lib/python3/dist-packages/dissononce/__init__.py",
};

export function fileOf(tool: string): string {
  return FILES[tool] ?? "";
}

export function installed(tool: string): boolean {
  if (FILES[tool] !== undefined) return existsSync(FILES[tool]);
  const header = HEADERS[tool];
  if (header !== undefined) return existsSync(header) && installed("gcc");
  return (process.env.PATH ?? "").split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return folder !== "";
    } catch {
      return false;
    }
  });
}
