/**
 * Brings together what a search for circles needs: our channels as they are now, the gossip on our friends, and what
 * they told us.
 *
 * Hazard: on a large node this is tens of thousands of channels. Gossip is read for a few friends at a time, and other
 * work gets its turn in between.
 */
import { setImmediate } from 'node:timers/promises';
import { findCircles } from '../circles/circles.ts';
import { toNumber } from '../circles/fees.ts';
import { type Hope, hopeful } from '../circles/hope.ts';
import { type Lanes, lanesForSearch } from '../circles/lanes.ts';
import { type Breaks, Pace } from '../circles/pace.ts';
import type {
  CircleQuery,
  CircleSearch,
  Exclusions,
  FriendGossip,
  HopKnowledge,
  HopOffer,
  MissingReason,
} from '../circles/types.ts';
import { dearOdds, tallyOf, type WearTally, wornOdds } from '../circles/wear.ts';
import type { Knowledge, Word } from '../knowledge/knowledge.ts';
import type { NodeView } from '../sharing/node-view.ts';
import type { ChannelSource, Clock, GossipChannel, GossipSource } from '../sharing/ports.ts';

/** How many friends' gossip is read at once. */
const READ_AT_ONCE = 4;
/** Balances older than this are read again: circles are judged by them. */
const VIEW_MAX_AGE_MS = 1_000;

/** What is missing by our own channels alone. */
const OF_OUR_OWN: ReadonlySet<MissingReason> = new Set(['no_out_channel', 'no_in_channel']);

export interface CircleFinderInit {
  readonly channels: ChannelSource;
  readonly gossip: GossipSource;
  readonly knowledge: Knowledge;
  readonly clock: Clock;
  /** Blocks that the last HTLC of a circle has left. */
  readonly finalDelay: number;
  /** The monotonic time from which word still counts. */
  readonly saidSinceMs: () => number;
}

export const NOTHING_EXCLUDED: Exclusions = { peers: new Set(), channels: new Set() };

export class CircleFinder {
  /** Others get their turn in between. */
  readonly breaks: Breaks;
  readonly #init: CircleFinderInit;
  /** Of each answer; it holds as long as the answer does. */
  readonly #tallies = new WeakMap<Word, WearTally>();

  constructor(init: CircleFinderInit) {
    this.#init = init;
    this.breaks = { nowMs: init.clock.monotonicMs, pause: () => setImmediate() };
  }

  /** Our own channels, not older than a second. Rejects when lightningd cannot be asked. */
  view(): Promise<NodeView> {
    return this.#init.channels.read(VIEW_MAX_AGE_MS);
  }

  /**
   * The best circles, or what was missing. Rejects when lightningd cannot be asked.
   *
   * Nothing tells when a peer's terms for a new channel arrive, and without them nothing comes in there: before none of our
   * own channels is said to do, they are read anew.
   */
  async find(
    query: CircleQuery,
    exclusions: Exclusions = NOTHING_EXCLUDED,
    hope?: Hope,
  ): Promise<CircleSearch> {
    const search = await this.#search(query, exclusions, hope, await this.view());
    if (!search.missing?.reasons.some(reason => OF_OUR_OWN.has(reason))) return search;
    return this.#search(query, exclusions, hope, await this.#init.channels.read(0));
  }

  async #search(
    query: CircleQuery,
    { peers, channels }: Exclusions,
    hope: Hope | undefined,
    view: NodeView,
  ): Promise<CircleSearch> {
    const own = view.channels.filter(
      ({ peerId, shortChannelId }) =>
        !peers.has(peerId) && (shortChannelId === undefined || !channels.has(shortChannelId)),
    );
    const friends = new Set(own.filter(channel => channel.usable).map(channel => channel.peerId));
    const gossip = await this.#gossipOn([...friends]);
    const known = await this.#knowledge(gossip, { peers, channels }, view.nodeId, toNumber(query.amountMsat));
    const reliability = (peerId: string) => this.#init.knowledge.records.reliability(peerId);
    const { amountMsat } = query;
    const knowledge = hope === undefined ? known : hopeful(known, { friends, amountMsat, hope, reliability });
    const sources = { view: { ...view, channels: own }, gossip, knowledge };
    return findCircles(sources, { finalDelay: this.#init.finalDelay, ...query }, this.breaks);
  }

  async #gossipOn(friends: readonly string[]): Promise<ReadonlyMap<string, FriendGossip>> {
    const { gossip } = this.#init;
    const known = new Map<string, FriendGossip>();
    for (let from = 0; from < friends.length; from += READ_AT_ONCE) {
      const some = friends.slice(from, from + READ_AT_ONCE);
      const read = await Promise.all(
        some.map(async peerId => ({
          peerId,
          from: await gossip.read(peerId, 1),
          to: await gossip.read(peerId, 0),
        })),
      );
      for (const { peerId, ...both } of read) known.set(peerId, both);
    }
    return known;
  }

  async #knowledge(
    gossip: ReadonlyMap<string, FriendGossip>,
    { peers, channels }: Exclusions,
    nodeId: string,
    amount: number,
  ): Promise<HopKnowledge> {
    const { knowledge, saidSinceMs } = this.#init;
    const sinceMs = saidSinceMs();
    const pace = new Pace(this.breaks);
    const lanes = lanesForSearch();
    const offers = new Array<HopOffer | undefined>(lanes.size);
    // A friend's offers follow each other, most of them for the same amount.
    let last: (HopOffer & { readonly peerId: string }) | undefined;
    for (const { channel, peerId, amountMsat } of knowledge.offers(sinceMs)) {
      if (pace.due()) await pace.rest();
      const number = lanes.numberOf(channel);
      const before = offers[number];
      if (before !== undefined && before.amountMsat >= amountMsat) continue;
      if (last?.peerId !== peerId || last.amountMsat !== amountMsat)
        last = { peerId, amountMsat, reliability: knowledge.records.reliability(peerId) };
      offers[number] = last;
    }
    const odds = await this.#dearOdds(gossip, lanes, nodeId, amount, sinceMs, pace);
    // Also in the middle of a circle: whoever held one HTLC may hold the next.
    const isExcluded = ({ shortChannelId, source, destination }: GossipChannel) =>
      // Mostly there are none, and a search asks for each of its hops.
      (channels.size > 0 && channels.has(shortChannelId)) ||
      (peers.size > 0 && (peers.has(source) || peers.has(destination)));
    return {
      lanes,
      // What failed just now is not tried again, though less than that may be offered there.
      offer: (channel, number = lanes.numberOf(channel)) =>
        isExcluded(channel) ? undefined : offers[number],
      failedMsat: channel => {
        if (isExcluded(channel)) return 0n;
        const failedMsat = knowledge.leastFailedMsat(channel, sinceMs);
        if (failedMsat === undefined) return undefined;
        // An offer of as much that stands was made after the failure.
        return (offers[lanes.numberOf(channel)]?.amountMsat ?? 0n) >= failedMsat ? undefined : failedMsat;
      },
      odds: lane => (odds === 1 ? 1 : wornOdds(lane, amount, odds)),
    };
  }

  /** What all answers that still count tell of dear and cheap channels. Each is counted once. */
  async #dearOdds(
    gossip: ReadonlyMap<string, FriendGossip>,
    lanes: Lanes,
    nodeId: string,
    amount: number,
    sinceMs: number,
    pace: Pace,
  ): Promise<number> {
    const { knowledge } = this.#init;
    const answers = new Map<string, WearTally[]>();
    for (const [peerId, word] of knowledge.said(sinceMs)) {
      // Of a smaller rung's answer less can be proven false: it says too little of this amount.
      if (toNumber(word.amountMsat) < amount) continue;
      const tally = this.#tallies.get(word) ?? this.#tallyOf(word, gossip.get(peerId), lanes, nodeId);
      if (tally === undefined) continue;
      if (pace.dueNow()) await pace.rest();
      // What none of its channels could have carried tells nothing.
      if (Object.values(tally).every(count => count === 0)) continue;
      const others = answers.get(peerId);
      if (others === undefined) answers.set(peerId, [tally]);
      else others.push(tally);
    }
    const shares = [...answers].flatMap(([peerId, tallies]) => {
      const share = knowledge.records.reliability(peerId) / tallies.length;
      return tallies.map(tally => [tally, share] as const);
    });
    return dearOdds(shares);
  }

  /** Of a friend whose gossip was not read, since it is left out, nothing can be counted that was not before. */
  #tallyOf(
    word: Word,
    gossip: FriendGossip | undefined,
    lanes: Lanes,
    nodeId: string,
  ): WearTally | undefined {
    if (gossip === undefined) return undefined;
    const { from, to } = gossip;
    const asked = word.flow === 1 ? lanes.of(from, to) : lanes.of(to, from);
    const isOwn = ({ source, destination }: GossipChannel) => source === nodeId || destination === nodeId;
    const tally = tallyOf(word.channels, asked, word.amountMsat, isOwn);
    this.#tallies.set(word, tally);
    return tally;
  }
}
