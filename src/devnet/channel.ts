/**
 * A channel of the stand-in network, seen by neither end in particular: whose the balance is, what state it is in.
 *
 * What an end can spend is computed as lightningd v26.06 does for an anchor channel with nothing in flight
 * (lightningd/peer_control.c, `channel_amount_spendable`), at one feerate that never changes: reserve and commitment
 * fee are approximated in so far as real feerates move and real HTLCs are in flight at times.
 */

/** Of each channel 1 % stays on each side (BOLT 2, `channel_reserve_satoshis`; 1 % is Core Lightning's). */
const RESERVE_DIVISOR = 100n;
/** What regtest nodes agree on with nothing to estimate from. */
export const FEERATE_PER_KW = 1250;
/** Weight of an anchor channel's commitment transaction (BOLT 3, "Expected Weight"). */
const COMMITMENT_WEIGHT = 1124;
const HTLC_WEIGHT = 172;
const ANCHOR_MSAT = 330_000n;

export type ChannelState =
  | 'CHANNELD_AWAITING_LOCKIN'
  | 'CHANNELD_NORMAL'
  | 'CHANNELD_SHUTTING_DOWN'
  | 'CLOSINGD_SIGEXCHANGE'
  | 'CLOSINGD_COMPLETE'
  | 'FUNDING_SPEND_SEEN'
  | 'ONCHAIN';

/** One end's share of what happened. */
interface End {
  ours: bigint;
  /** The least and the most it ever had. */
  least: bigint;
  most: bigint;
  paid: number;
  paidMsat: bigint;
}

export interface StateChange {
  readonly timestamp: string;
  readonly oldState: ChannelState;
  readonly newState: ChannelState;
  /** Whose doing it was: that end says `user`, the other `remote`. */
  readonly by: string;
  /** What the end whose doing it was says, and the other. */
  readonly message: string;
  readonly otherMessage: string;
}

export interface ChannelInit {
  /** Node ids. */
  readonly opener: string;
  readonly acceptor: string;
  readonly capacityMsat: bigint;
  /** What is the acceptor's from the beginning. */
  readonly pushedMsat: bigint;
  readonly isPublic: boolean;
  /** Where the funding output stands. */
  readonly block: number;
  readonly output: number;
  /** Unix seconds of the gossip about it. */
  readonly updatedAt: number;
}

export class Channel {
  readonly init: ChannelInit;
  readonly shortChannelId: string;
  readonly changes: StateChange[] = [];
  /** Who closed it. */
  closer: string | undefined;
  #state: ChannelState = 'CHANNELD_AWAITING_LOCKIN';
  readonly #ends: ReadonlyMap<string, End>;

  constructor(init: ChannelInit) {
    const { opener, acceptor, capacityMsat, pushedMsat } = init;
    this.init = init;
    this.shortChannelId = `${init.block}x1x${init.output}`;
    this.#ends = new Map([
      [opener, newEnd(capacityMsat - pushedMsat)],
      [acceptor, newEnd(pushedMsat)],
    ]);
  }

  get state(): ChannelState {
    return this.#state;
  }

  get reserveMsat(): bigint {
    return this.init.capacityMsat / RESERVE_DIVISOR;
  }

  /** The most that one HTLC may carry: what the reserve leaves. */
  get htlcMaximumMsat(): bigint {
    return this.init.capacityMsat - this.reserveMsat;
  }

  /** The fee of the commitment transaction, with the anchor of a side that has nothing. */
  get commitmentFeeMsat(): bigint {
    const feeMsat = BigInt(COMMITMENT_WEIGHT * FEERATE_PER_KW);
    return [...this.#ends.values()].some(end => end.ours === 0n) ? feeMsat + ANCHOR_MSAT : feeMsat;
  }

  hasEnd(nodeId: string): boolean {
    return this.#ends.has(nodeId);
  }

  /** The other end. */
  peerOf(nodeId: string): string {
    return nodeId === this.init.opener ? this.init.acceptor : this.init.opener;
  }

  /** @throws RangeError if the node is no end of it */
  endOf(nodeId: string): Readonly<End> {
    return this.#end(nodeId);
  }

  /** What an end could send in one payment. */
  spendableMsat(nodeId: string): bigint {
    const feeMsat = nodeId === this.init.opener ? spareFeeMsat() : 0n;
    const left = this.#end(nodeId).ours - this.reserveMsat - feeMsat;
    return left > 0n ? left : 0n;
  }

  /** Moves a balance as a payment would. @throws RangeError if it cannot */
  pay(payer: string, amountMsat: bigint): void {
    if (this.#state !== 'CHANNELD_NORMAL') throw new RangeError(`${this.shortChannelId} is ${this.#state}`);
    const spendable = this.spendableMsat(payer);
    if (amountMsat <= 0n || amountMsat > spendable)
      throw new RangeError(`${this.shortChannelId}: 1 to ${spendable} msat can be paid, got ${amountMsat}`);
    const from = this.#end(payer);
    const to = this.#end(this.peerOf(payer));
    from.paid++;
    from.paidMsat += amountMsat;
    shift(from, -amountMsat);
    shift(to, amountMsat);
  }

  /** Enters a state. @returns the change, for notifications */
  enter(newState: ChannelState, by: string, message: string, otherMessage = message): StateChange {
    const timestamp = new Date().toISOString();
    const change = { timestamp, oldState: this.#state, newState, by, message, otherMessage };
    this.changes.push(change);
    this.#state = newState;
    return change;
  }

  #end(nodeId: string): End {
    const end = this.#ends.get(nodeId);
    if (end === undefined) throw new RangeError(`${nodeId} is no end of ${this.shortChannelId}`);
    return end;
  }
}

function newEnd(ours: bigint): End {
  return { ours, least: ours, most: ours, paid: 0, paidMsat: 0n };
}

function shift(end: End, amountMsat: bigint): void {
  end.ours += amountMsat;
  if (end.ours < end.least) end.least = end.ours;
  if (end.ours > end.most) end.most = end.ours;
}

/** What the opener keeps back for fees: two HTLCs at nearly twice the feerate, and both anchors. */
function spareFeeMsat(): bigint {
  // From twice the feerate at 253 per kw down to 1.1 times at 45,000, which gives what real nodes answered.
  const multiplier = 2 - ((FEERATE_PER_KW - 253) / (45_000 - 253)) * 0.9;
  const perKw = Math.floor(FEERATE_PER_KW * multiplier);
  const feeSat = Math.floor((perKw * (COMMITMENT_WEIGHT + 2 * HTLC_WEIGHT)) / 1000);
  return BigInt(feeSat) * 1000n + 2n * ANCHOR_MSAT;
}
