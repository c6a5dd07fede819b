/**
 * Fills a channel around a circle, within the ledger.
 *
 * Hazard: this spends. So nothing is sent before its cost is booked where a crash does not lose it, a booking only goes when
 * it is certain what the circle did cost, and each peer has one circle under way at most: a hundred HTLCs must not set off a
 * hundred circles, nor one circle the next.
 */
import type { ForwardingTerms } from '../sharing/node-view.ts';
import type { ChannelBook } from './channel-book.ts';
import { type Earnings, mayEarnMsat } from './earnings.ts';
import type { Booking, Ledger } from './ledger.ts';
import type { Bookings, Circles, JitClock } from './ports.ts';
import type { Forward, JitChannel, Reason } from './types.ts';
import { missingMsat, refusal } from './verdict.ts';

/** A circle costs at most half of what the forward may earn. */
const EARN_DIVISOR = 2n;
const MILLION = 1_000_000n;
/** The largest limit that `foafrebalance` takes. */
const MAX_PPM = 100_000n;

export interface FillerInit {
  readonly book: ChannelBook;
  readonly earnings: Earnings;
  readonly ledger: Ledger;
  /** Whether what was spent before is known: nothing is paid until then. */
  readonly isLedgerReady: () => boolean;
  readonly bookings: Bookings;
  readonly circles: Circles;
  readonly clock: JitClock;
  readonly newId: () => string;
  readonly log: (message: string) => void;
}

/** A circle under way. */
interface UnderWay {
  readonly peers: Set<string>;
}

export class Filler {
  readonly #init: FillerInit;
  /** By the peer whose channel is filled: it may use any of its channels with us. */
  readonly #underWay = new Map<string, UnderWay>();

  constructor(init: FillerInit) {
    this.#init = init;
  }

  /** How many circles are under way. */
  get underWay(): number {
    return this.#underWay.size;
  }

  /** Why no circle may begin for a forward now, by those that are under way. */
  busyRefusal({ inPeerId }: Forward, { peerId }: JitChannel): Reason | undefined {
    if (this.#underWay.has(peerId)) return 'under_way';
    // What a circle of ours makes others do is no reason for the next one.
    const isOnOne = [...this.#underWay.values()].some(({ peers }) => peers.has(inPeerId));
    return isOnOne ? 'recursion' : undefined;
  }

  /** Why nothing may be spent for a forward. */
  moneyRefusal(forward: Forward, channel: JitChannel): Reason | undefined {
    if (!this.#init.isLedgerReady() || this.#init.ledger.unreadable > 0) return 'ledger';
    const limit = this.#limit(forward, channel);
    return typeof limit === 'string' ? limit : undefined;
  }

  /** The most that a circle for a forward may cost. */
  #limit(forward: Forward, { terms, names }: JitChannel): bigint | Reason {
    const { ledger } = this.#init;
    const name = names[0];
    if (terms === undefined || name === undefined) return 'would_fail';
    const worth = this.#worthMsat(forward, terms, name);
    if (worth <= 0n) return 'cost';
    const remaining = ledger.remainingMsat(name);
    if (remaining <= 0n) return 'budget';
    return worth < remaining ? worth : remaining;
  }

  #worthMsat(forward: Forward, terms: ForwardingTerms, name: string): bigint {
    const { earnings, clock } = this.#init;
    return mayEarnMsat(forward, terms, earnings.share(name, clock.wallMs())) / EARN_DIVISOR;
  }

  /**
   * Brings what is missing into a channel. The booking stays until what it cost is certain.
   *
   * @param retryForMs no new try begins after this
   * @param hold nothing is sent once it is over; what is under way then goes on
   * @returns what became of it; never rejects
   */
  async fill(
    forward: Forward,
    channel: JitChannel,
    retryForMs: number,
    hold?: { readonly isOver: boolean },
  ): Promise<Reason> {
    const { ledger, circles, newId } = this.#init;
    const [name] = channel.names;
    const limit = this.#limit(forward, channel);
    if (name === undefined || typeof limit === 'string')
      return typeof limit === 'string' ? limit : 'would_fail';
    // Whoever else looked at the same moment was first.
    if (this.#underWay.has(channel.peerId)) return 'under_way';
    for (const id of ledger.prune()) this.#forget(id);
    const underWay: UnderWay = { peers: new Set([channel.peerId]) };
    this.#underWay.set(channel.peerId, underWay);
    try {
      const amountMsat = this.#neededMsat(forward, channel);
      const ppm = (limit * MILLION) / amountMsat;
      if (ppm <= 0n) return 'cost';
      const maxFeePpm = Number(ppm < MAX_PPM ? ppm : MAX_PPM);
      const fill = { amountMsat, channel: name, maxFeePpm };
      const found = await circles.find(fill);
      if (typeof found === 'string') return found;
      if (hold?.isOver) return 'late';
      for (const peer of found.peers) underWay.peers.add(peer);
      const booking: Booking = {
        id: newId(),
        channel: name,
        atWallMs: ledger.stampMs(),
        feeMsat: (amountMsat * BigInt(maxFeePpm)) / MILLION,
      };
      if (!ledger.book(booking)) return 'budget';
      if (!(await this.#written(booking))) return 'ledger';
      if (hold?.isOver) {
        this.#unbook(booking);
        return 'late';
      }
      return await this.#perform(booking, () => circles.perform(fill, found.outPeerId, retryForMs));
    } finally {
      this.#underWay.delete(channel.peerId);
    }
  }

  /** The peer chooses over which of its channels with us a circle comes home: enough for the one that lacks most. */
  #neededMsat(forward: Forward, channel: JitChannel): bigint {
    const { book } = this.#init;
    const candidates = [
      channel,
      ...book.ofPeer(channel.peerId).filter(each => refusal(forward, each) === undefined),
    ];
    return candidates
      .map(each => missingMsat(each, book.spendableMsat(each.channelId), forward.outMsat))
      .reduce((most, each) => (each > most ? each : most));
  }

  /** Whether a booking is where kill -9 does not clear it: nothing is sent before. */
  async #written(booking: Booking): Promise<boolean> {
    const { bookings, log } = this.#init;
    try {
      await bookings.write(booking);
      return true;
    } catch (error) {
      log(`no circle, since its cost could not be booked: ${String(error)}`);
      this.#unbook(booking);
      return false;
    }
  }

  /** Nothing was sent for it, or it certainly cost nothing. */
  #unbook({ id }: Booking): void {
    this.#init.ledger.settle(id, 0n);
    this.#forget(id);
  }

  async #perform(booking: Booking, perform: () => ReturnType<Circles['perform']>): Promise<Reason> {
    const { ledger, bookings, log } = this.#init;
    const outcome = await perform();
    if (outcome.status === 'unsettled') {
      log(`a circle for ${booking.channel} is not settled: ${booking.feeMsat} msat count as spent`);
      return 'unsettled';
    }
    if (outcome.status !== 'complete') {
      this.#unbook(booking);
      return outcome.status;
    }
    const settled = ledger.settle(booking.id, outcome.feeMsat);
    if (settled === undefined) this.#forget(booking.id);
    else {
      // The larger sum stays written where this fails.
      bookings.write(settled).catch((error: unknown) => log(`ledger: ${String(error)}`));
    }
    return 'filled';
  }

  #forget(id: string): void {
    this.#init.bookings.remove(id).catch((error: unknown) => this.#init.log(`ledger: ${String(error)}`));
  }
}
