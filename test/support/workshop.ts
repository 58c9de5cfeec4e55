/** A copy of the generator in a folder of its own: what a test breaks there is nobody's loss. */
import { type ChildProcess, spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const REPOSITORY = fileURLToPath(new URL("../../..", import.meta.url));
const PACKAGES = ["ts-morph", "esbuild", "uvu"];

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export class Workshop {
  readonly root = mkdtempSync(join(tmpdir(), "wirestack-"));

  constructor() {
    this.write("package.json", '{ "type": "module" }');
    for (const tree of [
      "dist/spec",
      "dist/codegen",
      "dist/generated/model.json",
      "spec/lang.ts",
      "runtime/index.ts",
      "runtime/portable.ts",
    ]) {
      cpSync(join(REPOSITORY, tree), this.path(tree), { recursive: true });
    }
    for (const name of PACKAGES) this.install(name);
  }

  path(path: string): string {
    return join(this.root, path);
  }

  /** Makes a package of the repository's known here, under its name. */
  install(name: string): void {
    mkdirSync(this.path("node_modules"), { recursive: true });
    symlinkSync(join(REPOSITORY, "node_modules", name), this.path(`node_modules/${name}`));
  }

  uninstall(name: string): void {
    rmSync(this.path(`node_modules/${name}`));
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), text);
  }

  read(path: string): string {
    return readFileSync(this.path(path), "utf8");
  }

  /** Replaces a piece of a file. */
  change(path: string, from: string, to: string): void {
    this.write(path, this.read(path).replace(from, to));
  }

  has(path: string): boolean {
    return existsSync(this.path(path));
  }

  remove(path: string): void {
    rmSync(this.path(path), { recursive: true });
  }

  /** Runs the generator's command in this process, so that it loads its packages only once. */
  async codegen(...args: string[]): Promise<Outcome> {
    const url = pathToFileURL(this.path("dist/codegen/main.js")).href;
    const { main } = (await import(url)) as { main(args: string[]): Promise<number> };
    const said = { log: "", error: "" };
    const { log, error } = console;
    const back = process.cwd();
    console.log = (text: string) => {
      said.log += `${text}\n`;
    };
    console.error = (text: string) => {
      said.error += `${text}\n`;
    };
    process.chdir(this.root);
    try {
      return { code: await main(args), out: said.log, err: said.error };
    } finally {
      process.chdir(back);
      Object.assign(console, { log, error });
    }
  }

  /** Starts node in a process of its own. */
  start(...args: string[]): ChildProcess {
    return spawn(process.execPath, args, { cwd: this.root, stdio: ["ignore", "pipe", "pipe"] });
  }

  /** Runs node in a process of its own, to its end. */
  async node(...args: string[]): Promise<Outcome> {
    const child = this.start(...args);
    const said = { out: "", err: "" };
    child.stdout?.setEncoding("utf8").on("data", (text) => {
      said.out += text;
    });
    child.stderr?.setEncoding("utf8").on("data", (text) => {
      said.err += text;
    });
    const code = await new Promise<number>((done) => child.on("close", (n) => done(n ?? -1)));
    return { code, ...said };
  }

  close(): void {
    rmSync(this.root, { recursive: true });
  }
}
