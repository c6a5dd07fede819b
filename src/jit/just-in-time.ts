/**
 * Holds a forward that its channel cannot carry while a circle fills that channel, or fills it after one has failed.
 *
 * Hazard: every HTLC passes here, most of them in need of nothing: those are decided at once, from the channel book alone.
 * What is held is bounded in number and in time. What is sent for it, and what that may cost, is for `filler.ts` to say.
 */
import { messageOf } from '../error-message.ts';
import type { ChannelBook } from './channel-book.ts';
import type { Earnings } from './earnings.ts';
import type { Filler } from './filler.ts';
import type { JitClock, Node } from './ports.ts';
import type { Forward, JitChannel, Reason } from './types.ts';
import { mayCarry, refusal } from './verdict.ts';

/** HTLCs held at once: each takes a slot of the 483 that a peer's channel has at most. Our own choice. */
export const MAX_HELD = 20;
/** Failing costs a sender nothing, so a failure fills a channel once an hour at most. */
const PASSIVE_PAUSE_MS = 3_600_000;
/** After a failure a circle may take longer than anybody would hold an HTLC. */
const PASSIVE_RETRY_MS = 60_000;
/** Forwards that we paid for and that have not ended. */
const MAX_PAID_FOR = 10_000;
/**
 * What only a fresh look is sure of: nothing tells of terms that the operator has changed, nor of a channel that is
 * reestablished, which may take long after its peer has connected.
 */
const DOUBTFUL: ReadonlySet<Reason> = new Set(['would_fail', 'cost', 'not_connected']);

export interface JitSettings {
  readonly mode: 'passive' | 'active';
  readonly holdMs: number;
}

/** A call that is being held: see `src/lightningd/held-hook.ts`. */
export interface HeldCall {
  readonly isOver: boolean;
  readonly over: Promise<void>;
}

export interface Decision {
  readonly forwardTo?: string | undefined;
}

export interface JustInTimeInit {
  readonly settings: () => JitSettings;
  readonly book: ChannelBook;
  readonly earnings: Earnings;
  readonly filler: Filler;
  readonly node: Node;
  readonly clock: JitClock;
  readonly log: (message: string) => void;
}

/** What became of a forward, and the sibling to name where one carries it. */
type Ending = readonly [reason: Reason, forwardTo?: string];

export class JustInTime {
  /** How many forwards came to what end, by reason. */
  readonly counts = new Map<Reason, number>();
  readonly #init: JustInTimeInit;
  #held = 0;
  /** Forwards that had enough. */
  #enough = 0;
  /** Those of our own circles, by the invoices that they pay. */
  readonly #ownHashes = new Set<string>();
  /** When a failure last filled a channel, by channel id. */
  readonly #lastPassiveMs = new Map<string, number>();
  /** Channels that are looked at after a failure: of failures in the same moment one asks lightningd. */
  readonly #lookedAt = new Set<string>();
  /** Forwards that we paid for, and their channels' names. */
  readonly #paidFor = new Map<string, string>();
  /** Who waits for something to arrive, by peer. */
  readonly #waiting = new Map<string, Signal>();

  constructor(init: JustInTimeInit) {
    this.#init = init;
  }

  /** How many forwards are held now. */
  get held(): number {
    return this.#held;
  }

  /** How many circles are under way. */
  get underWay(): number {
    return this.#init.filler.underWay;
  }

  /** How many forwards needed nothing. */
  get enough(): number {
    return this.#enough;
  }

  /** Decides about an HTLC, at once where that is possible. */
  decide(forward: Forward, hold: HeldCall): Decision | undefined | Promise<Decision | undefined> {
    const { book, clock, settings } = this.#init;
    // A replayed one has been promised its amount before.
    book.ended(forward.key);
    const channel = book.of(forward.channelId);
    if (channel?.hasSlot && book.spendableMsat(forward.channelId) >= forward.outMsat) {
      this.#enough++;
      book.continue(forward, true, clock.monotonicMs());
      return undefined;
    }
    if (settings().mode === 'active') {
      const reason = this.#certainRefusal(forward, channel) ?? this.#tooMany();
      if (reason === undefined && channel !== undefined) return this.#hold(forward, channel, hold);
      if (reason !== undefined) this.#count(reason);
    }
    book.continue(forward, false, clock.monotonicMs());
    return undefined;
  }

  /** An invoice that a circle of ours pays. */
  ownInvoice(paymentHash: string): void {
    const [oldest] = this.#ownHashes;
    if (this.#ownHashes.size >= MAX_HELD * MAX_HELD && oldest !== undefined) this.#ownHashes.delete(oldest);
    this.#ownHashes.add(paymentHash);
  }

  /** Something has arrived in a channel. */
  arrived(channelId: string): void {
    const peerId = this.#init.book.of(channelId)?.peerId;
    if (peerId !== undefined) this.#waiting.get(peerId)?.fire();
  }

  offered(key: string, name: string, outMsat: bigint): void {
    this.#init.book.offered(key, name, outMsat);
  }

  settled(key: string, name: string, feeMsat: bigint): void {
    const { book, earnings, clock } = this.#init;
    book.ended(key);
    this.#paidFor.delete(key);
    earnings.settled(nameOf(book.named(name)) ?? name, feeMsat, clock.wallMs());
  }

  /** It had left, and failed further on. */
  failed(key: string, name: string): void {
    const { book, earnings, clock } = this.#init;
    book.ended(key);
    this.#paidFor.delete(key);
    earnings.failed(nameOf(book.named(name)) ?? name, clock.wallMs());
  }

  /**
   * It did not leave. That says nothing of whether it would have settled, unless we had paid for it.
   *
   * @param isLiquidity whether lightningd says that the channel could not carry it
   */
  localFailed(key: string, isLiquidity: boolean): void {
    const { book, earnings, clock, settings } = this.#init;
    const forward = book.ended(key);
    const paidFor = this.#paidFor.get(key);
    if (isLiquidity && forward !== undefined) this.#doubt(forward);
    if (paidFor !== undefined) {
      this.#paidFor.delete(key);
      earnings.failed(paidFor, clock.wallMs());
    } else if (isLiquidity && forward !== undefined && settings().mode === 'passive') {
      this.#afterFailure(forward).catch((error: unknown) => this.#init.log(messageOf(error)));
    }
  }

  /**
   * lightningd had less than the book says: a commitment's fee may have risen, or something of our own be under way that
   * nothing told of. Without a fresh look every forward from then on would be taken to have enough.
   */
  #doubt({ channelId, outMsat }: Forward): void {
    const { book, node, log } = this.#init;
    const peerId = book.of(channelId)?.peerId;
    if (peerId === undefined || book.spendableMsat(channelId) < outMsat) return;
    node
      .readPeer(peerId)
      .catch((error: unknown) => log(`our channels could not be read: ${messageOf(error)}`));
  }

  /** Why a forward is let go at once, without a fresh look. */
  #certainRefusal(forward: Forward, channel: JitChannel | undefined): Reason | undefined {
    const reason = this.#refusal(forward, channel);
    return reason === undefined || DOUBTFUL.has(reason) ? undefined : reason;
  }

  /** Why a forward is let go, by what is known. */
  #refusal(forward: Forward, channel: JitChannel | undefined): Reason | undefined {
    if (channel === undefined) return 'unknown_channel';
    if (this.#ownHashes.has(forward.paymentHash)) return 'own_circle';
    const { filler } = this.#init;
    return (
      filler.busyRefusal(forward, channel) ??
      refusal(forward, channel) ??
      filler.moneyRefusal(forward, channel)
    );
  }

  #tooMany(): Reason | undefined {
    return this.#held >= MAX_HELD ? 'too_many_held' : undefined;
  }

  /** Continues when the channel can carry it, when it certainly will not, or when the time is up. */
  async #hold(forward: Forward, channel: JitChannel, hold: HeldCall): Promise<Decision | undefined> {
    const { book, clock, log } = this.#init;
    this.#held++;
    const [reason, forwardTo] = await this.#tryToFill(forward, channel, hold).catch(
      (error: unknown): Ending => {
        log(`a forward is let go: ${messageOf(error)}`);
        return ['error'];
      },
    );
    this.#held--;
    this.#count(reason);
    const channelId = forwardTo ?? forward.channelId;
    book.ended(forward.key);
    const isEnough = book.spendableMsat(channelId) >= forward.outMsat;
    book.continue({ ...forward, channelId }, isEnough, clock.monotonicMs());
    return forwardTo === undefined ? undefined : { forwardTo };
  }

  async #tryToFill(forward: Forward, channel: JitChannel, hold: HeldCall): Promise<Ending> {
    const late = hold.over.then((): [Reason] => ['late']);
    const looked = await Promise.race([this.#look(forward, channel.peerId, hold), late]);
    if (looked !== undefined) return looked;
    const fresh = this.#init.book.of(forward.channelId) ?? channel;
    const { holdMs } = this.#init.settings();
    // The circle goes on when the hold is over: it still is a rebalance.
    const filling = this.#init.filler.fill(forward, fresh, holdMs, hold);
    return Promise.race([this.#untilCarried(forward, fresh.peerId, filling, hold), late]);
  }

  /**
   * A fresh look: whether it lacks anything at all, and whether it may be held.
   *
   * @param hold given where it waits, and takes what is found: others look at the same moment
   */
  async #look(forward: Forward, peerId: string, hold?: HeldCall): Promise<Ending | undefined> {
    const { node } = this.#init;
    await node.readPeer(peerId);
    // It has gone on without us: what is there is promised to others.
    if (hold?.isOver) return ['late'];
    const carrier = this.#carrier(forward, peerId);
    if (hold !== undefined && carrier !== undefined) this.#promise(forward, carrier);
    if (carrier === forward.channelId) return ['enough_after_all'];
    if (carrier !== undefined) return ['sibling_had_enough', carrier];
    const reason = this.#refusal(forward, this.#init.book.of(forward.channelId));
    if (reason !== undefined) return [reason];
    const denied = await node.denied();
    return denied.has(forward.inPeerId) || denied.has(peerId) ? ['denied'] : undefined;
  }

  /** The channel that can carry a forward by what was just read: the chosen one first, else a sibling with its peer. */
  #carrier(forward: Forward, peerId: string): string | undefined {
    const { book } = this.#init;
    const chosen = book.of(forward.channelId);
    if (chosen?.hasSlot && book.spendableMsat(forward.channelId) >= forward.outMsat) return forward.channelId;
    return book
      .ofPeer(peerId)
      .find(sibling => mayCarry(forward, sibling, book.spendableMsat(sibling.channelId)))?.channelId;
  }

  #promise(forward: Forward, channelId: string): void {
    const { book, clock } = this.#init;
    book.continue({ ...forward, channelId }, true, clock.monotonicMs());
  }

  /** Waits for what the circle brings: the money is there before the circle's end is told. */
  async #untilCarried(
    forward: Forward,
    peerId: string,
    filling: Promise<Reason>,
    hold: HeldCall,
  ): Promise<Ending> {
    const arrival = new Signal();
    this.#waiting.set(peerId, arrival);
    try {
      for (;;) {
        const ended = await Promise.race([filling, arrival.fired()]);
        if (hold.isOver) return ['late'];
        if (ended !== undefined && ended !== 'filled') return [ended];
        await this.#init.node.readPeer(peerId);
        if (hold.isOver) return ['late'];
        const carrier = this.#carrier(forward, peerId);
        if (carrier !== undefined) {
          this.#promise(forward, carrier);
          this.#paid(forward.key, nameOf(this.#init.book.of(carrier)) ?? carrier);
          return carrier === forward.channelId ? ['filled'] : ['filled_sibling', carrier];
        }
        if (ended === 'filled') return ['filled_but_gone'];
      }
    } finally {
      if (this.#waiting.get(peerId) === arrival) this.#waiting.delete(peerId);
    }
  }

  #paid(key: string, name: string): void {
    const [oldest] = this.#paidFor.keys();
    if (this.#paidFor.size >= MAX_PAID_FOR && oldest !== undefined) this.#paidFor.delete(oldest);
    this.#paidFor.set(key, name);
  }

  /** A forward has failed for want of liquidity: the next one shall find some. */
  async #afterFailure(forward: Forward): Promise<void> {
    const { book } = this.#init;
    const channel = book.of(forward.channelId);
    const before = this.#pause(forward.channelId) ?? this.#certainRefusal(forward, channel);
    if (before !== undefined || channel === undefined) {
      this.#count(before ?? 'unknown_channel');
      return;
    }
    const { channelId, peerId } = channel;
    if (this.#lookedAt.has(channelId)) {
      this.#count('under_way');
      return;
    }
    this.#lookedAt.add(channelId);
    const looked = await this.#look(forward, peerId).finally(() => this.#lookedAt.delete(channelId));
    if (looked !== undefined) {
      this.#count(looked[0]);
      return;
    }
    this.#lastPassiveMs.set(forward.channelId, this.#init.clock.monotonicMs());
    const fresh = book.of(forward.channelId) ?? channel;
    this.#count(await this.#init.filler.fill(forward, fresh, PASSIVE_RETRY_MS));
  }

  #pause(channelId: string): Reason | undefined {
    const lastMs = this.#lastPassiveMs.get(channelId);
    const isOver = lastMs === undefined || this.#init.clock.monotonicMs() - lastMs >= PASSIVE_PAUSE_MS;
    return isOver ? undefined : 'once_an_hour';
  }

  #count(reason: Reason): void {
    this.counts.set(reason, (this.counts.get(reason) ?? 0) + 1);
  }
}

/** Something that happens again and again; what happened while nobody waited is told to the next who does. */
class Signal {
  #isFired = false;
  #wake: (() => void) | undefined;

  fire(): void {
    this.#isFired = true;
    this.#wake?.();
  }

  async fired(): Promise<undefined> {
    if (!this.#isFired) {
      await new Promise<void>(resolve => {
        this.#wake = resolve;
      });
    }
    this.#isFired = false;
  }
}

function nameOf(channel: JitChannel | undefined): string | undefined {
  return channel?.names[0];
}
