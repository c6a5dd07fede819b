/**
 * What a node's channels are to come to, and what a move out of one and into another brings it.
 *
 * Least squares: the sum of (ζ − t)² over its channels, t being ν or one half. A move of a from a channel of capacity c
 * with ζ − t = d into one of c' and d' lowers it by 2a(d/c − d'/c') − a²(1/c² + 1/c'²), most at a = (d/c − d'/c') /
 * (1/c² + 1/c'²). So a large channel helps a small one past t where that costs it next to nothing, and a channel far off
 * comes first.
 *
 * The band: how far ζ is from the band from 40 to 60 %, summed; whoever is in it gives and takes for nothing up to its
 * border. As sums of distances do, this brings some channels all the way rather than all of them a little.
 *
 * Either way every move lowers the node's own sum, so that no two of its moves undo one another.
 */
import { RUNGS_MSAT } from '../sharing/rungs.ts';

/** 1,000 sat, in millisatoshi, as in src/rebalance/choose.ts. */
export const MINIMUM = 1_000_000;
/** A little within the band, so that what is rounded stays in it. */
const BAND_FROM = 0.41;
/** Distances are compared beyond what doubles lose. */
const ROUNDING = 1e-9;
const RUNGS = RUNGS_MSAT.map(Number);

/** A directed channel as one end of a circle, seen from the node. */
export interface End {
  readonly edge: number;
  readonly zeta: number;
  /** Of the node. */
  readonly nu: number;
  /** One over the capacity, which is in millisatoshi. */
  readonly inverse: number;
}

export interface Aim {
  /** What a move must bring at least: without it nodes move next to nothing for ever. */
  readonly leastGain: number;
  /** How far above its target an end is. */
  lean(end: End): number;
  /** The best amount in rungs, in millisatoshi; 0 for none. */
  amount(out: End, home: End): number;
  gain(out: End, home: End, amount: number): number;
}

export function leastSquares(target: 'nu' | 'half'): Aim {
  const lean = ({ zeta, nu }: End) => zeta - (target === 'nu' ? nu : 0.5);
  const slope = (out: End, home: End) => lean(out) * out.inverse - lean(home) * home.inverse;
  const curve = (out: End, home: End) => out.inverse * out.inverse + home.inverse * home.inverse;
  return {
    leastGain: 1e-3,
    lean,
    amount: (out, home) => sizeOf(slope(out, home) / curve(out, home)),
    gain: (out, home, amount) => (2 * slope(out, home) - curve(out, home) * amount) * amount,
  };
}

export function intoBand(): Aim {
  const distance = (zeta: number) => Math.max(0, BAND_FROM - zeta, zeta - (1 - BAND_FROM));
  const gain = (out: End, home: End, amount: number) =>
    distance(out.zeta) -
    distance(out.zeta - amount * out.inverse) +
    distance(home.zeta) -
    distance(home.zeta + amount * home.inverse);
  return {
    leastGain: 1e-2,
    lean: ({ zeta }) => zeta - 0.5,
    amount: (out, home) => {
      // The sum has its corners, and so its least, where an end comes to a border.
      const corners = [
        (out.zeta - BAND_FROM) / out.inverse,
        (out.zeta - (1 - BAND_FROM)) / out.inverse,
        (BAND_FROM - home.zeta) / home.inverse,
        (1 - BAND_FROM - home.zeta) / home.inverse,
      ];
      let best = 0;
      for (const amount of corners.map(sizeOf)) {
        if (amount >= MINIMUM && gain(out, home, amount) > gain(out, home, best) + ROUNDING) best = amount;
      }
      return best;
    },
    gain,
  };
}

/** The largest rung up to an amount; below the lowest one the amount itself, in whole millisatoshi. */
export function sizeOf(amount: number): number {
  let size = Math.floor(amount);
  for (const rung of RUNGS) {
    if (rung > amount) break;
    size = rung;
  }
  return size;
}
