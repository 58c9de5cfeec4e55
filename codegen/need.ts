/** Packages without which nothing is generated, and which come with nobody: named when missing. */
import { createRequire } from "node:module";

const PACKAGES: readonly string[] = ["esbuild", "ts-morph"];

/** Some of them are not installed. */
export class MissingPackage extends Error {
  readonly code = "MISSING_PACKAGE";
  constructor(readonly packages: readonly string[]) {
    const what = packages.length > 1 ? "packages that are" : "a package that is";
    super(
      `this command needs ${what} not installed; run: npm install --save-dev ${packages.join(" ")}`,
    );
    this.name = "MissingPackage";
  }
}

/** Says what to install if something is missing: all of it, and before anything is done. */
export function needPackages(): void {
  const { resolve } = createRequire(import.meta.url);
  const missing = PACKAGES.filter((name) => {
    try {
      resolve(name);
      return false;
    } catch {
      return true;
    }
  });
  if (missing.length > 0) throw new MissingPackage(missing);
}
