/** Layers that are wrong in one way each: the kit finds every one, and its sentence says what to mend. */
import { suite } from "uvu";
import * as assert from "uvu/assert";
import * as star from "../../generated/sp/star.js";
import type { Assembly } from "../../runtime/assembly.js";
import { KitError, type KitOptions, layerChecks, testLayer } from "../../runtime/kit/index.js";
import type { Control, Element, Event, PipeContext } from "../../runtime/layer.js";
import { Message } from "../../runtime/message.js";
import { Lengths, lengths, Mark, mark, Turned, turned } from "./layers.js";

const test = suite("planted faults");

type Class = new (context: PipeContext) => Element;
const marks = (Class: Class, more: Partial<KitOptions> = {}): KitOptions => ({
  make: () => mark({ with: Class }),
  runs: 6,
  ...more,
});
const framed = (Class: Class, more: Partial<KitOptions> = {}): KitOptions => ({
  make: () => lengths({ with: Class, alike: true }),
  runs: 6,
  ...more,
});

const WORLD = "it takes clock, timers and chance from context.env alone";
const ROOM = "the room that it declares is enough, and is reached";
const UNKNOWN = "controls and events that it does not know it passes on, as they are";
const WRITES = "it writes all octets that it pushed, and no others";

/** What is wrong, the layer that is, and what the kit says of it: in all, or by one check. */
const faults: Record<string, readonly [KitOptions, RegExp, string?]> = {
  "forgets to pass on `stop`": [
    marks(
      class extends Mark {
        override control(c: Control): void {
          if (c.type !== "stop") super.control(c);
        }
      },
    ),
    /the one above the \w+er said `stop`, and the one below never heard of it: pass on the controls/,
  ],
  "forgets to pass on the event `go`": [
    marks(
      class extends Mark {
        override event(e: Event): void {
          if (e.type !== "go") super.event(e);
        }
      },
    ),
    /the one below the \w+er said `go`, and the one above never heard of it: pass on the events/,
  ],
  "throws what is no Error": [
    marks(
      class extends Mark {
        override up(): void {
          throw "words";
        }
      },
    ),
    /it threw words, which is no Error\. A layer throws at nobody/,
  ],
  "throws what cannot be printed": [
    marks(
      class extends Mark {
        override up(): void {
          throw Object.create(null);
        }
      },
    ),
    /it threw what cannot be printed\. A layer throws at nobody/,
  ],
  "takes too little off": [
    marks(
      class extends Mark {
        override up(m: Message): void {
          m.gather(4, this.context.slab);
          m.pop(2);
          this.above.up(m);
        }
      },
      { runs: 2 },
    ),
    /it has \d+ octets instead of \d+, 2 too many in front: look at `pop`/,
    "what is noted on a message stays on it",
  ],
  "takes too much off": [
    marks(
      class extends Mark {
        override up(m: Message): void {
          m.gather(6, this.context.slab);
          m.pop(6);
          this.above.up(m);
        }
      },
      { runs: 2 },
    ),
    /it has 3 octets instead of 5, 2 too few in front: look at `pop`/,
    "what is noted on a message stays on it",
  ],
  "holds messages, by setTimeout": [
    marks(
      class extends Mark {
        override down(m: Message): void {
          setTimeout(() => super.down(m), 10);
        }
      },
      { runs: 2 },
    ),
    /it called setTimeout, at .*, and it passed a message on when time had passed.*: a layer holds no message/,
    WORLD,
  ],
  "holds messages, by env.timer": [
    marks(
      class extends Mark {
        override up(m: Message): void {
          this.context.env.timer(10, () => super.up(m));
        }
      },
      { runs: 2 },
    ),
    /when time had passed, not in the call in which it came: a layer holds no message, only a protocol may/,
    "closed is passed on once, whatever it holds, and is the last that is heard",
  ],
  "writes before what it pushed": [
    marks(
      class extends Mark {
        override down(m: Message): void {
          m.push(star.MAX, this.context.slab);
          star.write(m.view, m.start, 1);
          if (m.start > m.floor) m.bytes[m.start - 1] = 7;
          this.below.down(m);
        }
      },
    ),
    /it wrote before what it pushed, into the room of who is below: a layer writes only into octets that it pushed/,
    WRITES,
  ],
  "writes behind the window that it took": [
    marks(
      class extends Mark {
        override down(m: Message): void {
          const { slab } = this.context;
          const at = slab.take(4);
          slab.view.setUint32(at + 2, 1);
          super.down(m);
        }
      },
    ),
    /it wrote behind a window that it had taken of the slab: a layer writes only into octets that it pushed/,
    WRITES,
  ],
  "pushes more than it writes": [
    marks(
      class extends Mark {
        override down(m: Message): void {
          m.push(star.MAX, this.context.slab);
          m.view.setUint8(m.start + 3, 1);
          this.below.down(m);
        }
        override up(m: Message): void {
          if (m.length < 4) return this.refuse(star.explain(-4, m.view, m.start, m.end));
          if (m.end - m.start < 4) m.gather(4, this.context.slab);
          m.pop(4);
          this.above.up(m);
        }
      },
    ),
    / {2}it writes all octets .*\n {4}it pushed 4 octets and wrote 1 of them: .*; push what you write/,
  ],
  "keeps a view of what it passed up, and looks at it later": [
    marks(
      class extends Mark {
        #last: Uint8Array | undefined;
        override up(m: Message): void {
          const { bytes, start, end } = m;
          // Messages of before, if they come again.
          const again = this.#last !== undefined && this.#last[3] !== bytes[start + 3];
          if (again) return this.context.stats.drop("mark: again");
          if (end - start >= 4) this.#last = bytes.subarray(start, start + 4);
          super.up(m);
        }
      },
      {},
    ),
    /when what came up was written over: [\s\S]* The rule: what came from below is yours until you pass it up/,
  ],
  "keeps the window of a message that is sent again": [
    marks(
      class extends Mark {
        #late: Message[] = [];
        override down(m: Message): void {
          this.#late.push(m);
          this.context.env.tick(() => {
            for (const m of this.#late.splice(0)) super.down(m);
          });
        }
      },
    ),
    /a message of 0 octets that is `kept`, and sent twice: [\s\S]*unless the message is `kept`/,
  ],
  "writes into its window when the next message goes down": [
    marks(
      class extends Mark {
        #view: DataView | undefined;
        #at = 0;
        override down(m: Message): void {
          // The hops of the last message, now that it is known that it was not the last.
          this.#view?.setUint8(this.#at + 3, 2);
          m.push(star.MAX, this.context.slab);
          star.write(m.view, m.start, 1);
          [this.#view, this.#at] = [m.view, m.start];
          this.below.down(m);
        }
      },
    ),
    /it wrote into octets that it had passed on by `below\.down`: who is below has them until they are written/,
    WRITES,
  ],
  "writes into its window when `below.down` has returned, or in the next tick": [
    marks(
      class extends Mark {
        override down(m: Message): void {
          const { bytes, start } = m;
          super.down(m);
          this.context.env.tick(() => {
            bytes[start - 1] = 2;
          });
        }
      },
    ),
    /it wrote into octets that it had passed on by `below\.down`/,
    WRITES,
  ],
  "writes into its window at the end": [
    marks(
      class extends Mark {
        #last: Message | undefined;
        override down(m: Message): void {
          super.down(m);
          this.#last = m;
        }
        override control(c: Control): void {
          if (c.type === "end") this.#last?.view.setUint8(this.#last.start + 3, 2);
          super.control(c);
        }
      },
    ),
    /it wrote into octets that it had passed on by `below\.down`/,
    WRITES,
  ],
  "writes into its window at the next `stop`": [
    framed(
      class extends Lengths {
        #last: Message | undefined;
        override down(m: Message): void {
          super.down(m);
          this.#last = m;
        }
        override control(c: Control): void {
          if (c.type === "stop") this.#last?.view.setUint8(this.#last.start, 1);
          super.control(c);
        }
      },
    ),
    /it wrote into octets that it had passed on by `below\.down`/,
    WRITES,
  ],
  "moves the window instead of pushing": [
    marks(
      class extends Mark {
        override down(m: Message): void {
          m.start -= star.MAX;
          star.write(m.view, m.start, 1);
          this.below.down(m);
        }
      },
    ),
    /it moved the window by itself, past its room, which is another's: take room by `m\.push\(n, slab\)`/,
    WRITES,
  ],
  "writes into received octets, and puts them back": [
    marks(
      class extends Mark {
        override up(m: Message): void {
          const { bytes, start } = m;
          const before = bytes[start] as number;
          bytes[start] = 7;
          m.pop(star.MAX);
          this.above.up(m);
          bytes[start] = before;
        }
      },
    ),
    /it changed octets of a message that came up: whoever sent it in this process has the same/,
    WRITES,
  ],
  "writes what a view of received octets holds by then": [
    marks(
      class extends Mark {
        #heard: Uint8Array | undefined;
        override up(m: Message): void {
          if (m.end - m.start >= 4) this.#heard = m.bytes.subarray(m.start, m.start + 4);
          super.up(m);
        }
        override down(m: Message): void {
          m.push(star.MAX, this.context.slab);
          star.write(m.view, m.start, (this.#heard?.[3] ?? 0) & 1);
          this.below.down(m);
        }
      },
    ),
    /what the \w+er wrote later was decided by what had been written there: it keeps a view/,
    "it keeps no view of what it has passed up",
  ],
  "answers in its caller's turn": [
    marks(
      class extends Mark {
        #held: Message[] = [];
        override up(m: Message): void {
          this.#held.push(m);
          this.context.env.tick(() => this.#give());
        }
        override down(m: Message): void {
          super.down(m);
          this.#give();
        }
        #give(): void {
          for (const m of this.#held.splice(0)) super.up(m);
        }
      },
    ),
    /a message came up within the call of one that went down: two who answer each other would fill the call stack/,
  ],
  "goes on at `go` within its own `up`": [
    framed(
      class extends Lengths {
        protected override parse(): void {
          while (this.chunks.length > 0 && !this.stopped && !this.closed) {
            const chunk = this.chunks[0] as Message;
            if (chunk.start < chunk.end) this.take(chunk);
            else this.chunks.shift();
          }
        }
      },
    ),
    /a message came up within the call of another: `stop` and `go` amid each would fill the call stack/,
  ],
  "swallows an event that it does not know": [
    marks(
      class extends Mark {
        override event(e: Event): void {
          if (["opened", "closed", "stop", "go"].includes(e.type)) super.event(e);
        }
      },
    ),
    /the event `acme.unknown` did not reach the one above: in `event`, pass on what you do not know/,
    UNKNOWN,
  ],
  "swallows a control that it does not know": [
    marks(
      class extends Mark {
        override control(c: Control): void {
          if (["stop", "go", "end", "close", "lend"].includes(c.type)) super.control(c);
        }
      },
    ),
    /the control `acme.unknown` did not reach the one below: in `control`, pass on what you do not know/,
    UNKNOWN,
  ],
  "says `opened` twice": [
    framed(
      class extends Lengths {
        override event(e: Event): void {
          super.event(e);
          if (e.type === "opened") this.above.event(e);
        }
      },
    ),
    /`opened` was said twice: say it once, when your own opening is done/,
  ],
  "loses what was learnt below": [
    framed(
      class extends Lengths {
        protected override facts = {};
        override event(e: Event): void {
          super.event(e);
          this.facts = {};
        }
      },
    ),
    /`opened` lost what the layers below had learnt, as facts.local: say \{ \.\.\.facts, and your own \}/,
    "it opens once, keeps what was learnt below, and says nothing before that is open",
  ],
  "speaks before what is below is open": [
    framed(
      class extends Lengths {
        constructor(context: PipeContext) {
          super(context);
          context.env.tick(() => this.below.down(Message.of(Uint8Array.of(0x2a))));
        }
        override event(e: Event): void {
          if (e.type === "opened") this.facts = e.facts;
          else super.event(e);
        }
      },
    ),
    /a message went down before the layer below had said `opened`/,
  ],
  "loses a message that is cut across chunks": [
    framed(
      class extends Lengths {
        protected override go(chunk: Message, assembly: Assembly): void {
          if (chunk.start === 0) {
            this.assembly = undefined;
            chunk.start = Math.min(chunk.end, chunk.start + assembly.missing);
          } else super.go(chunk, assembly);
        }
      },
    ),
    /cut at octet \d+ of what comes to the \w+er, opening and messages together: message \d/,
  ],
  "takes a header to lie in one segment": [
    marks(
      class extends Mark {
        override up(m: Message): void {
          const n = star.measure(m.view, m.start, m.end);
          if (n < 0) return this.refuse(star.explain(n, m.view, m.start, m.end));
          m.pop(n);
          this.above.up(m);
        }
      },
    ),
    /the same cut at octet 0 did not \(mark: sp\.star: 4 more octets are needed\): .*; use `m\.measure\(header\.measure, slab\)`/,
  ],
  "reads a header past the end": [
    marks(
      class extends Mark {
        override up(m: Message): void {
          if (m.rest.length > 0) m.gather(4, this.context.slab);
          const n = star.measure(m.view, m.start, m.start + 4);
          if (n < 0) return this.refuse(star.explain(n, m.view, m.start, m.start + 4));
          m.pop(n);
          this.above.up(m);
        }
      },
    ),
    /it read past the end of what came, which are another's: `measure\(m.view, m.start, m.end\)` before you read/,
  ],
  "declares too little room": [
    { make: () => mark({ headers: [{ name: "test.mark", head: 3, tail: 0 }] }) },
    /a message of 0 octets needed a new head: 3 octets of room are declared, and more are pushed; name every header/,
    ROOM,
  ],
  "declares more room than it uses": [
    { make: () => mark({ headers: [{ name: "test.mark", head: 9, tail: 0 }] }) },
    /9 octets of room are declared before a body, and at most 4 were used: leave out of `headers`/,
    ROOM,
  ],
  "allocates by a claimed length": [
    framed(
      class extends Lengths {
        #into = new Uint8Array(0);
        protected override begin(length: number): void {
          this.#into = new Uint8Array(length);
          super.begin(length);
        }
      },
    ),
    /it took \d+ octets of memory for \d+ that came: take none by what a length claims/,
  ],
  "swallows `closed` while it holds something": [
    framed(
      class extends Lengths {
        override event(e: Event): void {
          if (e.type === "closed" && this.assembly !== undefined) return;
          super.event(e);
        }
      },
    ),
    /\d+ of 341 octets having come: the one above never heard `closed`: pass the event on/,
  ],
  "passes on `closed` without its error": [
    framed(
      class extends Lengths {
        override event(e: Event): void {
          super.event(e.type === "closed" ? { type: "closed" } : e);
        }
      },
    ),
    /`closed` came up with an error, and was passed on without one/,
  ],
  "changes a shared body in place": [
    {
      runs: 6,
      make: () =>
        turned({
          with: class extends Turned {
            override down(m: Message): void {
              for (const s of m.segments()) this.turn(Message.of(s));
              this.below.down(m);
            }
          },
        }),
    },
    /it changed a body in place, and others send the same, or read it: .* makes a message of its own, `Message\.around\(changed, context\.room\.head \+/,
  ],
  "lets who borrows the connection go past it": [
    {
      runs: 6,
      make: () =>
        turned({
          headers: [],
          with: class extends Turned {
            override control(c: Control): void {
              this.below.control(c);
            }
          },
        }),
    },
    /`lend` was passed on, though the layer puts octets of its own among the others/,
    "who asks to borrow the connection is answered, and not past who must see its octets",
  ],
  "uses setTimeout": [
    framed(
      class extends Lengths {
        override event(e: Event): void {
          if (e.type === "opened") setTimeout(() => {}, 1000);
          super.event(e);
        }
      },
    ),
    /it called setTimeout, at .*faults\.test.*: take `context\.env\.timer\(ms, f\)` instead/,
    WORLD,
  ],
  "draws by Math.random": [
    marks(
      class extends Mark {
        override down(m: Message): void {
          if (Math.random() < 2) super.down(m);
        }
      },
    ),
    /it called Math\.random, at .*: take `context\.env\.random\(octets\)` instead/,
    WORLD,
  ],
  "passes messages up after stop": [
    framed(
      class extends Lengths {
        override control(c: Control): void {
          this.below.control(c);
        }
      },
    ),
    /a message came up between `stop` and `go`: hold what is here when `stop` comes down/,
  ],
  "puts messages in another order on go": [
    marks(
      class extends Mark {
        #full = false;
        #held: Message[] = [];
        override down(m: Message): void {
          if (this.#full) this.#held.push(m);
          else super.down(m);
        }
        override event(e: Event): void {
          if (e.type === "stop" || e.type === "go") this.#full = e.type === "stop";
          super.event(e);
          if (e.type === "go") for (const m of this.#held.splice(0).reverse()) super.down(m);
        }
      },
    ),
    /message \d+ came up where message \d+ was due: messages keep their order/,
  ],
  "throws on bad input": [
    marks(
      class extends Mark {
        override refuse(said: string): void {
          throw new Error(said);
        }
      },
    ),
    /it threw Error: .*\. A layer throws at nobody: bad input closes the connection with a WireError/,
  ],
  "drops what it refuses without a word": [
    marks(
      class extends Mark {
        override refuse(): void {}
      },
    ),
    /a message neither came up, nor was counted, nor closed the connection: refuse it by `close`/,
  ],
  "closes without a reason": [
    marks(
      class extends Mark {
        override refuse(): void {
          this.below.control({ type: "close" });
        }
      },
    ),
    /it closed the connection and did not say why: say `new WireError\(layer, codec\.explain/,
  ],
  "closes in another layer's name": [
    { make: () => ({ ...mark(), name: "mine" }) },
    /a WireError names the layer 'mark', and here is mine/,
  ],
  "copies bodies": [
    marks(
      class extends Mark {
        override down(m: Message): void {
          m.rest = m.rest.map((s) => s.slice());
          super.down(m);
        }
      },
    ),
    /of 64 messages of 3000 octets it copied 64 bodies, and declares 0 a message/,
  ],
  "makes a buffer for each header": [
    marks(
      class extends Mark {
        override down(m: Message): void {
          const own = Message.of(new Uint8Array(star.MAX));
          star.write(own.view, 0, 1);
          own.rest = m.segments();
          own.text = m.text;
          own.pipe = m.pipe;
          own.exchange = m.exchange;
          this.below.down(own);
        }
      },
    ),
    /for 64 messages of 3000 octets it made 64 buffers: take windows of `context\.slab`/,
  ],
  "loses what is noted on a message": [
    marks(
      class extends Mark {
        override down(m: Message): void {
          const own = Message.around(new Uint8Array(0), star.MAX, this.context.slab);
          own.rest = m.segments();
          super.down(own);
        }
      },
    ),
    /a message loses its note `text` on its way down: hand on the same Message, or copy/,
  ],
  "is not alike, though it says so": [
    framed(
      class extends Lengths {
        #n = 0;
        override down(m: Message): void {
          const { length } = m;
          m.push(4, this.context.slab);
          m.view.setUint32(m.start, length + (this.#n++ % 128) * 2 ** 24);
          this.below.down(m);
        }
        protected override claimed(length: number): number {
          return length % 2 ** 24;
        }
      },
    ),
    /two connections make different octets of the same messages/,
    "it makes the same octets of a message for every connection, as `alike` says",
  ],
  "gives room to write that is another message's": [
    framed(
      class extends Lengths {
        protected override deliver(m: Message): void {
          m.floor = 0;
          super.deliver(m);
        }
      },
    ),
    /the room around a message that came up reaches into another: `floor` is where its own header began/,
    "the room around a message that came up is its own, and no other's",
  ],
  "hides that a message lies in a chunk with others": [
    framed(
      class extends Lengths {
        protected override deliver(m: Message): void {
          m.shared = false;
          super.deliver(m);
        }
      },
    ),
    /a message that lies in a chunk with others came up without `shared`/,
    "a message that would keep a whole chunk alive says so",
  ],
  "takes messages of any length": [
    framed(
      class extends Lengths {
        protected override get most(): number {
          return 2 ** 31;
        }
      },
    ),
    /a message of 4000 octets came up where `context\.limits\.recvMax` is 1000/,
    "no message longer than `limits.recvMax` comes up",
  ],
  "schedules work for ever": [
    framed(
      class extends Lengths {
        override event(e: Event): void {
          const again = () => this.context.env.tick(again);
          if (e.type === "opened") again();
          super.event(e);
        }
      },
    ),
    /it schedules work by `tick` or `turn` for ever/,
  ],
};

function said(options: KitOptions, check?: string): string {
  try {
    if (check === undefined) testLayer(options);
    else
      layerChecks(options)
        .find(({ name }) => name.endsWith(`: ${check}`))
        ?.run();
  } catch (error) {
    assert.instance(error, KitError, String((error as Error).stack));
    return (error as KitError).message;
  }
  return "nothing";
}

for (const [what, [options, sentence, check]] of Object.entries(faults)) {
  test(`a layer that ${what} is found`, () => {
    const text = said(options, check);
    assert.ok(sentence.test(text), text);
  });
}

test("layers that do all as layers do pass, and what they cost is told", () => {
  for (const layer of [mark(), lengths(), lengths({ alike: true }), turned()]) {
    const report = testLayer({ make: () => layer });
    assert.is(report.layer, layer.name);
    assert.ok(report.checks.length > 15);
    assert.equal(
      report.cost.map((c) => c.octets),
      [64, 1024],
    );
    assert.ok(report.cost.every(({ ns }) => ns > 0));
    assert.match(
      String(report),
      /^\w+ \(\w+ → \w+\): \d+ checks passed, seed \d+\n {2}64 octets: /,
    );
  }
});

test.run();
