/**
 * Topics, and whether octets begin with one of them: a tree of prefixes.
 *
 * An edge holds as many octets as nobody shares, so a topic of a megabyte is one edge, and nothing here
 * recurses over what others chose.
 */

export interface Node {
  /** Octets on the way to here from the node before. */
  edge: Uint8Array;
  /** A topic ends here. */
  topic: boolean;
  /** By their edges' first octets, which differ; in order. */
  readonly next: Node[];
}

const NONE = new Uint8Array(0);

export class Topics {
  /** No octets lead here. */
  readonly root: Node = { edge: NONE, topic: false, next: [] };
  size = 0;

  /** Whether it was new. */
  add(topic: Uint8Array): boolean {
    let node = this.root;
    let at = 0;
    for (;;) {
      if (at === topic.length) break;
      const i = find(node, topic, at);
      const child = node.next[i];
      const same = child === undefined ? 0 : shared(child.edge, topic, at);
      if (child === undefined || same === 0) {
        const leaf: Node = { edge: topic.slice(at), topic: true, next: [] };
        node.next.splice(i, 0, leaf);
        this.size++;
        return true;
      }
      if (same < child.edge.length) {
        const fork: Node = { edge: child.edge.slice(0, same), topic: false, next: [child] };
        child.edge = child.edge.slice(same);
        node.next[i] = fork;
        node = fork;
      } else node = child;
      at += same;
    }
    if (node.topic) return false;
    node.topic = true;
    this.size++;
    return true;
  }

  /** Whether it was there. */
  delete(topic: Uint8Array): boolean {
    const way: Node[] = [this.root];
    let at = 0;
    while (at < topic.length) {
      const node = way.at(-1) as Node;
      const child = node.next[find(node, topic, at)];
      if (child === undefined || shared(child.edge, topic, at) < child.edge.length) return false;
      way.push(child);
      at += child.edge.length;
    }
    const node = way.pop() as Node;
    if (!node.topic) return false;
    node.topic = false;
    this.size--;
    const before = way.pop();
    if (before !== undefined) {
      this.#tidy(before, node);
      // What was a fork for two may now have one.
      const earlier = way.pop();
      if (earlier !== undefined) this.#tidy(earlier, before);
    }
    return true;
  }

  /** A node that is no topic needs two ways on, or it is none. */
  #tidy(before: Node, node: Node): void {
    if (node.topic || node.next.length > 1) return;
    const i = before.next.indexOf(node);
    const [only] = node.next;
    if (only === undefined) before.next.splice(i, 1);
    else {
      only.edge = joined(node.edge, only.edge);
      before.next[i] = only;
    }
  }

  /** Whether these octets, one piece behind the other, begin with a topic. */
  match(pieces: readonly Uint8Array[]): boolean {
    let node = this.root;
    let rest: Uint8Array = NONE;
    for (let piece = 0, at = 0; ; ) {
      if (rest.length === 0 && node.topic) return true;
      while (piece < pieces.length && at === (pieces[piece] as Uint8Array).length) {
        piece++;
        at = 0;
      }
      const octets = pieces[piece];
      if (octets === undefined) return false;
      if (rest.length === 0) {
        const child = node.next[find(node, octets, at)];
        if (child === undefined) return false;
        node = child;
        rest = child.edge;
      }
      const same = shared(rest, octets, at);
      at += same;
      if (same < rest.length && at < octets.length) return false;
      rest = same === rest.length ? NONE : rest.subarray(same);
    }
  }
}

/** Where the child whose edge begins as `octets` do at `at` is, or belongs. */
function find(node: Node, octets: Uint8Array, at: number): number {
  const wanted = octets[at] as number;
  let low = 0;
  let high = node.next.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (((node.next[middle] as Node).edge[0] as number) < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many octets an edge shares with `octets` from `at` on. */
function shared(edge: Uint8Array, octets: Uint8Array, at: number): number {
  const most = Math.min(edge.length, octets.length - at);
  let n = 0;
  while (n < most && edge[n] === octets[at + n]) n++;
  return n;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
