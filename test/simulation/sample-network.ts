/** Small networks that tests reckon by hand. */
import { type ChannelRecord, type DirectionTerms, Network } from '../../src/simulation/network.ts';
import { parseShortChannelId } from '../../src/wire/short-channel-id.ts';

export function idOf(node: number): string {
  return `02${node.toString(16).padStart(64, '0')}`;
}

const BTC_MSAT = 100_000_000_000;
const TERMS: DirectionTerms = {
  baseFee: 0,
  feePpm: 0,
  cltvDelta: 34,
  htlcMinimum: 1,
  htlcMaximum: BTC_MSAT,
};

/** A channel between two nodes, the lower number first; terms as they differ from free ones. */
export function record(
  a: number,
  b: number,
  id: string,
  capacity: number,
  fromA: Partial<DirectionTerms> = {},
  fromB: Partial<DirectionTerms> = {},
): ChannelRecord {
  return {
    shortChannelId: parseShortChannelId(id) ?? 0n,
    ends: [idOf(a), idOf(b)],
    capacity,
    terms: [
      { ...TERMS, ...fromA },
      { ...TERMS, ...fromB },
    ],
  };
}

const TEN_MILLION_SAT = 10_000_000_000;

/**
 * We (0) can leave by 1 and come back by 2. Between them lies a cheap channel that is empty on 1's side, and a dearer
 * way over 3 that is full.
 */
export const DETOUR_RECORDS = [
  record(0, 1, '100x1x0', TEN_MILLION_SAT),
  record(0, 2, '100x2x0', TEN_MILLION_SAT, {}, { baseFee: 1000, feePpm: 50 }),
  record(1, 2, '100x3x0', TEN_MILLION_SAT, { feePpm: 100 }),
  record(1, 3, '100x4x0', TEN_MILLION_SAT, { baseFee: 1000, feePpm: 100 }),
  record(2, 3, '100x5x0', TEN_MILLION_SAT, {}, { feePpm: 200 }),
];
export const DETOUR = new Network(DETOUR_RECORDS);

/** By short channel id: what the end with the lower number has. */
export const DETOUR_BALANCES = [TEN_MILLION_SAT, 0, 0, TEN_MILLION_SAT, 0];
