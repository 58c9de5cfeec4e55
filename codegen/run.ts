/** Runs what is generated, without writing it anywhere. */
import { posix } from "node:path";

export type Module = Readonly<Record<string, unknown>>;

/** Imports modules of `files` (path → TypeScript), which may import one another; by their paths. */
export async function run(
  files: ReadonlyMap<string, string>,
  entries: readonly string[],
): Promise<Map<string, Module>> {
  const { build } = await import("esbuild");
  const all = entries.map((path, i) => `export * as m${i} from "./${path}";`);
  const { outputFiles } = await build({
    stdin: { contents: all.join("\n"), loader: "ts" },
    bundle: true,
    write: false,
    format: "esm",
    target: "node20",
    logLevel: "silent",
    plugins: [
      {
        name: "generated",
        setup(b) {
          b.onResolve({ filter: /^\./ }, ({ path, importer }) => ({
            path: posix.join(posix.dirname(importer), path).replace(/\.js$/, ".ts"),
            namespace: "generated",
          }));
          b.onLoad({ filter: /./, namespace: "generated" }, ({ path }) => {
            const contents = files.get(path);
            return contents === undefined ? undefined : { contents, loader: "ts" };
          });
        },
      },
    ],
  });
  const code = outputFiles[0]?.contents ?? new Uint8Array();
  const url = `data:text/javascript;base64,${Buffer.from(code).toString("base64")}`;
  const modules = (await import(url)) as Readonly<Record<string, Module>>;
  return new Map(entries.map((path, i) => [path, modules[`m${i}`] ?? {}]));
}
