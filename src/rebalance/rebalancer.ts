/**
 * Performs rebalances: payments to ourselves around known circles.
 *
 * Hazard: this pays. A payment whose end is not known may still complete, so it keeps its channels locked until it is
 * settled or its invoice is gone, and nothing is paid a second time before: each try has an invoice of its own, noted
 * where a crash does not lose it before the payment leaves. We are the recipient, so nobody can freeze us by holding an
 * HTLC: after a minute the invoice is deleted, and then the circle can only fail. Whoever was on it is left out for a
 * while. If the invoice was paid, the amount has arrived, whoever holds back the preimage on the way to our payment's
 * end: that is no reason to pay again. Locks are by peer, since a peer may use any of its channels with us.
 */
import type { Circle, CircleSearch, Exclusions, RouteHop } from '../circles/types.ts';
import { messageOf } from '../error-message.ts';
import { meaningOf } from '../knowledge/failure-codes.ts';
import type { Knowledge } from '../knowledge/knowledge.ts';
import type { NodeView } from '../sharing/node-view.ts';
import type { Clock } from '../sharing/ports.ts';
import type { ShortChannelId } from '../wire/short-channel-id.ts';
import { HungFriends } from './hung-friends.ts';
import type { Blamed, EndReport, JournalEntry, Outcome, OwnInvoice, Payments } from './ports.ts';
import { Settling } from './settling.ts';

/** How long an HTLC may take before its invoice is deleted. */
const HANG_MS = 60_000;
/** How long both balances may take to show what moved: the peers have to exchange commitments. */
const SETTLE_MS = 5_000;
const SETTLE_STEP_MS = 100;
/** How many past rebalances are remembered for the operator. */
const MAX_RECENT = 20;

/** Finds circles, the best first, without those that go through the given peers or channels. */
export type FindCircles = (exclusions: Exclusions) => Promise<CircleSearch>;

export interface Attempt {
  readonly hops: readonly RouteHop[];
  readonly feeMsat: bigint;
  readonly outcome: string;
  readonly blamed?: Blamed;
}

export interface Rebalanced {
  readonly circle: Circle;
  readonly paymentHash: string;
  readonly attempts: readonly Attempt[];
  readonly out: EndReport;
  readonly in: EndReport;
}

/** `no_circle`: there was none to begin with. `gave_up`: some were tried, or time was up. `unsettled`: one may still complete. */
export type GiveUpReason = 'no_circle' | 'gave_up' | 'unsettled';

export class GaveUpError extends Error {
  override readonly name = 'GaveUpError';
  readonly reason: GiveUpReason;
  readonly attempts: readonly Attempt[];
  readonly search: CircleSearch | undefined;

  constructor(reason: GiveUpReason, message: string, attempts: readonly Attempt[], search?: CircleSearch) {
    super(message);
    this.reason = reason;
    this.attempts = attempts;
    this.search = search;
  }
}

/** A past rebalance, for the operator. */
export interface Recent {
  readonly atWallMs: number;
  readonly status: 'complete' | 'failed' | 'unsettled' | 'adopted';
  /** What arrived, or was to arrive, and at what fee. */
  readonly amountMsat: bigint;
  readonly feeMsat?: bigint;
  readonly attempts: number;
}

export interface RebalancerInit {
  readonly payments: Payments;
  readonly knowledge: Pick<Knowledge, 'failed' | 'withdraw' | 'moved'>;
  /** Our own channels, read anew. */
  readonly view: () => Promise<NodeView>;
  readonly clock: Clock;
  readonly newLabel: () => string;
  readonly log: (message: string) => void;
  /** Told when a payment has changed what is known. */
  readonly onNews: () => void;
}

export class Rebalancer {
  readonly recent: Recent[] = [];
  readonly #init: RebalancerInit;
  /** Peers whose channels have a payment under way that may complete. */
  readonly #locked = new Set<string>();
  readonly #hung = new HungFriends();
  readonly #settling: Settling;
  #adopted: Promise<void> | undefined;

  constructor(init: RebalancerInit) {
    const { payments, clock, log } = init;
    this.#init = init;
    const onArrived = ({ amountMsat }: JournalEntry) => this.#remember('adopted', amountMsat, 1);
    this.#settling = new Settling({ payments, clock, log, onArrived });
  }

  /** Takes up what an earlier process left: nothing new is paid before all of it can no longer complete. */
  adopt(): Promise<void> {
    this.#adopted ??= this.#settling.adopt();
    return this.#adopted;
  }

  /**
   * Tries circles, the best first, until one is through.
   *
   * @param retryForMs no new try begins after this
   * @throws GaveUpError
   */
  async rebalance(
    find: FindCircles,
    retryForMs: number,
    onProgress: (message: string) => void,
  ): Promise<Rebalanced> {
    const { clock } = this.#init;
    const endsAtMs = clock.monotonicMs() + retryForMs;
    const attempts: Attempt[] = [];
    const timeIsUp = new Promise<'late'>(resolve => clock.after(retryForMs, () => resolve('late')));
    if ((await Promise.race([this.adopt(), timeIsUp])) === 'late') {
      throw new GaveUpError('unsettled', 'what an earlier process left has not been looked at yet', attempts);
    }
    const channels = new Set<ShortChannelId>();
    for (;;) {
      const search = await find({ peers: this.avoided(), channels });
      const [circle] = search.circles;
      if (circle === undefined) {
        const reason = attempts.length === 0 ? 'no_circle' : 'gave_up';
        throw this.#gaveUp(reason, attempts, search);
      }
      if (clock.monotonicMs() >= endsAtMs) throw this.#gaveUp('gave_up', attempts, search);
      const ends = endsOf(circle);
      // Another rebalance may have taken them while we searched.
      if (this.#locked.has(ends.outPeerId) || this.#locked.has(ends.inPeerId)) continue;
      onProgress(`try ${attempts.length + 1}: ${describe(circle)}`);
      const result = await this.#tryOnce(circle, attempts, onProgress).catch((error: unknown) => {
        if (error instanceof GaveUpError || attempts.length === 0) throw error;
        // What was tried before must not be lost with it.
        throw this.#gaveUp('gave_up', [
          ...attempts,
          attemptOf(circle, { status: 'unknown', message: messageOf(error) }),
        ]);
      });
      if (result !== undefined) return result;
      for (const each of suspects(circle, attempts.at(-1)?.blamed)) channels.add(each);
    }
  }

  /** One circle. Returns `undefined`, with the attempt noted, when it certainly did not and will not complete. */
  async #tryOnce(
    circle: Circle,
    attempts: Attempt[],
    onProgress: (message: string) => void,
  ): Promise<Rebalanced | undefined> {
    const { payments, view, clock, newLabel } = this.#init;
    const label = newLabel();
    const amountMsat = arriving(circle);
    const entry: JournalEntry = { label, ...endsOf(circle), amountMsat };
    this.#lock(entry);
    let isKnown = true;
    try {
      const before = await view();
      isKnown = false;
      await payments.note(entry);
      const invoice = await payments.invoice(label, amountMsat);
      const outcome = await this.#pay(circle, label, invoice, onProgress);
      isKnown = outcome.status !== 'unknown';
      if (outcome.status === 'complete') {
        const result = await this.#complete(circle, invoice.paymentHash, attempts, before);
        // A crash before the caller knows must leave the note, from which the next process tells of it.
        clock.after(0, () => this.#settling.linger(label, invoice.paymentHash));
        return result;
      }
      if (outcome.status === 'failed') this.#learn(circle, outcome.blamed);
      attempts.push(attemptOf(circle, outcome));
      onProgress(`try ${attempts.length}: ${attempts.at(-1)?.outcome}`);
      if (outcome.status === 'unknown') throw this.#gaveUp('unsettled', attempts);
      return undefined;
    } finally {
      if (isKnown) this.#unlock(entry);
      else this.#settling.settle(entry).then(() => this.#unlock(entry));
    }
  }

  /**
   * Pays, until it is certain whether that completes. `pending`: it can only fail, so its purpose is free; its HTLC takes
   * as long as it takes. `unknown`: it may still complete.
   */
  async #pay(
    circle: Circle,
    label: string,
    invoice: OwnInvoice,
    onProgress: (message: string) => void,
  ): Promise<Outcome> {
    const { payments, clock, log } = this.#init;
    const { paymentHash } = invoice;
    let outcome = await payments.send(invoice, label, circle.hops, arriving(circle));
    if (outcome.status === 'pending') outcome = await payments.wait(paymentHash, HANG_MS);
    if (outcome.status === 'complete') return outcome;
    const isHanging = outcome.status === 'pending';
    if (isHanging) onProgress('it hangs: cancelling');
    // Whatever was said: only without its invoice it certainly does not complete any more.
    try {
      if ((await payments.cancel(label)) === 'paid') {
        // The amount is ours, though somebody may hold back the preimage from our payment's end.
        await payments.wait(paymentHash, SETTLE_MS);
        return { status: 'complete' };
      }
    } catch (error) {
      return { status: 'unknown', message: messageOf(error) };
    }
    if (isHanging) {
      for (const { id } of circle.hops.slice(0, -1)) this.#hung.note(id, clock.monotonicMs());
      log(`a rebalance hung and was cancelled: ${describe(circle)}`);
    }
    // It may have ended meanwhile, and then says why.
    if (outcome.status !== 'failed') outcome = await payments.wait(paymentHash, 0);
    if (outcome.status === 'complete') return outcome;
    if (outcome.status === 'failed') {
      this.#settling.forget(label);
      return outcome;
    }
    this.#settling.linger(label, paymentHash);
    return { status: 'pending' };
  }

  /** What moved, from both balances once they show it. */
  async #complete(
    circle: Circle,
    paymentHash: string,
    attempts: Attempt[],
    before: NodeView,
  ): Promise<Rebalanced> {
    const { knowledge, clock, view, onNews } = this.#init;
    for (const hop of between(circle)) knowledge.moved(hop, hop.amountMsat, clock.monotonicMs());
    onNews();
    const { outPeerId, inPeerId } = endsOf(circle);
    const amountMsat = arriving(circle);
    const sentMsat = amountMsat + circle.feeMsat;
    const expected = { out: held(before, outPeerId) - sentMsat, in: held(before, inPeerId) + amountMsat };
    // It has arrived: how long lightningd takes to show it must not keep the caller, nor both peers locked.
    const untilMs = clock.monotonicMs() + SETTLE_MS;
    const later = (ms: number) => new Promise<void>(resolve => clock.after(ms, resolve));
    let after = before;
    const isTimeUp = later(SETTLE_MS);
    for (let stepMs = SETTLE_STEP_MS; clock.monotonicMs() < untilMs; stepMs *= 2) {
      after = await Promise.race([view().catch(() => after), isTimeUp.then(() => after)]);
      if (held(after, outPeerId) === expected.out && held(after, inPeerId) === expected.in) break;
      await Promise.race([later(stepMs), isTimeUp]);
    }
    attempts.push(attemptOf(circle, { status: 'complete' }));
    this.#remember('complete', amountMsat, attempts.length, circle.feeMsat);
    const report = (peerId: string, hop: RouteHop | undefined): EndReport => ({
      shortChannelId: hop?.shortChannelId ?? 0n,
      beforeMsat: held(before, peerId),
      afterMsat: held(after, peerId),
    });
    return {
      circle,
      paymentHash,
      attempts,
      out: report(outPeerId, circle.hops[0]),
      in: report(inPeerId, circle.hops.at(-1)),
    };
  }

  /** Takes up what a failure shows: a want of liquidity at what that hop should have carried, or a channel that is gone. */
  #learn(circle: Circle, blamed: Blamed | undefined): void {
    const { knowledge, clock, onNews } = this.#init;
    const hop = between(circle).find(
      each => each.shortChannelId === blamed?.shortChannelId && each.direction === blamed.direction,
    );
    if (blamed === undefined || hop === undefined) return;
    const meaning = meaningOf(blamed.failcode);
    if (meaning === 'liquidity') knowledge.failed(hop, hop.amountMsat, clock.monotonicMs());
    if (meaning === 'gone') knowledge.withdraw(hop, clock.monotonicMs());
    onNews();
  }

  #lock({ outPeerId, inPeerId }: JournalEntry): void {
    this.#locked.add(outPeerId).add(inPeerId);
  }

  #unlock({ outPeerId, inPeerId }: JournalEntry): void {
    this.#locked.delete(outPeerId);
    this.#locked.delete(inPeerId);
  }

  /** Whom no circle is to touch now: peers with a payment under way, and those on circles that hung. */
  avoided(): ReadonlySet<string> {
    const nowMs = this.#init.clock.monotonicMs();
    return new Set([...this.#locked, ...this.#hung.peersOut(nowMs)]);
  }

  #gaveUp(reason: GiveUpReason, attempts: readonly Attempt[], search?: CircleSearch): GaveUpError {
    const amountMsat = attempts.at(-1)?.hops.at(-1)?.amountMsat;
    if (amountMsat !== undefined) {
      this.#remember(reason === 'unsettled' ? 'unsettled' : 'failed', amountMsat, attempts.length);
    }
    const messages: Readonly<Record<GiveUpReason, string>> = {
      no_circle: 'no circle',
      gave_up: `gave up after ${attempts.length} tries`,
      unsettled: 'a payment may still complete; its channels are not used before it is settled',
    };
    return new GaveUpError(reason, messages[reason], attempts, search);
  }

  #remember(status: Recent['status'], amountMsat: bigint, attempts: number, feeMsat?: bigint): void {
    const atWallMs = this.#init.clock.wallMs();
    this.recent.push({
      atWallMs,
      status,
      amountMsat,
      attempts,
      ...(feeMsat === undefined ? {} : { feeMsat }),
    });
    if (this.recent.length > MAX_RECENT) this.recent.shift();
  }
}

/** The friends at both ends of a circle. */
function endsOf({ hops }: Circle): { readonly outPeerId: string; readonly inPeerId: string } {
  return { outPeerId: hops[0]?.id ?? '', inPeerId: hops.at(-2)?.id ?? '' };
}

/** What not to try again: the channel that is to blame; where it is none of the circle's, all that are not our own. */
function suspects({ hops }: Circle, blamed: Blamed | undefined): ShortChannelId[] {
  const ids = hops.map(hop => hop.shortChannelId);
  const culprit = ids.filter(id => id === blamed?.shortChannelId);
  return culprit.length > 0 ? culprit : ids.slice(1, -1);
}

/** The hops that are not our own: of ours lightningd knows all. */
function between({ hops }: Circle): Circle['hops'] {
  return hops.slice(1, -1);
}

/** What comes back to us. */
function arriving({ hops }: Circle): bigint {
  return hops.at(-1)?.amountMsat ?? 0n;
}

/** What is ours of all channels with a peer. */
function held({ channels }: NodeView, peerId: string): bigint {
  return channels
    .filter(channel => channel.peerId === peerId)
    .reduce((sum, channel) => sum + channel.toUsMsat, 0n);
}

function attemptOf({ hops, feeMsat }: Circle, outcome: Outcome): Attempt {
  const said = {
    complete: 'complete',
    failed: outcome.status === 'failed' ? outcome.message : '',
    pending: 'held by somebody for too long, cancelled',
    unknown: outcome.status === 'unknown' ? outcome.message : '',
  };
  const blamed = outcome.status === 'failed' ? outcome.blamed : undefined;
  return { hops, feeMsat, outcome: said[outcome.status], ...(blamed === undefined ? {} : { blamed }) };
}

function describe({ hops, feeMsat }: Circle): string {
  return `${hops.map(hop => hop.id.slice(0, 8)).join(' → ')}, fee ${feeMsat} msat`;
}
