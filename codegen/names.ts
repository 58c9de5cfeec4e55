/** Which names a header, its fields and their values may have. */

const UNSAFE = new Set(["prototype", "then", ...Object.getOwnPropertyNames(Object.prototype)]);

/** Whether every object has the name, or gives it a meaning: a value with it would not be plain. */
export const isUnsafe = (name: string): boolean => UNSAFE.has(name);

/** One word in camelCase. */
export const isFieldName = (name: string): boolean => /^[a-z][A-Za-z0-9]*$/.test(name);

/** Lower-case words, joined by dots. */
export const isHeaderName = (name: string): boolean =>
  /^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$/.test(name) && !name.split(".").some(isUnsafe);
