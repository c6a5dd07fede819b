/**
 * What one circular rebalance tells about other people's balances, in bits: with friends asked, by trial and error, and
 * by probing first.
 *
 * All three are counted alike. Each channel is believed on a grid before anything is known; whatever is learned, an
 * answer or how far a payment came, counts as log2 of how much likelier its true cell is held for it. So it adds up, and
 * nothing counts twice. The plugin's own modules answer and search for circles.
 */
import { findCircles } from '../circles/circles.ts';
import { type Hope, hopeful } from '../circles/hope.ts';
import type { Circle, CircleSearch, FriendGossip, HopKnowledge } from '../circles/types.ts';
import { NOTHING_EXCLUDED } from '../lightningd/circle-finder.ts';
import { AskAsNeeded } from '../rebalance/ask-as-needed.ts';
import { rungFor } from '../sharing/rungs.ts';
import type { Flow } from '../wire/codec.ts';
import { AUDIT_RUNGS, Belief, type Grid, Naming, RESERVE, shareFor } from './audit-belief.ts';
import type { RebalanceWorld } from './audit-network.ts';
import { halvingLine } from './audit-prober.ts';
import type { Random } from './random.ts';
import { SimClock } from './sim-clock.ts';

/**
 * `as needed`: as `foafrebalance` asks, by its own module. `all asked`: every friend beforehand, both ways. `blind`:
 * nobody. `probed`: nobody, but all hops between others are measured before a circle is used.
 */
export const STRATEGIES = ['all asked', 'as needed', 'blind', 'probed'] as const;
export type Strategy = (typeof STRATEGIES)[number];

const MAX_TRIES = 20;
/** Circles looked at, tried or not. */
const MAX_LOOKS = 60;
const MAX_FEE_PPM = 500n;
/** What an answer is taken to be worth: fresh and honest, as here. */
const RELIABILITY = 0.98;

export interface RebalanceFigures {
  readonly cases: number;
  readonly succeeded: number;
  readonly firstTry: number;
  readonly tries: number;
  readonly questions: number;
  readonly probes: number;
  /** In all, and those of answers alone. */
  readonly bits: number;
  readonly bitsOfAnswers: number;
  /** Channels about which anything was said or shown. */
  readonly channels: number;
}

/** One rebalance: out over the fullest channel of a node, in wherever it is cheapest. */
export class Rebalance {
  readonly #world: RebalanceWorld;
  readonly #node: number;
  readonly #amountMsat: bigint;
  readonly #beliefs = new Map<number, Belief>();
  readonly #asked = new Set<string>();
  readonly #offers = new Map<string, bigint>();
  readonly #failed = new Map<string, bigint>();
  readonly figures = { tries: 0, questions: 0, probes: 0, bits: 0, bitsOfAnswers: 0, isDone: false };

  constructor(world: RebalanceWorld, node: number, amountMsat: bigint) {
    this.#world = world;
    this.#node = node;
    this.#amountMsat = amountMsat;
  }

  get channels(): number {
    return this.#beliefs.size;
  }

  /** @param out the peer that it leaves by */
  async run(strategy: Strategy, out: number): Promise<void> {
    const { network } = this.#world;
    const peers = new Set(Array.from(network.channelsOf(this.#node), one => network.peer(one, this.#node)));
    if (strategy === 'all asked') {
      for (const peer of peers) for (const flow of [1, 0] as const) this.#ask(peer, flow);
    }
    const asking = new AskAsNeeded({
      find: (_exclusions, hope) => this.#search(out, hope),
      asker: {
        mayTell: peerId => peers.has(network.numberOf(peerId)),
        ask: async ({ peers: [peerId = ''] = [], flow }) => this.#ask(network.numberOf(peerId), flow),
      },
      clock: new SimClock(),
      budgetMs: 1,
      progress: () => {},
    });
    for (
      let looked = 0;
      looked < MAX_LOOKS && this.figures.tries < MAX_TRIES && !this.figures.isDone;
      looked++
    ) {
      const search = strategy === 'as needed' ? asking.find(NOTHING_EXCLUDED) : this.#search(out);
      const [circle] = (await search).circles;
      if (circle === undefined) return;
      if (strategy === 'probed' && !this.#measure(circle)) continue;
      this.#try(circle);
    }
  }

  /** A friend answers, and all that it says or leaves out is learned. */
  #ask(friend: number, flow: Flow): void {
    if (this.#asked.has(`${friend}|${flow}`)) return;
    this.#asked.add(`${friend}|${flow}`);
    const world = this.#world;
    const rungMsat = rungFor(this.#amountMsat);
    const rung = AUDIT_RUNGS.indexOf(Number(rungMsat) / 1000);
    const named = new Set(world.answer(friend, this.#node, flow, rungMsat));
    const { mean, sd } = world.guessedNu(friend);
    this.figures.questions++;
    const { network } = world;
    const parallels = new Map<number, number>();
    for (const channel of network.channelsOf(friend)) {
      const peer = network.peer(channel, friend);
      parallels.set(peer, 1 + (parallels.get(peer) ?? 0));
    }
    for (const channel of network.channelsOf(friend)) {
      const peer = network.peer(channel, friend);
      if (peer === this.#node) continue;
      const id = network.shortChannelId(channel);
      const isNamed = named.has(id);
      const away = network.directionFrom(channel, friend);
      const direction = flow === 1 ? away : away === 0 ? 1 : 0;
      if (isNamed) this.#offers.set(`${id}|${direction}`, rungMsat);
      // What cannot carry the rung anyway is never named; nor need one of several channels with a node be.
      const amount = Number(rungMsat);
      if (
        amount < network.htlcMinimum(channel, direction) ||
        amount > network.htlcMaximum(channel, direction)
      )
        continue;
      const isOnlyOne = parallels.get(peer) === 1;
      if (!isNamed && !isOnlyOne) continue;
      const belief = this.#belief(channel);
      this.figures.bitsOfAnswers += this.#learn(channel, () => {
        if (isOnlyOne) {
          // The other end's balance is what is left: the same answer, seen from there.
          const isFirst = away === 0;
          const naming = new Naming(belief.grid, isFirst ? mean : 1 - mean, sd * Math.sqrt(12));
          belief.hear(direction === 0 ? 1 : 0, rung, isNamed, naming);
        } else {
          const needed = shareFor(amount / 1000, belief.grid.capacitySat);
          belief.probe(direction === 0 ? needed : 1 - needed, direction === 0);
        }
      });
    }
  }

  async #search(out: number, hope?: Hope): Promise<CircleSearch> {
    const { network } = this.#world;
    const gossip = new Map<string, FriendGossip>();
    for (const channel of network.channelsOf(this.#node)) {
      const peer = network.peer(channel, this.#node);
      gossip.set(network.nodeId(peer), this.#world.gossip(peer));
    }
    const known: HopKnowledge = {
      offer: ({ shortChannelId, direction }) => {
        const amountMsat = this.#offers.get(`${shortChannelId}|${direction}`);
        return amountMsat === undefined ? undefined : { amountMsat, reliability: RELIABILITY };
      },
      failedMsat: ({ shortChannelId, direction }) => this.#failed.get(`${shortChannelId}|${direction}`),
      odds: () => 1,
    };
    const friends = [...gossip.keys()];
    const amountMsat = this.#amountMsat;
    const knowledge =
      hope === undefined
        ? known
        : hopeful(known, { friends, amountMsat, hope, reliability: () => RELIABILITY });
    return findCircles(
      { view: this.#world.view(this.#node), gossip, knowledge },
      {
        amountMsat,
        out: { peerId: network.nodeId(out) },
        maxFeePpm: MAX_FEE_PPM,
        maxDelay: 2016,
        limit: 1,
      },
      { nowMs: () => 0, pause: async () => {} },
    );
  }

  /** The hops between others, and whether each carries its amount. */
  #between({ hops }: Circle) {
    return hops.slice(1, -1).map(({ shortChannelId, direction, amountMsat }) => {
      const channel = this.#world.numberOf.get(shortChannelId) ?? 0;
      const carries = this.#world.spendable(channel, direction) >= Number(amountMsat);
      return { channel, direction, amountMsat, carries, key: `${shortChannelId}|${direction}` };
    });
  }

  /** A payment: each hop that it passes has the amount, and the one that it fails at has not. */
  #try(circle: Circle): void {
    this.figures.tries++;
    for (const { channel, direction, amountMsat, carries, key } of this.#between(circle)) {
      const belief = this.#belief(channel);
      const needed = Number(amountMsat) / this.#world.network.capacity(channel) + RESERVE;
      // What lies at the line between two cells is taken to be as it was seen.
      const line = lineNear(belief.grid, direction === 0 ? needed : 1 - needed);
      const isBeyond = belief.grid.cellOf(this.#world.share(channel)) >= belief.grid.cellOf(line);
      this.#learn(channel, () => belief.probe(line, isBeyond));
      if (!carries) {
        this.#failed.set(key, amountMsat);
        return;
      }
    }
    this.figures.isDone = true;
  }

  /** Measures the hops between others one after the other, by halving. @returns whether all carry it */
  #measure(circle: Circle): boolean {
    for (const { channel, amountMsat, carries, key } of this.#between(circle)) {
      const belief = this.#belief(channel);
      const cell = belief.grid.cellOf(this.#world.share(channel));
      for (let line = halvingLine(belief); line !== undefined; line = halvingLine(belief)) {
        const at = line;
        this.figures.probes++;
        this.#learn(channel, () => belief.probe(at, cell >= belief.grid.cellOf(at)));
      }
      if (!carries) {
        this.#failed.set(key, amountMsat);
        return false;
      }
    }
    return true;
  }

  #learn(channel: number, change: () => void): number {
    const belief = this.#belief(channel);
    const cell = belief.grid.cellOf(this.#world.share(channel));
    const before = belief.chanceOf(cell);
    change();
    const bits = Math.log2(belief.chanceOf(cell) / before);
    this.figures.bits += bits;
    return bits;
  }

  #belief(channel: number): Belief {
    let belief = this.#beliefs.get(channel);
    if (belief === undefined) {
      belief = new Belief(this.#world.grid(channel));
      this.#beliefs.set(channel, belief);
    }
    return belief;
  }
}

/** The line between cells that is nearest to a share. */
function lineNear(grid: Grid, share: number): number {
  const inner = grid.edges.slice(1, -1);
  return inner.reduce(
    (best, edge) => (Math.abs(edge - share) < Math.abs(best - share) ? edge : best),
    inner[0] ?? share,
  );
}

/** Every strategy on the same cases: nodes with at least two peers that have the amount somewhere to send. */
export async function rebalanceCases(
  world: RebalanceWorld,
  strategy: Strategy,
  amountMsat: bigint,
  cases: number,
  random: Random,
): Promise<RebalanceFigures> {
  const all = {
    succeeded: 0,
    firstTry: 0,
    tries: 0,
    questions: 0,
    probes: 0,
    bits: 0,
    bitsOfAnswers: 0,
    channels: 0,
  };
  const { network } = world;
  for (let done = 0; done < cases; ) {
    const node = random.below(network.nodeCount);
    const out = fullestPeer(world, node);
    if (out === undefined || network.degree(node) < 3 || network.degree(node) > 200) continue;
    if (world.spendable(out.channel, network.directionFrom(out.channel, node)) < Number(amountMsat) * 1.01)
      continue;
    done++;
    const rebalance = new Rebalance(world, node, amountMsat);
    await rebalance.run(strategy, out.peer);
    const { figures } = rebalance;
    all.succeeded += Number(figures.isDone);
    all.firstTry += Number(figures.isDone && figures.tries === 1);
    all.tries += figures.tries;
    all.questions += figures.questions;
    all.probes += figures.probes;
    all.bits += figures.bits;
    all.bitsOfAnswers += figures.bitsOfAnswers;
    all.channels += rebalance.channels;
  }
  return { cases, ...all };
}

function fullestPeer(world: RebalanceWorld, node: number): { peer: number; channel: number } | undefined {
  const { network } = world;
  let fullest: { peer: number; channel: number; share: number } | undefined;
  for (const channel of network.channelsOf(node)) {
    const share =
      network.directionFrom(channel, node) === 0 ? world.share(channel) : 1 - world.share(channel);
    if (fullest === undefined || share > fullest.share)
      fullest = { peer: network.peer(channel, node), channel, share };
  }
  return fullest;
}
