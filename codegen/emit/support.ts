/** The private functions that a generated file may need, printed only where they are used. */
import { Code } from "./code.js";
import { TEXTS } from "./helpers.js";

export type Support = keyof typeof TEXTS;

/** What each needs besides itself. */
const ALSO: Readonly<Partial<Record<Support, readonly Support[]>>> = {
  textAt: ["decoder", "octets"],
  textSize: ["encoder", "scratch", "refuse"],
  asciiSize: ["refuse"],
  putText: ["encoder", "octets"],
  internet: ["pairs"],
};

/** Collects what a file uses. */
export class Used {
  readonly #names = new Set<Support>();
  readonly #own = new Map<string, Code>();

  get(name: Support): string {
    this.#names.add(name);
    for (const also of ALSO[name] ?? []) this.get(also);
    return name;
  }

  /** A function of this file alone, printed when it is first asked for. */
  own(name: string, print: (code: Code) => void): string {
    if (this.#own.has(name)) return name;
    const code = new Code();
    this.#own.set(name, code);
    print(code);
    return name;
  }

  /** Prints them: its own, then those of all files in a fixed order. */
  print(code: Code): void {
    for (const { lines } of this.#own.values()) {
      code.line();
      for (const l of lines) code.line(l);
    }
    for (const [name, text] of Object.entries(TEXTS)) {
      if (!this.#names.has(name as Support)) continue;
      code.line();
      for (const l of text.split("\n")) code.line(l);
    }
  }
}
