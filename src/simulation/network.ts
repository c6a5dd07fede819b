/**
 * A whole network's public channels in arrays: nodes and channels by number, amounts in millisatoshi.
 *
 * Hazard: tens of thousands of channels are looked at millions of times. So amounts are doubles here, exact below 2^53
 * (90,000 BTC), as in the search for circles; what the plugin's own modules get are bigints all the same.
 *
 * Only channels whose both directions are active are in it: others carry nothing one way, and nobody can rebalance
 * over them.
 */
import { forwardingFeeNumber } from '../circles/fees.ts';
import type { ShortChannelId } from '../wire/short-channel-id.ts';

/** Direction 0 leads from the end whose id sorts first (BOLT 7) to the other one, direction 1 back. */
export type Direction = 0 | 1;

/** What one end of a channel asks for and lets through, all amounts in millisatoshi. */
export interface DirectionTerms {
  readonly baseFee: number;
  readonly feePpm: number;
  /** In blocks. */
  readonly cltvDelta: number;
  readonly htlcMinimum: number;
  readonly htlcMaximum: number;
}

/** A channel active in both directions. */
export interface ChannelRecord {
  readonly shortChannelId: ShortChannelId;
  /** The two ends' ids, the one that sorts first first. */
  readonly ends: readonly [string, string];
  /** In millisatoshi. */
  readonly capacity: number;
  /** By direction. */
  readonly terms: readonly [DirectionTerms, DirectionTerms];
}

const COLUMNS = { baseFee: 0, feePpm: 1, cltvDelta: 2, htlcMinimum: 3, htlcMaximum: 4 } as const;
const WIDTH = 5;

export class Network {
  readonly nodeIds: readonly string[];
  readonly shortChannelIds: readonly ShortChannelId[];
  readonly #numbers: ReadonlyMap<string, number>;
  /** Two per channel. */
  readonly #ends: Int32Array;
  readonly #capacities: Float64Array;
  /** `WIDTH` per direction, two directions per channel. */
  readonly #terms: Float64Array;
  /** Where each node's channels begin in `#incident`; one more than nodes. */
  readonly #offsets: Int32Array;
  readonly #incident: Int32Array;

  /** Nodes are numbered by their ids' order, channels by their short channel ids'. */
  constructor(records: readonly ChannelRecord[]) {
    const channels = [...records].sort((a, b) => (a.shortChannelId < b.shortChannelId ? -1 : 1));
    this.nodeIds = [...new Set(channels.flatMap(({ ends }) => ends))].sort();
    this.#numbers = new Map(this.nodeIds.map((id, number) => [id, number]));
    this.shortChannelIds = channels.map(({ shortChannelId }) => shortChannelId);
    this.#ends = Int32Array.from(channels.flatMap(({ ends }) => ends.map(id => this.numberOf(id))));
    this.#capacities = Float64Array.from(channels, ({ capacity }) => capacity);
    this.#terms = Float64Array.from(
      channels.flatMap(({ terms }) =>
        terms.flatMap(one => [one.baseFee, one.feePpm, one.cltvDelta, one.htlcMinimum, one.htlcMaximum]),
      ),
    );
    this.#offsets = new Int32Array(this.nodeCount + 1);
    for (const node of this.#ends) this.#offsets[node + 1] = at(this.#offsets, node + 1) + 1;
    for (let node = 0; node < this.nodeCount; node++) {
      this.#offsets[node + 1] = at(this.#offsets, node + 1) + at(this.#offsets, node);
    }
    this.#incident = new Int32Array(this.#ends.length);
    const next = this.#offsets.slice();
    for (const [index, node] of this.#ends.entries()) {
      const place = at(next, node);
      this.#incident[place] = index >> 1;
      next[node] = place + 1;
    }
  }

  get nodeCount(): number {
    return this.nodeIds.length;
  }

  get channelCount(): number {
    return this.shortChannelIds.length;
  }

  /** @throws RangeError when there is no such node */
  numberOf(nodeId: string): number {
    const number = this.#numbers.get(nodeId);
    if (number === undefined) throw new RangeError(`no node ${nodeId} in the network`);
    return number;
  }

  nodeId(node: number): string {
    const id = this.nodeIds[node];
    if (id === undefined) throw new RangeError(`no node ${node}`);
    return id;
  }

  shortChannelId(channel: number): ShortChannelId {
    const id = this.shortChannelIds[channel];
    if (id === undefined) throw new RangeError(`no channel ${channel}`);
    return id;
  }

  /** The end from which `direction` leads. */
  source(channel: number, direction: Direction): number {
    return at(this.#ends, 2 * channel + direction);
  }

  destination(channel: number, direction: Direction): number {
    return at(this.#ends, 2 * channel + 1 - direction);
  }

  /** The other end than `node`. */
  peer(channel: number, node: number): number {
    return this.destination(channel, this.directionFrom(channel, node));
  }

  /** The direction that leads away from `node`, which is an end of the channel. */
  directionFrom(channel: number, node: number): Direction {
    return at(this.#ends, 2 * channel) === node ? 0 : 1;
  }

  /** In millisatoshi. */
  capacity(channel: number): number {
    return at(this.#capacities, channel);
  }

  /** In millisatoshi; charged by the source. */
  baseFee(channel: number, direction: Direction): number {
    return this.#term(channel, direction, COLUMNS.baseFee);
  }

  feePpm(channel: number, direction: Direction): number {
    return this.#term(channel, direction, COLUMNS.feePpm);
  }

  /** In blocks. */
  cltvDelta(channel: number, direction: Direction): number {
    return this.#term(channel, direction, COLUMNS.cltvDelta);
  }

  htlcMinimum(channel: number, direction: Direction): number {
    return this.#term(channel, direction, COLUMNS.htlcMinimum);
  }

  htlcMaximum(channel: number, direction: Direction): number {
    return this.#term(channel, direction, COLUMNS.htlcMaximum);
  }

  /** What the source keeps of what it forwards, exactly. */
  feeAt(channel: number, direction: Direction, amount: number): number {
    return forwardingFeeNumber(this.baseFee(channel, direction), this.feePpm(channel, direction), amount);
  }

  /** A node's channels, by short channel id; not to be written to. */
  channelsOf(node: number): Int32Array {
    return this.#incident.subarray(at(this.#offsets, node), at(this.#offsets, node + 1));
  }

  degree(node: number): number {
    return at(this.#offsets, node + 1) - at(this.#offsets, node);
  }

  record(channel: number): ChannelRecord {
    const terms = (direction: Direction): DirectionTerms => ({
      baseFee: this.baseFee(channel, direction),
      feePpm: this.feePpm(channel, direction),
      cltvDelta: this.cltvDelta(channel, direction),
      htlcMinimum: this.htlcMinimum(channel, direction),
      htlcMaximum: this.htlcMaximum(channel, direction),
    });
    return {
      shortChannelId: this.shortChannelId(channel),
      ends: [this.nodeId(this.source(channel, 0)), this.nodeId(this.source(channel, 1))],
      capacity: this.capacity(channel),
      terms: [terms(0), terms(1)],
    };
  }

  #term(channel: number, direction: Direction, column: number): number {
    return at(this.#terms, (2 * channel + direction) * WIDTH + column);
  }
}

/** An element that is there. */
export function at(array: Int32Array | Float64Array | Uint8Array, index: number): number {
  const value = array[index];
  if (value === undefined) throw new RangeError(`no element ${index}`);
  return value;
}
