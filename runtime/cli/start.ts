/** `wirestack start`: what this is, shown on real traffic. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { dissect } from "../dissect/index.js";
import { treeText } from "../dissect/tree.js";
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
  process.stdout.write("\nA nanomsg client asks an NNG server, as captured, layer by layer:\n\n");
  for await (const frame of dissect(SAMPLE)) {
    if (frame.messages.length > 0) process.stdout.write(`${treeText(frame)}\n`);
  }
  process.stdout.write("The messages in it:\n\n");
  const list = await dissectCommand(["--messages", SAMPLE]);
  process.stdout.write(
    "\nNext: npx wirestack dissect --messages YOUR.pcap, or npm run codegen -- --new acme/trace\n",
  );
  return list;
}
