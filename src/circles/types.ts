/** What the search for circles takes and gives. A circle is a route us → friend → … → another friend → us. */
import type { NodeView } from '../sharing/node-view.ts';
import type { GossipChannel, GossipChannels } from '../sharing/ports.ts';
import type { ShortChannelId } from '../wire/short-channel-id.ts';
import type { Lane, Lanes } from './lanes.ts';

/** At least `amountMsat`, to be believed to the degree `reliability`, 0 to 1. */
export interface HopOffer {
  readonly amountMsat: bigint;
  readonly reliability: number;
  /** Nobody has said so, but a friend may if it is asked: the hop stays `unknown`. Only in searches for whom to ask. */
  readonly isHoped?: true;
}

/** What friends and failures tell of single hops. Asked once per directed channel and search. */
export interface HopKnowledge {
  /**
   * The best word of either end on this direction. Word older than the failure that `failedMsat` tells must not be
   * given (docs/protocol.md, "Believing").
   *
   * @param number that of the direction in `lanes`: spares looking it up
   */
  offer(channel: GossipChannel, number?: number): HopOffer | undefined;
  /** The lowest amount that failed there lately. */
  failedMsat(channel: GossipChannel): bigint | undefined;
  /** By how much the odds that it carries more than was offered are better than for just any channel. */
  odds(lane: Lane): number;
  /** Whose numbers are used; any when left out. */
  readonly lanes?: Lanes;
}

/** The gossip on one friend's channels. */
export interface FriendGossip {
  readonly from: GossipChannels;
  readonly to: GossipChannels;
}

/** What a search leaves out: also in the middle of a circle. */
export interface Exclusions {
  readonly peers: ReadonlySet<string>;
  readonly channels: ReadonlySet<ShortChannelId>;
}

/** All that circles are made from. What becomes known while a search is under way may count already, or not yet. */
export interface CircleSources {
  readonly view: NodeView;
  /** By node id; no circle goes through a friend that is missing. */
  readonly gossip: ReadonlyMap<string, FriendGossip>;
  readonly knowledge: HopKnowledge;
}

/** One of our channels, or any that we have with a peer. */
export type OwnFilter = { readonly peerId: string } | { readonly shortChannelId: ShortChannelId };

/** The same, or any that we have with some of our peers. */
export type EndFilter = OwnFilter | { readonly peerIds: ReadonlySet<string> };

/** What a circle brings us, by the friends at both its ends; in any unit, and the sum of both. */
export interface Worth {
  /** Of either, one may take away what the other brings. None where a friend is missing. */
  readonly outs: ReadonlyMap<string, number>;
  readonly ins: ReadonlyMap<string, number>;
  /** What brings less is no circle; above 0. */
  readonly least: number;
  /** No two bring more. */
  readonly most: number;
}

export interface CircleQuery {
  /** What arrives back at us; above 0. */
  readonly amountMsat: bigint;
  /** Where it may leave and come back; everywhere when left out. */
  readonly out?: EndFilter;
  readonly in?: EndFilter;
  /** The most that all fees together may be, in parts per million of `amountMsat`; 0 is legal. */
  readonly maxFeePpm: bigint;
  /** The most blocks from now to the expiry of our own first HTLC. */
  readonly maxDelay: number;
  /** How many circles are wanted, 1 or more. */
  readonly limit: number;
  /** Blocks that the last HTLC has left when it reaches us. @default FINAL_DELAY */
  readonly finalDelay?: number;
  /** What a try that fails is worth avoiding. @default what `failedTryCost` says for the amount */
  readonly failedTryCostMsat?: bigint;
  /** Circles then rank by what they cost for what they bring. @default all bring the same */
  readonly worth?: Worth;
}

/**
 * `own`: our channel. `offered`: friends offer what arrives at the end; fees come on top. `failed`: a larger amount
 * failed there lately. `unknown`: nothing but the gossip; or less than asked is offered.
 */
export type HopKnown = 'own' | 'offered' | 'unknown' | 'failed';

/** One hop as the route of `sendpay` wants it. */
export interface RouteHop {
  /** The node that the hop leads to. */
  readonly id: string;
  readonly shortChannelId: ShortChannelId;
  readonly direction: 0 | 1;
  /** What that node receives over it. */
  readonly amountMsat: bigint;
  /** Blocks from now to the expiry of the HTLC on it. */
  readonly delay: number;
}

export interface CircleHop extends RouteHop {
  readonly known: HopKnown;
  /** The circle's rank rests on an offer here that nobody has made yet. */
  readonly isHoped?: true;
}

export interface Circle {
  readonly feeMsat: bigint;
  /** Rounded up, so that it is above a limit exactly when the fee is. */
  readonly feePpm: bigint;
  /** That a try succeeds, above 0. */
  readonly probability: number;
  readonly expectedCostMsat: bigint;
  /** That of the first hop. */
  readonly delay: number;
  /** Three or four, the first and the last over our own channels. */
  readonly hops: readonly CircleHop[];
}

/**
 * `no_out_channel`, `no_in_channel`: none of ours (of those allowed) can carry the amount now. `no_path`: no three or
 * four hops carry it, whatever they cost. `fee`, `delay`: there are circles, only not within that limit; both: not
 * even when either were lifted. `no_offer`: nobody offers a hop that was looked at.
 */
export type MissingReason = 'no_out_channel' | 'no_in_channel' | 'no_path' | 'fee' | 'delay' | 'no_offer';

/** Why there is no circle. */
export interface Missing {
  readonly reasons: readonly MissingReason[];
  /** With `fee`: what the cheapest circle costs that keeps the other limit, or none if none does. */
  readonly cheapestPpm?: bigint;
  /** With `delay`: of the cheapest circle within the fee limit, or of the cheapest of all if none is. */
  readonly delay?: number;
  /** Channel directions of friends that were left out, by cause. */
  readonly leftOut: LeftOut;
}

export interface LeftOut {
  readonly disabled: number;
  /** By capacity or htlc limits, for the amount without fees. */
  readonly unfit: number;
  /** The amount, or less, failed there lately. */
  readonly failed: number;
}

export interface CircleSearch {
  /** Best first. */
  readonly circles: readonly Circle[];
  /** Only where there are none. */
  readonly missing?: Missing;
}
