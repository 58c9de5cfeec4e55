/** TCP: octets, without Nagle's delay on either side. */
import { hostAndPort, textOf } from "../address.js";
import type { Ground, Layer } from "../layer.js";
import { dialStream, listenStream } from "../stream.js";

export function tcp(): Layer<Ground, "octets", "tcp"> {
  return {
    name: "tcp",
    below: "ground",
    above: "octets",
    transport: {
      paths: true,
      copies: true,
      dial: (rest, context) => dialStream(hostAndPort(context.scheme, rest, "dial"), context),
      async listen(rest, context, accept) {
        const bound = await listenStream(
          hostAndPort(context.scheme, rest, "listen"),
          context,
          accept,
        );
        return { rest: textOf(bound.local), close: () => bound.close() };
      },
    },
  };
}
