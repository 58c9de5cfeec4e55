/** What a socket has counted since it was opened. */
export class Stats {
  /** Messages, and octets of their bodies, that the application gave and got. */
  sent = 0;
  sentOctets = 0;
  received = 0;
  receivedOctets = 0;
  /** Messages dropped, by rule. */
  readonly dropped: Record<string, number> = Object.create(null);
  /** What peers sent and may not, by rule: the dotted path of a header's field, or a rule's name. */
  readonly malformed: Record<string, number> = Object.create(null);
  /** Bodies that were copied, once for each copy. */
  copies = 0;
  copiedOctets = 0;
  /** Buffers made: slabs, blocks, bodies. Windows in slabs do not count. */
  allocations = 0;
  /** Records that a cipher put out, each then put where it is sent from; and those that it opened. */
  sealed = 0;
  unsealed = 0;
  /** Messages that grew a new head, for want of room: what a device does to each. */
  outOfRoom = 0;
  /** Headers that lay across segments, and were brought together. */
  gathered = 0;
  /** Connections. */
  attached = 0;
  detached = 0;
  refused = 0;
  /** Why the last one was, if none has taken part since. */
  refusal = "";

  drop(rule: string, n = 1): void {
    if (n > 0) this.dropped[rule] = (this.dropped[rule] ?? 0) + n;
  }

  breach(rule: string): void {
    this.malformed[rule] = (this.malformed[rule] ?? 0) + 1;
  }
}
