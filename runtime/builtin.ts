/**
 * A module of node's, by name. Not by `import`: so a bundle for a browser holds no node module, and fails
 * only if it opens what a browser has not.
 */
export const builtin = <T>(name: string): T => {
  const found = globalThis.process?.getBuiltinModule?.(name as "node:net");
  if (found === undefined) throw new Error(`${name} is not here: this is not node`);
  return found as T;
};
