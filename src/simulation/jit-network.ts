/**
 * A network in which payments are on their way at the same time, over nodes that may run just-in-time routing.
 *
 * Hazard: what is held is held in time, and money on its way is nobody's to send. So each HTLC takes its time over each
 * hop, and locks what it carries until it is settled or failed back; circles are payments like all others.
 *
 * A node picks among its channels with the next peer as lightningd does by itself: without that, just-in-time routing
 * would be credited with what every node has already.
 */
import { setImmediate } from 'node:timers/promises';
import type { RouteHop } from '../circles/types.ts';
import type { JitSettings } from '../jit/just-in-time.ts';
import type { Forward } from '../jit/types.ts';
import { meaningOf } from '../knowledge/failure-codes.ts';
import type { Blamed } from '../rebalance/ports.ts';
import type { Answerer } from '../sharing/answerer.ts';
import type { NodeView } from '../sharing/node-view.ts';
import type { FoafQuery } from '../wire/codec.ts';
import { failcodeAt, hashes, Ledger } from './forwarding.ts';
import { type NetworkGossip, viewOf } from './gossip.ts';
import { channelIdOf, channelOfId, JitNode, nameOf, type Surroundings } from './jit-node.ts';
import type { Direction, Network } from './network.ts';
import { SimClock } from './sim-clock.ts';
import { shippedAnswerer, World } from './world.ts';

/** How long an HTLC, or what becomes of it, takes over a hop: a circle of four takes the 3 s of `rebalance-case.ts`. */
const HOP_MS = 400;

export interface StreamNetworkInit {
  readonly network: Network;
  readonly gossip: NetworkGossip;
  /** What the end `0` of a channel has in the beginning. */
  readonly balanceOf: (channel: number) => number;
  readonly mode: JitSettings['mode'];
  /** Which nodes run just-in-time routing, and which answer their friends. */
  readonly isRunning: (node: number) => boolean;
  readonly isSharing: (node: number) => boolean;
  /** Whether channels' forwards are known to settle from the beginning on. @default false */
  readonly isSeasoned?: boolean;
}

/** An HTLC that a node has sent on. */
interface Htlc {
  readonly channel: number;
  readonly direction: Direction;
  readonly amount: number;
  /** Its place, as the node that sent it on names the one that it came by; empty where it begins. */
  readonly key: string;
  readonly fee: number;
  readonly delay: number;
  readonly isHeld: boolean;
}

/** What HTLCs came to. Fees in millisatoshi. */
export interface Tally {
  forwards: number;
  /** Those that no channel with the next peer could carry when they came. */
  lacking: number;
  /** What each of those would have earned, in parts per million of its amount. */
  readonly lackingPpm: number[];
  /** Those that waited while a circle was on its way. */
  held: number;
  /** Held, and sent on then. */
  helped: number;
  /** Fees of those that settled. */
  helpedFees: number;
  /** Fees of all forwards that settled, circles' among them. */
  earned: number;
}

export class StreamNetwork implements Surroundings {
  readonly network: Network;
  readonly gossip: NetworkGossip;
  readonly ledger: Ledger;
  readonly clock = new SimClock();
  readonly mode: JitSettings['mode'];
  readonly isSeasoned: boolean;
  readonly newHash = hashes();
  readonly tally: Tally = {
    forwards: 0,
    lacking: 0,
    lackingPpm: [],
    held: 0,
    helped: 0,
    helpedFees: 0,
    earned: 0,
  };
  readonly #init: StreamNetworkInit;
  readonly #nodes = new Map<number, JitNode>();
  readonly #views = new Map<number, { readonly view: NodeView; readonly atMs: number }>();
  readonly #answerers = new Map<number, Answerer>();
  /** For the nodes' secrets alone. */
  readonly #secrets: World;
  #htlcs = 0;

  constructor(init: StreamNetworkInit) {
    const { network, gossip, balanceOf, mode } = init;
    this.#init = init;
    this.network = network;
    this.gossip = gossip;
    this.mode = mode;
    this.isSeasoned = init.isSeasoned ?? false;
    this.ledger = new Ledger(network, balanceOf);
    this.#secrets = new World(network, gossip, { at: balanceOf });
  }

  /** Those with just-in-time routing that any HTLC has passed. */
  get nodes(): Iterable<JitNode> {
    return this.#nodes.values();
  }

  view(node: number, maxAgeMs: number): NodeView {
    const nowMs = this.clock.monotonicMs();
    const known = this.#views.get(node);
    if (known !== undefined && maxAgeMs > 0 && nowMs - known.atMs <= maxAgeMs) return known.view;
    const view = viewOf(
      this.gossip,
      this.network,
      node,
      channel => this.ledger.balance(channel),
      (channel, direction) => this.ledger.pending(channel, direction),
    );
    this.#views.set(node, { view, atMs: nowMs });
    return view;
  }

  friendsOf(node: number): readonly string[] {
    const { network } = this;
    const peers = new Set(Array.from(network.channelsOf(node), channel => network.peer(channel, node)));
    const friends = [...peers].filter(this.#init.isSharing).sort((a, b) => a - b);
    return friends.map(friend => network.nodeId(friend));
  }

  async ask(friend: string, asker: JitNode, query: FoafQuery): Promise<void> {
    await this.#answererOf(this.network.numberOf(friend)).answer(asker.id, query);
  }

  /** Lets time pass until nothing is left that waits for it. */
  async run(): Promise<void> {
    for (;;) {
      // Whatever can go on without time passing does.
      await setImmediate();
      const ms = this.clock.untilNextMs;
      if (ms === undefined) return;
      this.clock.advance(ms);
    }
  }

  async carry(hops: readonly RouteHop[], paymentHash: string): Promise<Blamed | undefined> {
    const sent: Htlc[] = [];
    for (const hop of hops) {
      const htlc = await this.#send(hop, sent.at(-1), paymentHash);
      if ('failcode' in htlc) {
        for (const each of sent.reverse()) await this.#end(each, false);
        return htlc;
      }
      sent.push(htlc);
      await this.#pass();
    }
    for (const each of sent.reverse()) await this.#end(each, true);
    return undefined;
  }

  /** One hop. @param before the HTLC that it came by, where it does not begin here */
  async #send(
    { shortChannelId, direction, amountMsat, delay }: RouteHop,
    before: Htlc | undefined,
    paymentHash: string,
  ): Promise<Htlc | Blamed> {
    const { network, ledger, tally } = this;
    const named = this.gossip.channelOf(shortChannelId);
    const amount = Number(amountMsat);
    let channel = named;
    let isHeld = false;
    let key = '';
    const node = before === undefined ? undefined : this.#nodeAt(network.source(named, direction));
    if (before !== undefined) {
      channel = this.#best(named, direction, amount);
      key = `${nameOf(network, before.channel)}/${++this.#htlcs}`;
      tally.forwards++;
      if (this.#refusal(channel, direction, amount) === 'liquidity') {
        tally.lacking++;
        tally.lackingPpm.push(((before.amount - amount) * 1e6) / amount);
      }
      const forward: Forward = {
        key,
        inPeerId: network.nodeId(network.source(before.channel, before.direction)),
        paymentHash,
        inMsat: BigInt(before.amount),
        outMsat: amountMsat,
        channelId: channelIdOf(channel),
        inBlocks: before.delay,
        outBlocks: delay,
      };
      let decision = node?.decide(forward);
      if (decision instanceof Promise) {
        const sinceMs = this.clock.monotonicMs();
        decision = await decision;
        // A fresh look takes no time here: only who waited for a circle was held.
        isHeld = this.clock.monotonicMs() > sinceMs;
        if (isHeld) tally.held++;
      }
      if (decision?.forwardTo !== undefined) channel = channelOfId(decision.forwardTo);
    }
    // All channels with the same peer lead the same way.
    const failcode = failcodeAt(network, ledger, channel, direction, amount);
    if (failcode !== undefined) {
      node?.jit.localFailed(key, meaningOf(failcode) === 'liquidity');
      return { shortChannelId, direction, failcode };
    }
    ledger.offer(channel, direction, amount);
    node?.jit.offered(key, nameOf(network, channel), amountMsat);
    if (isHeld) tally.helped++;
    const fee = before === undefined ? 0 : before.amount - amount;
    return { channel, direction, amount, key, fee, delay, isHeld };
  }

  /** It has arrived, or comes back. */
  async #end({ channel, direction, amount, key, fee, isHeld }: Htlc, hasArrived: boolean): Promise<void> {
    const { network, ledger, tally } = this;
    ledger.resolve(channel, direction, amount, hasArrived);
    const source = this.#nodeAt(network.source(channel, direction));
    if (hasArrived) {
      const amountMsat = BigInt(amount);
      if (key === '') source?.debited(channel, amountMsat);
      else source?.jit.settled(key, nameOf(network, channel), BigInt(fee));
      this.#nodeAt(network.destination(channel, direction))?.credited(channel, amountMsat);
      tally.earned += fee;
      if (isHeld) tally.helpedFees += fee;
    } else if (key !== '') source?.jit.failed(key, nameOf(network, channel));
    await this.#pass();
  }

  /** The channel that was named, or if it cannot one with the same peer that can, at no worse terms. */
  #best(named: number, direction: Direction, amount: number): number {
    const { network } = this;
    if (this.#refusal(named, direction, amount) === undefined) return named;
    const [source, peer] = [network.source(named, direction), network.destination(named, direction)];
    let best = named;
    let most = 0;
    for (const channel of network.channelsOf(source)) {
      if (channel === named || network.peer(channel, source) !== peer) continue;
      if (
        network.baseFee(channel, direction) > network.baseFee(named, direction) ||
        network.feePpm(channel, direction) > network.feePpm(named, direction) ||
        network.cltvDelta(channel, direction) > network.cltvDelta(named, direction) ||
        this.#refusal(channel, direction, amount) !== undefined
      ) {
        continue;
      }
      const spendable = this.ledger.spendable(channel, direction);
      if (spendable > most) [best, most] = [channel, spendable];
    }
    return best;
  }

  #refusal(channel: number, direction: Direction, amount: number): 'liquidity' | 'limits' | undefined {
    if (failcodeAt(this.network, this.ledger, channel, direction, amount) === undefined) return undefined;
    return amount > this.ledger.spendable(channel, direction) ? 'liquidity' : 'limits';
  }

  #nodeAt(number: number): JitNode | undefined {
    if (!this.#init.isRunning(number)) return undefined;
    let node = this.#nodes.get(number);
    if (node === undefined) {
      node = new JitNode(this, number);
      this.#nodes.set(number, node);
    }
    return node;
  }

  #answererOf(number: number): Answerer {
    let answerer = this.#answerers.get(number);
    if (answerer === undefined) {
      const id = this.network.nodeId(number);
      answerer = shippedAnswerer({
        hash: this.#secrets.hashOf(number),
        channels: { read: async maxAgeMs => this.view(number, maxAgeMs), isFriend: () => true },
        send: async (asker, message) => {
          if (message.name !== 'reply_foaf_balances') return;
          await this.#nodes.get(this.network.numberOf(asker))?.hear(id, message);
        },
        clock: this.clock,
      });
      this.#answerers.set(number, answerer);
    }
    return answerer;
  }

  #pass(): Promise<void> {
    return new Promise(resolve => this.clock.after(HOP_MS, resolve));
  }
}
