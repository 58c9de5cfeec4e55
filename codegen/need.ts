/** Optional packages, named when missing. */

/** The package that a command cannot do without is not installed. */
export class MissingPackage extends Error {
  readonly code = "MISSING_PACKAGE";
  constructor(readonly pkg: string) {
    super(
      `this command needs the package "${pkg}", which is not installed; run: npm install --save-dev ${pkg}`,
    );
    this.name = "MissingPackage";
  }
}

/** Imports an optional package; if it is missing, says what to install. */
export async function need<T>(pkg: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ERR_MODULE_NOT_FOUND" && message.includes(`'${pkg}'`))
      throw new MissingPackage(pkg);
    throw error;
  }
}
