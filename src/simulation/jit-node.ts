/**
 * A node with just-in-time routing: the plugin's own modules on both sides of the port between its two processes.
 *
 * Hazard: nothing is decided here. What lightningd would tell comes from the network's ledger, what notifications would
 * tell from whoever carries the HTLCs, and a circle is a payment like any other, which other nodes may hold.
 */
import { FINAL_DELAY } from '../circles/route.ts';
import type { CircleSearch, Exclusions, RouteHop } from '../circles/types.ts';
import { ChannelBook } from '../jit/channel-book.ts';
import { Earnings } from '../jit/earnings.ts';
import { Filler } from '../jit/filler.ts';
import { type Decision, type JitSettings, JustInTime } from '../jit/just-in-time.ts';
import { type Allowances, Ledger as JitLedger } from '../jit/ledger.ts';
import type { Fill, FillOutcome, FoundCircle, NoCircle } from '../jit/ports.ts';
import type { Forward, JitChannel } from '../jit/types.ts';
import { Knowledge } from '../knowledge/knowledge.ts';
import { CircleFinder } from '../lightningd/circle-finder.ts';
import { findMove } from '../rebalance/find-move.ts';
import type { Blamed } from '../rebalance/ports.ts';
import { GaveUpError, Rebalancer } from '../rebalance/rebalancer.ts';
import { Asker } from '../sharing/asker.ts';
import { Breaches } from '../sharing/breaches.ts';
import type { NodeView } from '../sharing/node-view.ts';
import { PeerLog } from '../sharing/peer-log.ts';
import type { ChannelSource } from '../sharing/ports.ts';
import { rungFor } from '../sharing/rungs.ts';
import { SilentPeers } from '../sharing/silent-peers.ts';
import type { FoafQuery, FoafReply } from '../wire/codec.ts';
import { formatShortChannelId, parseShortChannelId } from '../wire/short-channel-id.ts';
import { type Ledger, SimulatedPayments } from './forwarding.ts';
import { type NetworkGossip, reserveOf, sideOf } from './gossip.ts';
import type { Network } from './network.ts';
import type { SimClock } from './sim-clock.ts';
import { CHAIN_HASH } from './world.ts';

/** The plugins' defaults (src/lightningd/options.ts, jit-options.ts). */
const MAX_DELAY = 500;
const CACHE_TTL_MS = 1_200_000;
const HOLD_MS = 4_000;
export const ALLOWANCES: Allowances = { perChannelMsat: 100_000n, totalMsat: 100_000n };
/** All channels are read again after this (src/lightningd/jit-host.ts). */
const READ_ALL_MS = 600_000;
/** As many as are enough for a channel's forwards to be counted on (src/jit/earnings.ts). */
const ENOUGH_SEEN = 20;
const DAY_MS = 86_400_000;
const SECOND_MS = 1000;

/** What the nodes have in common. */
export interface Surroundings {
  readonly network: Network;
  readonly gossip: NetworkGossip;
  readonly ledger: Ledger;
  readonly clock: SimClock;
  readonly mode: JitSettings['mode'];
  /** Whether channels' forwards are known to settle from the beginning on. */
  readonly isSeasoned: boolean;
  readonly newHash: () => string;
  /** A node's channels, read at most so long ago. */
  view(node: number, maxAgeMs: number): NodeView;
  /** Those peers of a node that answer. */
  friendsOf(node: number): readonly string[];
  /** Puts a question to a friend. */
  ask(friend: string, asker: JitNode, query: FoafQuery): Promise<void>;
  /** Sends a payment. */
  carry(hops: readonly RouteHop[], paymentHash: string): Promise<Blamed | undefined>;
}

/** A circle that was paid. */
export interface PaidCircle {
  readonly feeMsat: bigint;
  /** What it was booked at before. */
  readonly bookedMsat: bigint;
}

export class JitNode {
  readonly id: string;
  readonly jit: JustInTime;
  readonly earnings = new Earnings();
  readonly budget: JitLedger;
  readonly circles: PaidCircle[] = [];
  readonly #in: Surroundings;
  readonly #node: number;
  readonly #book = new ChannelBook();
  readonly #knowledge = new Knowledge();
  readonly #asker: Asker;
  readonly #finder: CircleFinder;
  readonly #rebalancer: Rebalancer;
  #readAtMs = Number.NEGATIVE_INFINITY;
  #made = 0;

  constructor(surroundings: Surroundings, node: number) {
    const { network, gossip, clock, mode } = surroundings;
    this.#in = surroundings;
    this.#node = node;
    this.id = network.nodeId(node);
    const knowledge = this.#knowledge;
    const channels: ChannelSource = {
      read: async maxAgeMs => surroundings.view(node, maxAgeMs),
      isFriend: () => true,
    };
    this.#asker = new Asker({
      chainHash: CHAIN_HASH,
      channels,
      gossip,
      knowledge,
      silentPeers: new SilentPeers(),
      peerLog: new PeerLog(),
      breaches: new Breaches(),
      onLearned: () => {},
      cacheTtlMs: () => CACHE_TTL_MS,
      send: async (peerId, message) => {
        if (message.name === 'query_foaf_balances') await surroundings.ask(peerId, this, message);
      },
      clock,
      newQueryId: () => this.#newId(),
    });
    const saidSinceMs = () => clock.monotonicMs() - CACHE_TTL_MS;
    this.#finder = new CircleFinder({
      channels,
      gossip,
      knowledge,
      clock,
      finalDelay: FINAL_DELAY,
      saidSinceMs,
    });
    this.#rebalancer = new Rebalancer({
      payments: new SimulatedPayments((hops, paymentHash) => {
        this.jit.ownInvoice(paymentHash);
        return surroundings.carry(hops, paymentHash);
      }, surroundings.newHash),
      knowledge,
      clock,
      view: () => channels.read(0),
      newLabel: () => this.#newId(),
      log: () => {},
      onNews: () => {},
    });
    if (surroundings.isSeasoned) this.#season();
    this.budget = new JitLedger(this.earnings, () => ALLOWANCES, clock);
    const { earnings } = this;
    const book = this.#book;
    const filler = new Filler({
      book,
      earnings,
      ledger: this.budget,
      isLedgerReady: () => true,
      bookings: { write: async () => {}, remove: async () => {} },
      circles: {
        find: fill => this.#find(fill),
        perform: (fill, outPeerId, retryForMs) => this.#perform(fill, outPeerId, retryForMs),
      },
      clock,
      newId: () => this.#newId(),
      log: () => {},
    });
    this.jit = new JustInTime({
      settings: () => ({ mode, holdMs: HOLD_MS }),
      book,
      earnings,
      filler,
      node: { readPeer: async peerId => this.#read(peerId), denied: async () => new Set() },
      clock,
      log: () => {},
    });
  }

  /** As if so many forwards over each channel had settled today, at no fee: no budget comes of it. */
  #season(): void {
    const { network, clock } = this.#in;
    const day = Math.floor(clock.wallMs() / DAY_MS);
    const settled = { day, earnedMsat: 0n, settled: ENOUGH_SEEN, failed: 0 };
    const names = Array.from(network.channelsOf(this.#node), channel => nameOf(network, channel));
    this.earnings.restore(names.map(channel => ({ channel, ...settled })));
  }

  /** An HTLC that lightningd is about to send on. */
  decide(forward: Forward): Decision | undefined | Promise<Decision | undefined> {
    const { clock } = this.#in;
    if (clock.monotonicMs() - this.#readAtMs >= READ_ALL_MS) this.#read();
    let end = () => {};
    const hold = {
      isOver: false,
      over: new Promise<void>(resolve => {
        end = resolve;
      }),
    };
    const stop = clock.after(HOLD_MS, () => {
      hold.isOver = true;
      end();
    });
    const decision = this.jit.decide(forward, hold);
    if (decision instanceof Promise) return decision.finally(stop);
    stop();
    return decision;
  }

  /** Money has come in for good. */
  credited(channel: number, amountMsat: bigint): void {
    this.#book.came(channelIdOf(channel), amountMsat);
    this.jit.arrived(channelIdOf(channel));
  }

  /** A payment of our own has left for good. */
  debited(channel: number, amountMsat: bigint): void {
    this.#book.left(channelIdOf(channel), amountMsat);
  }

  /** A friend says something. */
  async hear(friend: string, reply: FoafReply): Promise<void> {
    await this.#asker.onReply(friend, reply);
  }

  /** As `foafcircles` does for `src/lightningd/jit-circles.ts`. */
  async #find({ amountMsat, channel, maxFeePpm }: Fill): Promise<FoundCircle | NoCircle> {
    const query = {
      amountMsat,
      in: { shortChannelId: parseShortChannelId(channel) ?? 0n },
      maxFeePpm: BigInt(maxFeePpm),
      maxDelay: MAX_DELAY,
      limit: 1,
    };
    let search = await this.#finder.find(query);
    // Word tells which circles are likely, never that there are any: it is only put together where it is of use.
    if (search.circles.length > 0 && (await this.#refresh(amountMsat)))
      search = await this.#finder.find(query);
    const peers = search.circles[0]?.hops.slice(0, -1).map(({ id }) => id);
    const outPeerId = peers?.[0];
    if (peers !== undefined && outPeerId !== undefined) return { outPeerId, peers };
    return search.missing?.reasons.includes('fee') ? 'too_dear' : 'no_circle';
  }

  /** What friends would have said had they been asked before. Returns whether there are any. */
  async #refresh(amountMsat: bigint): Promise<boolean> {
    const peers = this.#in.friendsOf(this.#node);
    if (peers.length === 0) return false;
    // Who has not answered at once is silent: that must not take any time, since nobody waits for it.
    const question = { amountMsat: rungFor(amountMsat), peers, timeoutMs: 0, fresh: false };
    await Promise.all([this.#asker.ask({ ...question, flow: 1 }), this.#asker.ask({ ...question, flow: 0 })]);
    return true;
  }

  /** As `foafrebalance` does for `src/lightningd/jit-circles.ts`. */
  async #perform(fill: Fill, outPeerId: string, retryForMs: number): Promise<FillOutcome> {
    const wish = {
      amountMsat: fill.amountMsat,
      out: { peerId: outPeerId },
      in: { shortChannelId: parseShortChannelId(fill.channel) ?? 0n },
      maxFeePpm: BigInt(fill.maxFeePpm),
      maxDelay: MAX_DELAY,
    };
    const find = (exclusions: Exclusions): Promise<CircleSearch> => findMove(this.#finder, wish, exclusions);
    // `foafrebalance` takes whole seconds.
    const retryMs = Math.max(1, Math.ceil(retryForMs / SECOND_MS)) * SECOND_MS;
    try {
      const { circle } = await this.#rebalancer.rebalance(find, retryMs, () => {});
      const bookedMsat = (fill.amountMsat * BigInt(fill.maxFeePpm)) / 1_000_000n;
      this.circles.push({ feeMsat: circle.feeMsat, bookedMsat });
      return { status: 'complete', feeMsat: circle.feeMsat };
    } catch (error) {
      if (!(error instanceof GaveUpError)) throw error;
      return { status: error.reason === 'unsettled' ? 'unsettled' : 'failed' };
    }
  }

  /** Reads a peer's channels, or all, into the book. */
  #read(peerId?: string): void {
    const { network, clock } = this.#in;
    const peer = peerId === undefined ? undefined : network.numberOf(peerId);
    if (peer === undefined) this.#readAtMs = clock.monotonicMs();
    const channels = network
      .channelsOf(this.#node)
      .filter(channel => peer === undefined || network.peer(channel, this.#node) === peer);
    this.#book.beginReading().take(
      Array.from(channels, channel => this.#channel(channel)),
      peerId,
    );
  }

  #channel(channel: number): JitChannel {
    const { network, gossip, ledger } = this.#in;
    const direction = network.directionFrom(channel, this.#node);
    const { destination, capacityMsat, limits, terms } = gossip.directionOf(channel, direction);
    return {
      channelId: channelIdOf(channel),
      peerId: destination,
      names: [nameOf(network, channel)],
      isNormal: true,
      isUsable: true,
      toUsMsat: BigInt(sideOf(network, channel, direction, ledger.balance(channel))),
      totalMsat: capacityMsat,
      spendableMsat: BigInt(ledger.spendable(channel, direction)),
      reserveMsat: BigInt(reserveOf(network.capacity(channel))),
      commitmentFeeMsat: 0n,
      hasSlot: true,
      limits,
      terms,
    };
  }

  /** 16 hex digits, another each time. */
  #newId(): string {
    return (++this.#made).toString(16).padStart(16, '0');
  }
}

/** What lightningd would call a channel: 64 hex digits. */
export function channelIdOf(channel: number): string {
  return channel.toString(16).padStart(64, '0');
}

export function channelOfId(channelId: string): number {
  return Number.parseInt(channelId, 16);
}

/** As notifications name it. */
export function nameOf(network: Network, channel: number): string {
  return formatShortChannelId(network.shortChannelId(channel));
}
