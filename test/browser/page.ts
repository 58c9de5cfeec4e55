/** A page in Chromium that has the package's browser build, as a bundler makes it. */

import { accessSync, constants } from "node:fs";
import { createServer, type Server } from "node:http";
import { delimiter, join } from "node:path";
import { build, type Format, stop } from "esbuild";
import puppeteer, { type Browser, type Page as Tab } from "puppeteer-core";
import { pinOf } from "../support/certificates.js";

/** Nothing is evaluated from text, and nothing but WebSocket leaves the page. */
const POLICY = "default-src 'none'; script-src 'self'; connect-src ws: wss:; worker-src 'self'";

export class Page {
  private constructor(
    readonly origin: string,
    /** Its `evaluate` runs a function in the page, where `page` is `script.ts`'s. */
    readonly tab: Tab,
    readonly browser: Browser,
    readonly server: Server,
  ) {}

  static async open(): Promise<Page> {
    const files: Record<string, Uint8Array | string> = {
      "/": '<!doctype html><script src="/script.js"></script>',
      "/script.js": await bundled("test/browser/script.ts"),
      "/worker.js": await bundled("test/browser/worker.ts"),
    };
    const server = createServer(({ url = "/" }, response) => {
      const type = url === "/" ? "text/html" : "text/javascript";
      response.setHeader("Content-Security-Policy", POLICY).setHeader("Content-Type", type);
      response.statusCode = url in files ? 200 : 404;
      response.end(files[url]);
    });
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    const { port } = server.address() as { port: number };
    const origin = `http://127.0.0.1:${port}`;
    const browser = await puppeteer.launch({
      executablePath: found("chromium"),
      // It goes when this process does.
      pipe: true,
      args: [
        // Chromium sandboxes nothing for root.
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        `--ignore-certificate-errors-spki-list=${pinOf("localhost")}`,
      ],
    });
    const tab = await browser.newPage();
    await tab.goto(origin);
    return new Page(origin, tab, browser, server);
  }

  async close(): Promise<void> {
    await this.browser.close();
    this.server.closeAllConnections();
    this.server.close();
  }
}

/** A script and all that it imports, as for a browser. */
export async function bundled(entry: string, format: Format = "iife"): Promise<Uint8Array> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    platform: "browser",
    format,
    target: "es2022",
    write: false,
  });
  await stop();
  return outputFiles[0]?.contents as Uint8Array;
}

function found(program: string): string {
  const paths = (process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, program));
  const path = paths.find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
  if (path === undefined) throw new Error(`${program} is not on the PATH`);
  return path;
}
