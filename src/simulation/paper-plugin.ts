/**
 * The plugin's own rule in the paper's network: what to move is chosen by src/rebalance, what friends offer decided by
 * src/sharing/eligibility.ts, the very modules that run in the plugin.
 *
 * As in the paper nothing costs anything and every balance can be sent to the last satoshi; all know what their friends
 * would say now. Amounts are rungs and margins random, as shipped. Where all circles cost nothing the plugin prefers
 * what brings most, then the shorter one, then the channel out with most to send, then the channel in with most room (src/circles/ranking.ts).
 */
import type { Circle, CircleHop, CircleQuery, CircleSearch, EndFilter } from '../circles/types.ts';
import { broughtBy, priceFor } from '../circles/worth.ts';
import { findMove } from '../rebalance/find-move.ts';
import { at } from './network.ts';
import { back, leavingFrom } from './paper-network.ts';
import type { Offers } from './paper-offers.ts';
import type { PaperRun } from './paper-run.ts';

/** Nothing costs anything here, neither in satoshis nor in blocks. */
const WISH = { maxFeePpm: 0n, maxDelay: 500 };
const NO_EXCLUSIONS = { peers: new Set<string>(), channels: new Set<bigint>() };

/** A circle as found: the directed channels, and what it is ranked by. */
interface Candidate {
  readonly edges: readonly number[];
  readonly price: number;
  readonly spendable: number;
  readonly receivable: number;
}

interface Head {
  readonly own: number;
  readonly onward: number;
}

/** The rule on one run; only this may move anything in it. */
export class PluginRule {
  readonly #run: PaperRun;
  readonly #offers: Offers;

  constructor(run: PaperRun, offers: Offers) {
    this.#run = run;
    this.#offers = offers;
  }

  /** One rebalance by `node`, if the plugin finds any. */
  async rebalance(node: number): Promise<boolean> {
    const candidates = new Map<Circle, Candidate>();
    const source = {
      view: () => Promise.resolve(this.#offers.view(node)),
      find: (query: CircleQuery): Promise<CircleSearch> => {
        const found = this.#find(node, query);
        if (found === undefined) return Promise.resolve({ circles: [] });
        const circle = this.#circle(found, query.amountMsat);
        candidates.set(circle, found);
        return Promise.resolve({ circles: [circle] });
      },
    };
    const [circle] = (await findMove(source, WISH, NO_EXCLUSIONS)).circles;
    const edges = circle && candidates.get(circle)?.edges;
    const amount = circle?.hops[0]?.amountMsat;
    if (edges === undefined || amount === undefined) return false;
    this.#run.move(edges, Number(amount));
    this.#offers.refresh(edges);
    return true;
  }

  /** The circle that the plugin would take of those where each hop between others is offered at that amount. */
  #find(node: number, { amountMsat, out, in: home, worth }: CircleQuery): Candidate | undefined {
    const amount = Number(amountMsat);
    const { network, holdings } = this.#run;
    const heads = new Map<number, Head[]>();
    const own = Array.from(leavingFrom(network, node));
    const peerOf = (edge: number) => this.#offers.channel(edge).peerId;
    const byWorth = (a: number, b: number) =>
      (worth?.outs.get(peerOf(b)) ?? 0) - (worth?.outs.get(peerOf(a)) ?? 0);
    const outs = own
      .filter(edge => at(holdings, edge) >= amount && this.#passes(edge, out))
      .sort((a, b) => byWorth(a, b) || at(holdings, b) - at(holdings, a) || a - b);
    for (const first of outs) {
      const friend = at(network.source, back(first));
      for (const onward of leavingFrom(network, friend)) {
        if (this.#offers.bySource(onward) < amount) continue;
        const junction = at(network.source, back(onward));
        const known = heads.get(junction);
        // Of two that leave by different friends one fits every way back.
        if (known === undefined) heads.set(junction, [{ own: first, onward }]);
        else if (known.length === 1) known.push({ own: first, onward });
      }
    }
    const outOf = new Map(outs.map(edge => [at(network.source, back(edge)), edge]));
    const ins = own
      .map(back)
      .filter(edge => at(holdings, edge) >= amount && this.#passes(back(edge), home))
      .sort((a, b) => at(holdings, b) - at(holdings, a) || a - b);
    const mostOut = worth === undefined ? 0 : Math.max(...worth.outs.values());
    let best: Candidate | undefined;
    for (const last of ins) {
      // What cannot bring as much as the best one by any way out need not be looked at.
      const atBest = worth === undefined ? 1 : mostOut + (worth.ins.get(peerOf(back(last))) ?? 0);
      if (best !== undefined && priceFor(0, atBest) > best.price) continue;
      const friend = at(network.source, last);
      const offer = (edges: readonly [number, ...number[]]) => {
        const brought = worth === undefined ? 1 : broughtBy(worth, peerOf(edges[0]), peerOf(back(last)));
        if (brought === 0) return;
        const price = priceFor(0, brought);
        const one = { edges, price, spendable: at(holdings, edges[0]), receivable: at(holdings, last) };
        if (best === undefined || isBetter(one, best)) best = one;
      };
      for (const leads of leavingFrom(network, friend)) {
        const onward = back(leads);
        const from = at(network.source, onward);
        const isOffered = this.#offers.byDestination(onward) >= amount;
        const direct = outOf.get(from);
        if (direct !== undefined && (isOffered || this.#offers.bySource(onward) >= amount)) {
          offer([direct, onward, last]);
        }
        if (!isOffered || from === node) continue;
        const head = heads.get(from)?.find(({ own: first }) => at(network.source, back(first)) !== friend);
        if (head !== undefined) offer([head.own, head.onward, onward, last]);
      }
    }
    return best;
  }

  #passes(edge: number, filter: EndFilter | undefined): boolean {
    if (filter === undefined) return true;
    const { peerId, shortChannelId } = this.#offers.channel(edge);
    if ('peerIds' in filter) return filter.peerIds.has(peerId);
    return 'peerId' in filter ? filter.peerId === peerId : filter.shortChannelId === shortChannelId;
  }

  #circle({ edges }: Candidate, amountMsat: bigint): Circle {
    const hops = edges.map((edge, index): CircleHop => {
      const { peerId: id, shortChannelId = 0n } = this.#offers.channel(edge);
      const known = index === 0 || index === edges.length - 1 ? 'own' : 'offered';
      return { id, shortChannelId, direction: edge % 2 === 0 ? 0 : 1, amountMsat, delay: 0, known };
    });
    return { feeMsat: 0n, feePpm: 0n, probability: 1, expectedCostMsat: 0n, delay: 0, hops };
  }
}

function isBetter(a: Candidate, b: Candidate): boolean {
  const order =
    a.price - b.price ||
    a.edges.length - b.edges.length ||
    b.spendable - a.spendable ||
    b.receivable - a.receivable;
  return order < 0;
}
