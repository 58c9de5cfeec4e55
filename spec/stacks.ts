/**
 * Stacks whose headers stand one behind the other in a message: the outermost first, the payload last.
 * Each gets its whole layout: room for all its headers, and one function that takes them apart.
 */
import { stack } from "./lang.js";
import { ethernet } from "./net/ethernet.js";
import { ipv4 } from "./net/ipv4.js";
import { ipv6 } from "./net/ipv6.js";
import { tcp } from "./net/tcp.js";
import { udp } from "./net/udp.js";
import { spIpc } from "./sp/ipc.js";
import { spPair1 } from "./sp/pair1.js";
import { spRequest } from "./sp/request.js";
import { spStar } from "./sp/star.js";
import { spSurvey } from "./sp/survey.js";
import { spTcp } from "./sp/tcp.js";
import { spUdp } from "./sp/udp.js";
import { wsFrame } from "./ws/frame.js";

/** REQ and REP over TCP or TLS. */
export const requestTcp = stack("sp.request/tcp", spTcp, spRequest);
/** REQ and REP over a local socket. */
export const requestIpc = stack("sp.request/ipc", spIpc, spRequest);
/** REQ and REP over WebSocket. */
export const requestWs = stack("sp.request/ws", wsFrame, spRequest);

/** SURVEYOR and RESPONDENT over TCP or TLS. */
export const surveyTcp = stack("sp.survey/tcp", spTcp, spSurvey);
/** SURVEYOR and RESPONDENT over a local socket. */
export const surveyIpc = stack("sp.survey/ipc", spIpc, spSurvey);
/** SURVEYOR and RESPONDENT over WebSocket. */
export const surveyWs = stack("sp.survey/ws", wsFrame, spSurvey);

/** PAIR 1 over TCP or TLS. */
export const pair1Tcp = stack("sp.pair1/tcp", spTcp, spPair1);
/** PAIR 1 over a local socket. */
export const pair1Ipc = stack("sp.pair1/ipc", spIpc, spPair1);
/** PAIR 1 over WebSocket. */
export const pair1Ws = stack("sp.pair1/ws", wsFrame, spPair1);

/** STAR over TCP or TLS. */
export const starTcp = stack("sp.star/tcp", spTcp, spStar);
/** STAR over a local socket. */
export const starIpc = stack("sp.star/ipc", spIpc, spStar);
/** STAR over WebSocket. */
export const starWs = stack("sp.star/ws", wsFrame, spStar);

/** PAIR 0, PUB, SUB, PUSH, PULL and BUS over TCP or TLS. */
export const plainTcp = stack("sp/tcp", spTcp);
/** PAIR 0, PUB, SUB, PUSH, PULL and BUS over a local socket. */
export const plainIpc = stack("sp/ipc", spIpc);
/** PAIR 0, PUB, SUB, PUSH, PULL and BUS over WebSocket. */
export const plainWs = stack("sp/ws", wsFrame);

/** TCP in IPv4 in Ethernet: what a tool that makes up whole packets writes. */
export const tcpIpv4 = stack("tcp/ip/eth", ethernet, ipv4, tcp);
/** TCP in IPv6 in Ethernet. */
export const tcpIpv6 = stack("tcp/ipv6/eth", ethernet, ipv6, tcp);
/** UDP in IPv4 in Ethernet. */
export const udpIpv4 = stack("udp/ip/eth", ethernet, ipv4, udp);
/** UDP in IPv6 in Ethernet. */
export const udpIpv6 = stack("udp/ipv6/eth", ethernet, ipv6, udp);
/** NNG's datagrams. */
export const plainUdp = stack("sp/udp", udp, spUdp);
