/**
 * Friends' gossip as a search reckons with it: each direction of a channel in doubles, beside what its other end asks,
 * and with a number, by which what else is known of it stands in arrays.
 *
 * Hazard: a search looks at a hundred thousand directions. To turn their bigints into doubles and to look each up by its
 * short channel id took more than all the rest. So what was made of a reading, which never changes, is kept as long as
 * the reading itself is; and once channels that are long gone may be most of those with numbers, all begins anew.
 */
import type { GossipChannel, GossipChannels } from '../sharing/ports.ts';
import type { ShortChannelId } from '../wire/short-channel-id.ts';
import { toNumber } from './fees.ts';

/** One direction of a channel; all amounts in millisatoshi. */
export interface Lane {
  readonly channel: GossipChannel;
  /** The same wherever the direction comes up, and another for the channel's other direction. */
  readonly number: number;
  readonly capacity: number;
  readonly minimum: number;
  /** Never above the capacity. */
  readonly maximum: number;
  readonly base: number;
  readonly ppm: number;
  /** How much more its source asks than the other end: base fee and rate. 0 where the other end's terms are not known. */
  readonly baseLead: number;
  readonly ppmLead: number;
}

interface Made {
  readonly back: GossipChannels;
  readonly lanes: readonly Lane[];
}

/** How many channels have numbers until all are given anew: four times those of the whole network. */
const MAX_NUMBERED = 200_000;

export class Lanes {
  readonly #numbers = new Map<ShortChannelId, number>();
  readonly #made = new WeakMap<GossipChannels, Made>();

  /**
   * The lanes of one friend in one direction.
   *
   * @param back the gossip on the same friend's channels the other way
   */
  of(channels: GossipChannels, back: GossipChannels): readonly Lane[] {
    const known = this.#made.get(channels);
    if (known?.back === back) return known.lanes;
    const lanes = Array.from(channels.values(), channel =>
      laneOf(channel, this.numberOf(channel), back.get(channel.shortChannelId)),
    );
    this.#made.set(channels, { back, lanes });
    return lanes;
  }

  /** The number of a direction, whoever told of it. */
  numberOf({ shortChannelId, direction }: GossipChannel): number {
    let number = this.#numbers.get(shortChannelId);
    if (number === undefined) {
      number = 2 * this.#numbers.size;
      this.#numbers.set(shortChannelId, number);
    }
    return number + direction;
  }

  /** Above all numbers that were given. */
  get size(): number {
    return 2 * this.#numbers.size;
  }
}

let current = new Lanes();

/** Those of all searches that begin now. Each keeps to its own: a later one may get others, with other numbers. */
export function lanesForSearch(): Lanes {
  if (current.size > 2 * MAX_NUMBERED) current = new Lanes();
  return current;
}

function laneOf(channel: GossipChannel, number: number, back: GossipChannel | undefined): Lane {
  const { capacityMsat, limits, terms } = channel;
  const capacity = toNumber(capacityMsat);
  const base = toNumber(terms.baseFeeMsat);
  const ppm = toNumber(terms.feePpm);
  return {
    channel,
    number,
    capacity,
    minimum: toNumber(limits.minimumMsat),
    maximum: Math.min(capacity, toNumber(limits.maximumMsat)),
    base,
    ppm,
    baseLead: back === undefined ? 0 : base - toNumber(back.terms.baseFeeMsat),
    ppmLead: back === undefined ? 0 : ppm - toNumber(back.terms.feePpm),
  };
}
