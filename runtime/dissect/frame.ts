/** What a dissected frame consists of. */
import type { Walked } from "../../generated/dissect.js";
import type { Packet } from "./capture.js";
import type { Source, SourceKind } from "./source.js";

/** A header, and where its octets are. */
export interface Layer {
  readonly is: "header";
  readonly walked: Walked;
  readonly source: Source;
  /** Of a header by which packets are told apart into flows. */
  readonly flow?: { readonly number: number; readonly from: string; readonly to: string };
}

/** Octets that no header claims. */
export interface Rest {
  readonly is: "octets";
  readonly source: Source;
  readonly from: number;
  readonly to: number;
  /** Octets that should follow them and are missing. */
  readonly lack: number;
  /** In a word or two: `payload`, `fragment`. */
  readonly what: string;
  /** They are encrypted, and no key that is there opens them. */
  readonly sealed?: true;
  /** They are a layer's, of which no header is known: its name. */
  readonly unknown?: string;
}

/** One message of an application. */
export interface Message {
  /** Number of the frame with which it was complete, and all before it in its stream. */
  readonly frame: number;
  /** Number of its flow, from 0; each kind of flow counts apart. */
  readonly stream: number;
  readonly from: string;
  readonly to: string;
  /** By which framing it came: last word of the name of the header that carried it. */
  readonly transport: string;
  /** Its sender's protocol, and the receiver's if that has told it; by name if it has one. */
  readonly protocol: string;
  readonly peer: string | undefined;
  /** Octets of its own header and payload, and how many of them are missing. */
  readonly length: number;
  readonly missing: number;
  /** A hole has destroyed its stream's framing, and where it begins was found by guessing. */
  readonly guessed: boolean;
  /** Its own header, in words of four octets. */
  readonly tags: readonly string[];
  /** What its own header shows besides its fields: `request_id`, `0x8005cf78`. */
  readonly shows: readonly (readonly [name: string, text: string])[];
  /**
   * Where its octets come from: `decrypted` if they were sealed, whatever happened to them then; else as they
   * were found last.
   */
  readonly source: SourceKind;
  /** Of the payload, what is there: without headers and trailers of layers that are known. */
  readonly payload: Uint8Array;
}

/** What was found in a packet, and in what it completed. */
export interface Frame {
  readonly packet: Packet;
  /** From the link layer upwards; a stream's units one after the other. */
  readonly parts: readonly (Layer | Rest)[];
  /** As Wireshark lists them: `eth:ethertype:ip:tcp`. */
  readonly protocols: readonly string[];
  /** Whole ones, and ones of which octets are missing. */
  readonly messages: readonly Message[];
  /** What is to be said about flows: holes, framing that is lost, what is unfinished. */
  readonly remarks: readonly string[];
  /** Octets wait for others before them: messages of frames up to this one may still turn up. */
  readonly waits: boolean;
  /** Found after the last packet, when streams were told that nothing comes any more. */
  readonly late: boolean;
}
