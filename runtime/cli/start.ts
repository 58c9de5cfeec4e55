/** `wirestack start`: what this is, shown on real traffic. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { dissectCommand } from "./dissect.js";

const SAMPLE = fileURLToPath(new URL("../dissect/sample.pcap", import.meta.url));

export async function startCommand(): Promise<number> {
  // In the repository the generated code is checked against the specs; a package has no specs' sources.
  if (existsSync(new URL("../../../spec/lang.ts", import.meta.url))) {
    process.stdout.write("Generated code against its specs:\n");
    const { main } = await import("../../codegen/main.js");
    const code = await main(["--check"]);
    if (code !== 0) return code;
  }
  process.stdout.write("\nA request from a nanomsg client to an NNG server, as captured, layer by layer:\n\n");
  const tree = await dissectCommand([SAMPLE]);
  process.stdout.write("The messages in it:\n\n");
  const list = await dissectCommand(["--messages", SAMPLE]);
  process.stdout.write(
    "\nNext: npx wirestack dissect --messages YOUR.pcap, or npm run codegen -- --new acme/trace\n",
  );
  return tree || list;
}
