/**
 * A made-up network shaped like the real one, for who has no file: degrees, capacities and fees are drawn from the
 * quantiles of the public network of 2026-02-03 (31,917 two-way channels between 6,250 nodes).
 */
import { type ChannelRecord, type DirectionTerms, Network } from './network.ts';
import type { Random } from './random.ts';

/** Shares of all that lie at or below a value, ascending. */
type Quantiles = readonly (readonly [share: number, value: number])[];

const DEGREES: Quantiles = [
  [0, 1],
  [0.25, 1],
  [0.5, 2],
  [0.75, 6],
  [0.9, 19],
  [0.95, 40],
  [0.99, 133],
  [0.999, 505],
  [1, 1813],
];
const CAPACITIES_SAT: Quantiles = [
  [0, 20_000],
  [0.1, 200_000],
  [0.25, 1_000_000],
  [0.5, 3_005_071],
  [0.75, 10_000_000],
  [0.9, 21_000_000],
  [0.99, 300_000_000],
  [1, 720_000_000],
];
const FEE_PPM: Quantiles = [
  [0, 0],
  [0.1, 1],
  [0.25, 1],
  [0.5, 100],
  [0.75, 575],
  [0.9, 2000],
  [0.99, 10_000],
];
const BASE_FEES_MSAT: Quantiles = [
  [0, 0],
  [0.5, 0],
  [0.65, 1000],
  [0.99, 1000],
];
const CLTV_DELTAS = [34, 40, 40, 80, 80, 80, 80, 100, 144, 144];
/** Of the capacity: most let through what the reserve leaves. */
const HTLC_MAXIMA = [0.99, 0.99, 0.99, 0.99, 0.99, 0.99, 0.99, 1, 0.45, 0.2];

/** As many channels to a node as in the network that the quantiles come from. */
const CHANNELS_PER_NODE = 31_917 / 6250;

/** @param channels how many there are to be, 10 or more */
export function madeUpNetwork(channels: number, random: Random): Network {
  const nodes = Math.round(channels / CHANNELS_PER_NODE);
  const weights = Array.from({ length: nodes }, () => quantile(DEGREES, random.real())).sort((a, b) => b - a);
  const sums: number[] = [];
  for (const weight of weights) sums.push((sums.at(-1) ?? 0) + weight);
  const records: ChannelRecord[] = [];
  for (let made = 0; made < channels; made++) {
    // First a tree, so that everybody is connected; then anybody, the larger the likelier.
    const a = made + 1 < nodes ? made + 1 : drawn(sums, nodes, random);
    let b = drawn(sums, made + 1 < nodes ? made + 1 : nodes, random);
    while (b === a) b = drawn(sums, nodes, random);
    const capacity = Math.round(quantile(CAPACITIES_SAT, random.real())) * 1000;
    records.push({
      shortChannelId: BigInt(700_000 + Math.floor(made / 1000)) * 2n ** 40n + BigInt(made % 1000) * 65_536n,
      ends: [idOf(Math.min(a, b)), idOf(Math.max(a, b))],
      capacity,
      terms: [drawnTerms(capacity, random), drawnTerms(capacity, random)],
    });
  }
  return new Network(records);
}

function drawnTerms(capacity: number, random: Random): DirectionTerms {
  return {
    baseFee: Math.round(quantile(BASE_FEES_MSAT, random.real())),
    feePpm: Math.round(quantile(FEE_PPM, random.real())),
    cltvDelta: random.pick(CLTV_DELTAS),
    htlcMinimum: random.pick([1, 1000]),
    htlcMaximum: Math.floor(capacity * random.pick(HTLC_MAXIMA)),
  };
}

function idOf(node: number): string {
  return `02${node.toString(16).padStart(64, '0')}`;
}

/** The value below which `share` of all lie, between known ones on a straight line. */
function quantile(quantiles: Quantiles, share: number): number {
  let before: Quantiles[number] = [0, 0];
  for (const next of quantiles) {
    if (share < next[0]) {
      return before[1] + ((share - before[0]) / (next[0] - before[0])) * (next[1] - before[1]);
    }
    before = next;
  }
  return before[1];
}

/** One of the first `nodes`, each as likely as its weight says. `sums` are those of the weights so far. */
function drawn(sums: readonly number[], nodes: number, random: Random): number {
  const wanted = random.real() * (sums[nodes - 1] ?? 0);
  let low = 0;
  let high = nodes - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sums[middle] ?? 0) > wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}
