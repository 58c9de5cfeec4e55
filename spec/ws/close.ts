import { header, oneOf, text, u16 } from "../lang.js";

/** Body of a WebSocket close frame, which may also be empty. */
export const wsClose = header(
  "ws.close",
  {
    /** Why; 1004, 1005, 1006 and 1015 never are on the wire, 3000 and above are the application's. */
    code: oneOf(
      u16,
      {
        normal: 1000,
        goingAway: 1001,
        protocolError: 1002,
        unsupportedData: 1003,
        invalidPayload: 1007,
        policyViolation: 1008,
        messageTooBig: 1009,
        mandatoryExtension: 1010,
        internalError: 1011,
        serviceRestart: 1012,
        tryAgainLater: 1013,
        badGateway: 1014,
      },
      { open: true },
    )
      .must(
        (n) =>
          n
            .ge(1000)
            .and(n.lt(1004))
            .or(n.gt(1006).and(n.lt(1015)))
            .or(n.ge(3000).and(n.lt(5000))),
        "is no code that may be sent",
      )
      .named("payload.close.status_code"),
    /** For people who debug. */
    reason: text("rest", { max: 123 }).named("payload.close.reason"),
  },
  {
    ref: "RFC 6455 §5.5.1, §7.4; IANA WebSocket Close Code Number Registry",
    protocol: "websocket",
    onFault: { close: 1002 },
  },
);
