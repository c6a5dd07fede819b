/** Random small networks around us, for properties; and the forwarding that every node in them does by itself. */
import fc from 'fast-check';
import type { CircleQuery, CircleSources, FriendGossip, RouteHop } from '../../src/circles/types.ts';
import type { ForwardingTerms, HtlcLimits, OwnChannel } from '../../src/sharing/node-view.ts';
import type { GossipChannel } from '../../src/sharing/ports.ts';
import { formatShortChannelId, type ShortChannelId } from '../../src/wire/short-channel-id.ts';
import { nodeId, scid, US, view } from '../sharing/world.ts';

/** What one end of a channel says and what is known of its direction. */
export interface End {
  readonly active: boolean;
  readonly limits: HtlcLimits;
  readonly terms: ForwardingTerms;
  readonly offer: { readonly amountMsat: bigint; readonly reliability: number } | undefined;
  readonly failedMsat: bigint | undefined;
  readonly odds: number;
}

/** A channel between two others; `ends[0]` is that of `a`. */
export interface Link {
  readonly shortChannelId: ShortChannelId;
  readonly a: number;
  readonly b: number;
  readonly capacityMsat: bigint;
  readonly ends: readonly [End, End];
}

export interface Network {
  readonly own: readonly OwnChannel[];
  readonly links: readonly Link[];
}

const NODES = 4;
const amounts = (min: number, max: number) => fc.integer({ min, max }).map(BigInt);

const terms: fc.Arbitrary<ForwardingTerms> = fc.record({
  baseFeeMsat: fc.constantFrom(0n, 1n, 999n, 1000n),
  feePpm: fc.constantFrom(0n, 0n, 1n, 333n, 5000n, 100_000n),
  cltvExpiryDelta: fc.constantFrom(0, 6, 34, 40, 144),
});

// Around the amounts of the queries, so that fees decide whether something fits.
const limits: fc.Arbitrary<HtlcLimits> = fc.record({
  minimumMsat: fc.oneof({ weight: 9, arbitrary: fc.constant(0n) }, amounts(990_000, 1_020_000)),
  maximumMsat: fc.oneof({ weight: 9, arbitrary: fc.constant(9_000_000n) }, amounts(990_000, 1_100_000)),
});

const end: fc.Arbitrary<End> = fc.record({
  active: fc.integer({ min: 0, max: 9 }).map(n => n > 0),
  limits,
  terms,
  offer: fc.option(
    fc.record({
      amountMsat: amounts(900_000, 1_100_000),
      reliability: fc.constantFrom(0, 0.5, 0.9, 1),
    }),
    { nil: undefined },
  ),
  failedMsat: fc.oneof({ weight: 7, arbitrary: fc.constant(undefined) }, amounts(900_000, 2_000_000)),
  odds: fc.constantFrom(1, 1, 0.25, 0.7, 4),
});

const link = fc.record({
  a: fc.integer({ min: 1, max: NODES }),
  b: fc.integer({ min: 1, max: NODES }),
  capacityMsat: fc.oneof(
    { weight: 3, arbitrary: amounts(1_000_000, 9_000_000) },
    amounts(990_000, 1_050_000),
  ),
  ends: fc.tuple(end, end),
});

const ownChannel = fc.record({
  peer: fc.integer({ min: 1, max: NODES }),
  ours: fc.oneof(amounts(0, 9_000_000), amounts(990_000, 1_100_000)),
  theirs: fc.oneof(amounts(0, 9_000_000), amounts(990_000, 1_100_000)),
  remoteTerms: fc.option(terms, { nil: undefined, freq: 20 }),
  localLimits: fc.option(limits, { nil: undefined, freq: 20 }),
  remoteLimits: fc.option(limits, { nil: undefined, freq: 20 }),
  usable: fc.integer({ min: 0, max: 9 }).map(n => n > 0),
  isPublic: fc.integer({ min: 0, max: 9 }).map(n => n > 0),
});

export const anyNetwork: fc.Arbitrary<Network> = fc
  .tuple(
    fc.array(ownChannel, { minLength: 4, maxLength: 8 }),
    fc.array(link, { minLength: 6, maxLength: 24 }),
  )
  .map(([own, links]) => ({
    own: own.map(
      ({ peer, ours, theirs, ...rest }, index): OwnChannel => ({
        ...rest,
        peerId: nodeId(peer),
        shortChannelId: scid(`900x${index}x0`),
        state: 'normal',
        peerConnected: rest.usable,
        toUsMsat: ours,
        totalMsat: ours + theirs,
        spendableMsat: ours,
        receivableMsat: theirs,
      }),
    ),
    links: links
      .filter(({ a, b }) => a !== b)
      .map((each, index) => ({ ...each, shortChannelId: scid(`500x${index}x0`) })),
  }));

/** With the limits that bind as often as not. */
export const anyQuery: fc.Arbitrary<CircleQuery> = fc.record({
  amountMsat: fc.constantFrom(1_000_000n, 999_999n, 1_000_001n),
  maxFeePpm: fc.constantFrom(0n, 1000n, 10_000n, 1_000_000n, 1_000_000n),
  maxDelay: fc.constantFrom(80, 120, 200, 2016, 2016),
  limit: fc.constantFrom(1, 2, 3, 50),
  finalDelay: fc.constantFrom(18, 40),
  failedTryCostMsat: fc.constantFrom(0n, 1n, 1000n, 1_000_000n),
});

/** One direction as gossip; `from` is the end that forwards. */
export function directionOf({ shortChannelId, a, b, capacityMsat, ends }: Link, from: 0 | 1): GossipChannel {
  const [source, destination] = from === 0 ? [nodeId(a), nodeId(b)] : [nodeId(b), nodeId(a)];
  const { active, limits: htlcLimits, terms: asked } = ends[from];
  const direction = source < destination ? 0 : 1;
  return {
    shortChannelId,
    source,
    destination,
    direction,
    active,
    capacityMsat,
    limits: htlcLimits,
    terms: asked,
  };
}

/** @param shuffled what gives each list and map its order; that of the network when left out */
export function sourcesOf(
  { own, links }: Network,
  shuffled: <T>(items: readonly T[]) => readonly T[] = items => items,
): CircleSources {
  const directions = links.flatMap(each => [directionOf(each, 0), directionOf(each, 1)]);
  const ends = new Map<string, End>();
  for (const { shortChannelId, a, b, ends: both } of links) {
    const lower = a < b ? 0 : 1;
    ends.set(`${shortChannelId}/0`, both[lower]);
    ends.set(`${shortChannelId}/1`, both[1 - lower === 0 ? 0 : 1]);
  }
  const mapOf = (channels: readonly GossipChannel[]) =>
    new Map(shuffled(channels).map(channel => [channel.shortChannelId, channel]));
  const gossip = new Map<string, FriendGossip>();
  for (const friend of shuffled([...new Set(own.map(({ peerId }) => peerId))])) {
    gossip.set(friend, {
      from: mapOf(directions.filter(({ source }) => source === friend)),
      to: mapOf(directions.filter(({ destination }) => destination === friend)),
    });
  }
  return {
    view: view(shuffled(own)),
    gossip,
    knowledge: {
      offer: ({ shortChannelId, direction }) => ends.get(`${shortChannelId}/${direction}`)?.offer,
      failedMsat: ({ shortChannelId, direction }) => ends.get(`${shortChannelId}/${direction}`)?.failedMsat,
      odds: ({ channel: { shortChannelId, direction } }) =>
        ends.get(`${shortChannelId}/${direction}`)?.odds ?? 1,
    },
  };
}

/** A network whose channels hold balances: `name/direction` to what can flow that way. */
export class Balances {
  readonly #balances = new Map<string, bigint>();
  readonly #network: Network;

  constructor(network: Network) {
    this.#network = network;
    for (const { shortChannelId, a, b, capacityMsat } of network.links) {
      // Each side can pay some amounts and not others.
      const lower = (capacityMsat * BigInt((a * 7 + b * 3) % 10)) / 9n;
      this.#balances.set(keyOf(shortChannelId, 0), lower);
      this.#balances.set(keyOf(shortChannelId, 1), capacityMsat - lower);
    }
    for (const { shortChannelId, peerId, spendableMsat, receivableMsat } of network.own) {
      if (shortChannelId === undefined) continue;
      const ours = US < peerId ? 0 : 1;
      this.#balances.set(keyOf(shortChannelId, ours), spendableMsat);
      this.#balances.set(keyOf(shortChannelId, ours === 0 ? 1 : 0), receivableMsat);
    }
  }

  totals(): ReadonlyMap<string, bigint> {
    const totals = new Map<string, bigint>();
    for (const [key, balance] of this.#balances) {
      const channel = key.slice(0, -2);
      totals.set(channel, (totals.get(channel) ?? 0n) + balance);
    }
    return totals;
  }

  of({ shortChannelId, direction }: RouteHop): bigint {
    return this.#balances.get(keyOf(shortChannelId, direction)) ?? 0n;
  }

  /**
   * Sends along a route as nodes do, each by its own rules alone.
   *
   * @returns why a node refused, or what each node kept
   */
  send(hops: readonly RouteHop[]): { refused: string } | { kept: bigint[] } {
    const kept: bigint[] = [];
    let before: RouteHop | undefined;
    let holder = US;
    for (const hop of hops) {
      const rules = this.#rules(holder, hop);
      if (rules === undefined) return { refused: `${holder} has no such channel` };
      if (hop.amountMsat < rules.limits.minimumMsat) return { refused: 'below the minimum' };
      if (hop.amountMsat > rules.limits.maximumMsat) return { refused: 'above the maximum' };
      if (before !== undefined) {
        const { baseFeeMsat, feePpm, cltvExpiryDelta } = rules.terms;
        const fee = baseFeeMsat + (hop.amountMsat * feePpm) / 1_000_000n;
        if (before.amountMsat - hop.amountMsat < fee) return { refused: 'fee_insufficient' };
        if (before.delay - hop.delay < cltvExpiryDelta) return { refused: 'incorrect_cltv_expiry' };
        kept.push(before.amountMsat - hop.amountMsat - fee);
      }
      before = hop;
      holder = hop.id;
    }
    if (hops.some(hop => this.of(hop) < hop.amountMsat)) return { refused: 'temporary_channel_failure' };
    for (const hop of hops) {
      const back: RouteHop = { ...hop, direction: hop.direction === 0 ? 1 : 0 };
      this.#balances.set(keyOf(hop.shortChannelId, hop.direction), this.of(hop) - hop.amountMsat);
      this.#balances.set(keyOf(back.shortChannelId, back.direction), this.of(back) + hop.amountMsat);
    }
    return { kept };
  }

  /** What applies when `holder` sends on over that hop. */
  #rules(
    holder: string,
    { shortChannelId, id, direction }: RouteHop,
  ): { limits: HtlcLimits; terms: ForwardingTerms } | undefined {
    const own = this.#network.own.find(channel => channel.shortChannelId === shortChannelId);
    if (own !== undefined) {
      if (holder === US && id === own.peerId && own.usable && own.localLimits !== undefined)
        return { limits: own.localLimits, terms: { baseFeeMsat: 0n, feePpm: 0n, cltvExpiryDelta: 0 } };
      if (holder !== own.peerId || id !== US || !own.usable) return undefined;
      return own.remoteLimits && own.remoteTerms && { limits: own.remoteLimits, terms: own.remoteTerms };
    }
    const found = this.#network.links.find(channel => channel.shortChannelId === shortChannelId);
    if (found === undefined) return undefined;
    const sent = directionOf(found, nodeId(found.a) === holder ? 0 : 1);
    return sent.source === holder && sent.destination === id && sent.active && sent.direction === direction
      ? sent
      : undefined;
  }
}

function keyOf(shortChannelId: ShortChannelId, direction: 0 | 1): string {
  return `${formatShortChannelId(shortChannelId)}/${direction}`;
}

/** Never a pause, however long it takes. */
export const NO_BREAKS = { nowMs: () => 0, pause: () => Promise.resolve() };
