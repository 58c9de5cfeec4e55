/** A worker of the page's: asks whom it is told to, and says what it heard. */
import { open, req } from "wirestack";

const self = globalThis as unknown as {
  onmessage: (e: { readonly data: string }) => void;
  postMessage(said: string): void;
};

self.onmessage = async ({ data: url }) => {
  const socket = open(req());
  socket.dial(url);
  const reply = await socket.request("from a worker");
  self.postMessage(new TextDecoder().decode(reply));
  await socket.close();
};
