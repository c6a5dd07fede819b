/** A node with channels, circles and a disk that the test owns. */
import { ChannelBook } from '../../src/jit/channel-book.ts';
import { Earnings } from '../../src/jit/earnings.ts';
import { Filler } from '../../src/jit/filler.ts';
import { type HeldCall, type JitSettings, JustInTime } from '../../src/jit/just-in-time.ts';
import { type Allowances, type Booking, Ledger } from '../../src/jit/ledger.ts';
import type { Fill, FillOutcome, FoundCircle, NoCircle } from '../../src/jit/ports.ts';
import type { Forward, JitChannel, Reason } from '../../src/jit/types.ts';

export const A = `02${'a1'.repeat(32)}`;
export const B = `02${'b2'.repeat(32)}`;
export const C = `02${'c3'.repeat(32)}`;
export const B_CHANNEL = 'b2'.repeat(32);
export const SIBLING = 'b3'.repeat(32);
export const C_CHANNEL = 'c3'.repeat(32);

const SAT = 1000n;
export const AMOUNT_MSAT = 100_000n * SAT;
/** 100 sat for 100,000 sat. */
export const TERMS = { baseFeeMsat: 0n, feePpm: 1000n, cltvExpiryDelta: 6 };

/** A channel of 1,000,000 sat with B of which a tenth, its reserve included, is ours. */
export function channel(changes: Partial<JitChannel> = {}): JitChannel {
  return {
    channelId: B_CHANNEL,
    peerId: B,
    names: ['103x1x0'],
    isNormal: true,
    isUsable: true,
    toUsMsat: 60_000n * SAT,
    totalMsat: 1_000_000n * SAT,
    spendableMsat: 50_000n * SAT,
    reserveMsat: 10_000n * SAT,
    commitmentFeeMsat: 0n,
    hasSlot: true,
    limits: { minimumMsat: 0n, maximumMsat: 990_000n * SAT },
    terms: TERMS,
    ...changes,
  };
}

let lastHtlc = 0;

/** 100,000 sat from A to B for exactly our fee. */
export function forward(changes: Partial<Forward> = {}): Forward {
  return {
    key: `99x1x0/${lastHtlc++}`,
    inPeerId: A,
    paymentHash: 'aa'.repeat(32),
    inMsat: AMOUNT_MSAT + 100n * SAT,
    outMsat: AMOUNT_MSAT,
    channelId: B_CHANNEL,
    inBlocks: 40,
    outBlocks: 30,
    ...changes,
  };
}

export function hold(): HeldCall & { end(): void } {
  let end = () => {};
  const over = new Promise<void>(resolve => {
    end = resolve;
  });
  const call = {
    isOver: false,
    over,
    end: () => {
      call.isOver = true;
      end();
    },
  };
  return call;
}

export class Clock {
  nowMs = 1_800_000_000_000;
  wallMs = () => this.nowMs;
  monotonicMs = () => this.nowMs;
  after = () => () => {};
}

export interface WorldOptions {
  readonly mode?: JitSettings['mode'];
  readonly allowances?: Allowances;
}

/** One run of the plugin on a node; `disk` outlives it. */
export class World {
  readonly clock: Clock;
  readonly disk: Map<string, Booking>;
  readonly book = new ChannelBook();
  readonly earnings = new Earnings();
  readonly ledger: Ledger;
  readonly jit: JustInTime;
  readonly logged: string[] = [];
  settings: { mode: JitSettings['mode']; holdMs: number };
  /** As lightningd would tell them now. */
  channels: JitChannel[];
  denied = new Set<string>();
  deniedAsked = 0;
  reads = 0;
  /** When lightningd answers. */
  reading = Promise.resolve();
  readonly fills: Fill[] = [];
  found: FoundCircle | NoCircle = { outPeerId: C, peers: [C, B] };
  /** What becomes of a circle. */
  perform: (fill: Fill) => Promise<FillOutcome> = async fill => {
    this.credit(fill.amountMsat);
    return { status: 'complete', feeMsat: 1000n };
  };
  write: (booking: Booking) => Promise<void> = async booking => {
    this.disk.set(booking.id, booking);
  };

  constructor(
    {
      mode = 'active',
      allowances = { perChannelMsat: 100n * SAT, totalMsat: 100n * SAT },
    }: WorldOptions = {},
    clock = new Clock(),
    disk = new Map<string, Booking>(),
  ) {
    this.clock = clock;
    this.disk = disk;
    this.settings = { mode, holdMs: 4000 };
    this.channels = [channel()];
    this.ledger = new Ledger(this.earnings, () => allowances, clock);
    this.ledger.restore([...disk.values()], 0);
    this.read();
    let lastId = disk.size;
    const log = (message: string) => this.logged.push(message);
    const filler = new Filler({
      book: this.book,
      earnings: this.earnings,
      ledger: this.ledger,
      isLedgerReady: () => true,
      bookings: {
        write: booking => this.write(booking),
        remove: async id => {
          this.disk.delete(id);
        },
      },
      circles: {
        find: async () => this.found,
        perform: fill => {
          this.fills.push(fill);
          return this.perform(fill);
        },
      },
      clock,
      newId: () => `${clock.nowMs}-${++lastId}`,
      log,
    });
    this.jit = new JustInTime({
      settings: () => this.settings,
      book: this.book,
      earnings: this.earnings,
      filler,
      node: {
        readPeer: async peerId => {
          this.reads++;
          await this.reading;
          this.read(peerId);
        },
        denied: async () => {
          this.deniedAsked++;
          return this.denied;
        },
      },
      clock,
      log,
    });
  }

  read(peerId?: string): void {
    const channels = this.channels.filter(each => peerId === undefined || each.peerId === peerId);
    this.book.beginReading().take(channels, peerId);
  }

  /** Money arrives in a channel, or leaves it. */
  credit(amountMsat: bigint, channelId = B_CHANNEL): void {
    this.channels = this.channels.map(each =>
      each.channelId === channelId
        ? {
            ...each,
            toUsMsat: each.toUsMsat + amountMsat,
            spendableMsat: each.spendableMsat + amountMsat,
          }
        : each,
    );
  }

  count(reason: Reason): number {
    return this.jit.counts.get(reason) ?? 0;
  }
}
