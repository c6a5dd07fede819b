/**
 * One node rebalances, with the plugin's own modules: it asks its friends, believes them, searches for circles, tries
 * the best, learns from what fails and tries again.
 *
 * Nothing of that is decided here. What lightningd would tell comes from the network's arrays; messages between nodes
 * go from the one's asker to the other's answerer, without the wire.
 */
import { findCircles } from '../circles/circles.ts';
import { feeLimit } from '../circles/fees.ts';
import type { Hope } from '../circles/hope.ts';
import { FINAL_DELAY } from '../circles/route.ts';
import type { CircleSearch, Exclusions, FriendGossip } from '../circles/types.ts';
import { Knowledge } from '../knowledge/knowledge.ts';
import { CircleFinder } from '../lightningd/circle-finder.ts';
import { AskAsNeeded } from '../rebalance/ask-as-needed.ts';
import { movableEnds } from '../rebalance/choose.ts';
import { type CircleSource, findMove } from '../rebalance/find-move.ts';
import { GaveUpError, Rebalancer } from '../rebalance/rebalancer.ts';
import { Asker } from '../sharing/asker.ts';
import { Breaches } from '../sharing/breaches.ts';
import { isEligible, sidesOf } from '../sharing/eligibility.ts';
import type { NodeView, OwnChannel } from '../sharing/node-view.ts';
import { PeerLog } from '../sharing/peer-log.ts';
import type { ChannelSource } from '../sharing/ports.ts';
import { SilentPeers } from '../sharing/silent-peers.ts';
import { forward, Ledger, SimulatedPayments } from './forwarding.ts';
import { viewOf } from './gossip.ts';
import { SimClock } from './sim-clock.ts';
import { CHAIN_HASH, type World } from './world.ts';

/**
 * How friends speak. `ideal`: truthfully, of this very moment, of the amount with its fees, without margin or limit.
 * `shipped`: as the plugin does by default: from a snapshot, in rungs, with margins, within budgets.
 */
export type Speech = 'ideal' | 'shipped';

/**
 * Who is asked, where friends speak as shipped. `as needed`: as `foafrebalance` asks. `all`: everybody was, both ways, by
 * `foafbalance`; the rebalance asks nobody whose word is fresh enough.
 */
export type Asks = 'as needed' | 'all';

export interface CaseInit {
  readonly node: number;
  /** What is to arrive. */
  readonly amountMsat: bigint;
  readonly maxFeePpm: bigint;
  readonly speech: Speech;
  readonly asks: Asks;
  /** How old friends' snapshots are when the first circle is searched for, in milliseconds. */
  readonly ageMs: number;
  readonly maxTries: number;
}

export interface SharingInit extends CaseInit {
  /** Which nodes answer. */
  readonly isSharing: (node: number) => boolean;
  /** Circles are tried by their fees alone, whatever their chance. @default false */
  readonly byFee?: boolean;
}

export interface CaseResult {
  readonly isComplete: boolean;
  readonly tries: number;
  /** Of the circle that was paid; 0 when none was. */
  readonly feeMsat: number;
  /** How many answers friends gave; a friend may give two, one for each direction. */
  readonly answers: number;
}

/** The plugin's defaults (docs/design, "options"). */
const MAX_DELAY = 500;
const CACHE_TTL_MS = 1_200_000;
/** How long a try takes until it has failed or arrived; balances move meanwhile. */
const TRY_MS = 3_000;
const ASK_TIMEOUT_MS = 5_000;
/** Longer than any case: it ends with its tries. */
const RETRY_FOR_MS = 86_400_000;

/** Whether there is anything that the plugin would move at all. */
export function canMove(world: World, node: number, amountMsat: bigint, maxFeePpm: bigint): boolean {
  const { outs, ins } = movableEnds(world.viewAtStart(node), { amountMsat, maxFeePpm });
  return outs.length > 0 && ins.length > 0;
}

/**
 * The fee of the cheapest circle that works, for who knows all balances; `undefined` when none does. Over all moves
 * that the plugin may choose from, its limits kept.
 */
export async function cheapestFee(world: World, init: CaseInit): Promise<number | undefined> {
  const { node, amountMsat, maxFeePpm } = init;
  const own = world.viewAtStart(node);
  const view = leaning(own, amountMsat, maxFeePpm);
  const friends = [...new Set(view.channels.map(({ peerId }) => peerId))];
  const gossip = new Map<string, FriendGossip>();
  for (const peerId of friends) {
    const [from, to] = [await world.gossip.read(peerId, 1), await world.gossip.read(peerId, 0)];
    gossip.set(peerId, { from, to });
  }
  const ledger = ledgerOf(world, init, () => init.ageMs);
  const search = await findCircles(
    {
      view,
      gossip,
      knowledge: {
        offer: () => undefined,
        failedMsat: ({ shortChannelId, direction }) =>
          BigInt(ledger.spendable(world.gossip.channelOf(shortChannelId), direction)) + 1n,
        odds: () => 1,
      },
    },
    { amountMsat, maxFeePpm, maxDelay: MAX_DELAY, limit: 1, failedTryCostMsat: 0n },
    { nowMs: () => 0, pause: () => Promise.resolve() },
  );
  const [best] = search.circles;
  return best === undefined ? undefined : Number(best.feeMsat);
}

/** Our channels with those peers alone that an amount may leave or come back by, each only that way. */
function leaning(view: NodeView, amountMsat: bigint, maxFeePpm: bigint): NodeView {
  const ends = movableEnds(view, { amountMsat, maxFeePpm });
  const [outs, ins] = [new Set(ends.outs), new Set(ends.ins)];
  const channels = view.channels.flatMap(channel => {
    if (outs.has(channel.peerId)) return [{ ...channel, receivableMsat: 0n }];
    return ins.has(channel.peerId) ? [{ ...channel, spendableMsat: 0n }] : [];
  });
  return { ...view, channels };
}

/** Our own channels stay as they are: only others' move. */
function ledgerOf({ network, balances }: World, { node }: CaseInit, nowMs: () => number): Ledger {
  const own = new Set(network.channelsOf(node));
  return new Ledger(network, channel => balances.at(channel, own.has(channel) ? 0 : nowMs()));
}

/** Runs one case from asking to success, or until nothing is left to try. */
export async function runCase(world: World, init: SharingInit): Promise<CaseResult> {
  const { network, gossip } = world;
  const { node, amountMsat, maxFeePpm } = init;
  const clock = new SimClock(init.ageMs);
  const ledger = ledgerOf(world, init, clock.monotonicMs);
  let own: NodeView | undefined;
  const friends = new Set(
    Array.from(network.channelsOf(node), channel => network.nodeId(network.peer(channel, node))),
  );
  const channels: ChannelSource = {
    read: async () => {
      own ??= viewOf(gossip, network, node, channel => ledger.balance(channel));
      return own;
    },
    isFriend: peerId => friends.has(peerId),
  };
  const knowledge = new Knowledge();
  const finder = new CircleFinder({
    channels,
    gossip,
    knowledge,
    clock,
    finalDelay: FINAL_DELAY,
    saidSinceMs: () => clock.monotonicMs() - CACHE_TTL_MS,
  });
  const source: CircleSource = init.byFee
    ? {
        view: () => finder.view(),
        find: (query, exclusions, hope) => finder.find({ ...query, failedTryCostMsat: 0n }, exclusions, hope),
      }
    : finder;
  const payments = new SimulatedPayments(hops => {
    const blamed = forward(network, gossip, ledger, hops);
    clock.advance(TRY_MS);
    own = undefined;
    return blamed;
  });
  let labels = 0;
  const rebalancer = new Rebalancer({
    payments,
    knowledge,
    clock,
    view: () => finder.view(),
    newLabel: () => `case-${++labels}`,
    log: () => {},
    onNews: () => {},
  });
  const friendship = { friends: [...friends].sort(), channels, clock, knowledge };
  const talk = new Talk(world, init, friendship);
  if (init.speech === 'ideal') await talk.tellTruth();
  else if (init.asks === 'all') await talk.askAll();
  const wish = { amountMsat, maxFeePpm, maxDelay: MAX_DELAY };
  const search = (exclusions: Exclusions, hope?: Hope) => findMove(source, wish, exclusions, hope);
  const asking = new AskAsNeeded({
    find: search,
    asker: talk.asker,
    clock,
    budgetMs: ASK_TIMEOUT_MS,
    progress: () => {},
  });
  let tries = 0;
  const find = async (exclusions: Exclusions): Promise<CircleSearch> => {
    if (tries++ >= init.maxTries) return { circles: [] };
    return init.speech === 'ideal' ? search(exclusions) : asking.find(exclusions);
  };
  const end = (isComplete: boolean, attempts: number, feeMsat: number): CaseResult => ({
    isComplete,
    tries: attempts,
    feeMsat,
    answers: talk.answers,
  });
  try {
    const { attempts, circle } = await rebalancer.rebalance(find, RETRY_FOR_MS, () => {});
    return end(true, attempts.length, Number(circle.feeMsat));
  } catch (error) {
    if (!(error instanceof GaveUpError)) throw error;
    return end(false, error.attempts.length, 0);
  }
}

interface Friendship {
  /** Node ids, sorted. */
  readonly friends: readonly string[];
  readonly channels: ChannelSource;
  readonly clock: SimClock;
  readonly knowledge: Knowledge;
}

/** The node's side of talking with its friends. Those that do not share have been silent before and are left alone. */
class Talk {
  readonly asker: Asker;
  answers = 0;
  readonly #world: World;
  readonly #init: SharingInit;
  readonly #friendship: Friendship;
  readonly #sharing: readonly string[];

  constructor(world: World, init: SharingInit, friendship: Friendship) {
    const { network } = world;
    const { friends, channels, clock, knowledge } = friendship;
    this.#world = world;
    this.#init = init;
    this.#friendship = friendship;
    this.#sharing = friends.filter(peerId => init.isSharing(network.numberOf(peerId)));
    const silentPeers = new SilentPeers();
    for (const peerId of friends) {
      if (this.#sharing.includes(peerId)) silentPeers.spoke(peerId);
      else silentPeers.wasSilent(peerId, clock.monotonicMs());
    }
    const us = network.nodeId(init.node);
    let queries = 0;
    const asker: Asker = new Asker({
      chainHash: CHAIN_HASH,
      channels,
      gossip: world.gossip,
      knowledge,
      silentPeers,
      peerLog: new PeerLog(),
      breaches: new Breaches(),
      onLearned: () => {},
      cacheTtlMs: () => CACHE_TTL_MS,
      // Every message to a friend is handed to that friend's answerer.
      send: async (peerId, message) => {
        if (message.name !== 'query_foaf_balances') return;
        const reply = await world.answerOf(network.numberOf(peerId), us, message);
        if (reply === undefined) return;
        this.answers++;
        await asker.onReply(peerId, reply);
      },
      clock,
      newQueryId: () => (++queries).toString(16).padStart(16, '0'),
    });
    this.asker = asker;
  }

  /** As `foafbalance` asks, both ways. */
  async askAll(): Promise<void> {
    const request = {
      amountMsat: this.#init.amountMsat,
      peers: this.#sharing,
      timeoutMs: ASK_TIMEOUT_MS,
      fresh: false,
    };
    await Promise.all([this.asker.ask({ ...request, flow: 1 }), this.asker.ask({ ...request, flow: 0 })]);
  }

  /** By the same rule without a margin, of the very amount with the most that its fees may be, as it is now. */
  async tellTruth(): Promise<void> {
    const { network, gossip, balances } = this.#world;
    const { clock, knowledge } = this.#friendship;
    const { node, amountMsat, maxFeePpm } = this.#init;
    const nowMs = clock.monotonicMs();
    const withFeesMsat = amountMsat + feeLimit(amountMsat, maxFeePpm);
    const us = network.nodeId(node);
    for (const peerId of this.#sharing) {
      const view = viewOf(gossip, network, network.numberOf(peerId), channel => balances.at(channel, nowMs));
      const sides = sidesOf(view, 0, () => 0n);
      for (const flow of [1, 0] as const) {
        const known = await gossip.read(peerId, flow);
        const isNamed = (channel: OwnChannel) =>
          channel.peerId !== us &&
          isEligible(channel, sides.get(channel.peerId), flow, withFeesMsat, view.blockHeight);
        const channels = view.channels.filter(isNamed).flatMap(({ shortChannelId }) => {
          const channel = shortChannelId === undefined ? undefined : known.get(shortChannelId);
          return channel === undefined ? [] : [channel];
        });
        const word = { flow, amountMsat: withFeesMsat, timestampMs: BigInt(clock.wallMs()), saidAtMs: nowMs };
        knowledge.learn(peerId, { ...word, channels });
        this.answers++;
      }
    }
  }
}
