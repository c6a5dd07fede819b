/**
 * What the picture of a node and its friends is made from, and the form in which the page has it.
 *
 * Amounts are satoshis here, rounded down: the picture is for people, and a double holds any number of them.
 */
import type { Flow } from '../wire/codec.ts';
import type { ShortChannelId } from '../wire/short-channel-id.ts';

/** One of our channels, as it lies now. */
export interface OwnChannelFact {
  readonly peerId: string;
  readonly shortChannelId: string;
  readonly oursSat: number;
  readonly totalSat: number;
  /** Whether HTLCs can move now. */
  readonly isUsable: boolean;
}

/** What a friend would move on one of its channels. */
export interface OfferFact {
  readonly peerId: string;
  /** The channel's other end. */
  readonly otherId: string;
  /** 1: the friend passes on what we send. 0: the friend takes in what we receive. */
  readonly flow: Flow;
  readonly shortChannelId: ShortChannelId;
  readonly amountSat: number;
  readonly ageS: number;
}

export interface CircleFact<Node> {
  readonly amountSat: number;
  readonly feeMsat: number;
  readonly feePpm: number;
  /** That a try succeeds, 0 to 1. */
  readonly probability: number;
  /** Whether it would bring our channels nearer to one another's share, as `foafrebalance` chooses. */
  readonly helps: boolean;
  readonly hops: readonly {
    /** The node that the hop leads to. */
    readonly to: Node;
    readonly shortChannelId: string;
    readonly amountSat: number;
    readonly known: 'own' | 'offered' | 'unknown' | 'failed';
  }[];
}

/** What changed lately. */
export type ChangeFact<Node> = { readonly ageS: number } & (
  | {
      readonly kind: 'learned';
      readonly from: Node;
      readonly flow: Flow;
      readonly amountSat: number;
      readonly channels: number;
    }
  | { readonly kind: 'failed'; readonly channel: string; readonly amountSat: number }
  | {
      readonly kind: 'rebalance';
      readonly status: 'complete' | 'failed' | 'unsettled' | 'adopted';
      readonly amountSat: number;
      readonly feeMsat?: number;
      readonly attempts: number;
    }
);

/** All that is drawn; nodes by their ids. */
export interface PictureFacts {
  readonly drawnAtMs: number;
  readonly network: string;
  readonly nodeId: string;
  /** By node id; strangers chose them. */
  readonly names: ReadonlyMap<string, string>;
  readonly channels: readonly OwnChannelFact[];
  /** Those of one answer best together, in the order of their channels: so they take least room. */
  readonly offers: readonly OfferFact[];
  readonly circles: readonly CircleFact<string>[];
  /** Why there is none. */
  readonly noCircle?: string;
  readonly changes: readonly ChangeFact<string>[];
}

/** A node on the page: its place in `Picture.nodes`. */
export type NodeIndex = number;

/** The columns of the offers, in their order in the file; the short channel id is 0 throughout where it was left out. */
const OFFER_COLUMNS = [
  'friend',
  'other',
  'flow',
  'block',
  'transaction',
  'output',
  'amountSat',
  'ageS',
] as const;

export type OfferColumn = (typeof OFFER_COLUMNS)[number];

/** Offers as columns: a row is an offer. */
export type Offers = Readonly<Record<OfferColumn, Float64Array>>;

/** @param columnOf called for each column in their order */
export function makeOffers(columnOf: (name: OfferColumn) => Float64Array): Offers {
  const columns = OFFER_COLUMNS.map(name => [name, columnOf(name)] as const);
  return Object.fromEntries(columns) as Record<OfferColumn, Float64Array>;
}

/** What of the picture is JSON in the file. */
export interface Header {
  readonly drawnAtMs: number;
  readonly network: string;
  /** By node; empty where none is known. */
  readonly names: readonly string[];
  /** Node 0 is ours, then so many friends, then the rest. */
  readonly friendCount: number;
  readonly channels: readonly {
    readonly friend: NodeIndex;
    readonly shortChannelId: string;
    readonly oursSat: number;
    readonly totalSat: number;
    readonly isUsable: boolean;
  }[];
  readonly circles: readonly CircleFact<NodeIndex>[];
  readonly noCircle?: string;
  readonly changes: readonly ChangeFact<NodeIndex>[];
  /** Offers that did not fit into the file, and offers whose short channel id did not. */
  readonly leftOut: { readonly offers: number; readonly shortChannelIds: number };
}

/** All that the page shows. */
export interface Picture extends Omit<Header, 'names'> {
  readonly nodes: readonly {
    /** 66 hex digits; fewer where the file had no room. */
    readonly id: string;
    readonly name: string;
  }[];
  readonly offers: Offers;
}
