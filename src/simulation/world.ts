/**
 * A network at one beginning, with nodes that answer as the plugin does: what can be kept for many cases.
 */
import { createHash } from 'node:crypto';
import { Answerer, type AnswererInit } from '../sharing/answerer.ts';
import { type KeyedHash, keyedHash } from '../sharing/keyed-hash.ts';
import type { NodeView } from '../sharing/node-view.ts';
import { QuestionBudget } from '../sharing/question-budget.ts';
import { chainHashOf } from '../wire/chain-hash.ts';
import type { FoafQuery, FoafReply } from '../wire/codec.ts';
import { type NetworkGossip, viewOf } from './gossip.ts';
import type { MovingBalances } from './moving-balances.ts';
import type { Network } from './network.ts';
import { SimClock } from './sim-clock.ts';

export const CHAIN_HASH = String(chainHashOf('bitcoin'));
/** The plugin's defaults (src/lightningd/options.ts). */
const SETTINGS = {
  share: 'friends',
  allow: new Set<string>(),
  deny: new Set<string>(),
  minDepth: 144,
  answerTtlMs: 300_000,
  questionBudget: 8,
  omitPercent: 0,
} as const;

/** What the end `0` of each channel has at a time, in milliseconds from the beginning. */
export type BalancesInTime = Pick<MovingBalances, 'at'>;

export class World {
  readonly network: Network;
  readonly gossip: NetworkGossip;
  readonly balances: BalancesInTime;
  readonly #views = new Map<number, NodeView>();
  readonly #hashes = new Map<number, KeyedHash>();
  readonly #answerers = new Map<number, Answerer>();
  readonly #replies = new Map<string, FoafReply | undefined>();

  constructor(network: Network, gossip: NetworkGossip, balances: BalancesInTime) {
    this.network = network;
    this.gossip = gossip;
    this.balances = balances;
  }

  /** A node's channels as they were in the beginning. */
  viewAtStart(node: number): NodeView {
    let known = this.#views.get(node);
    if (known === undefined) {
      known = viewOf(this.gossip, this.network, node, channel => this.balances.at(channel, 0));
      this.#views.set(node, known);
    }
    return known;
  }

  /** A node's secret choices: its key is made from its id, and what it chose is kept. */
  hashOf(node: number): KeyedHash {
    let known = this.#hashes.get(node);
    if (known === undefined) {
      const hash = keyedHash(createHash('sha256').update(this.network.nodeId(node)).digest());
      const chosen = new Map<string, number>();
      known = (label, ...parts) => {
        const key = [label, ...parts].join('|');
        let choice = chosen.get(key);
        if (choice === undefined) {
          choice = hash(label, ...parts);
          chosen.set(key, choice);
        }
        return choice;
      };
      this.#hashes.set(node, known);
    }
    return known;
  }

  /**
   * What a node answers; `undefined` when it is silent. All are answered from one snapshot of the beginning. Who asks
   * the same again is told the same: that is a case at another level, not a second question.
   */
  async answerOf(node: number, asker: string, query: FoafQuery): Promise<FoafReply | undefined> {
    const key = `${node}|${asker}|${query.flow}|${query.amountMsat}`;
    if (!this.#replies.has(key)) {
      this.#replies.set(key, undefined);
      let answerer = this.#answerers.get(node);
      if (answerer === undefined) {
        answerer = this.#answererOf(node);
        this.#answerers.set(node, answerer);
      }
      await answerer.answer(asker, query);
    }
    const reply = this.#replies.get(key);
    return reply && { ...reply, ...(query.queryId === undefined ? {} : { queryId: query.queryId }) };
  }

  #answererOf(node: number): Answerer {
    const view = this.viewAtStart(node);
    return shippedAnswerer({
      hash: this.hashOf(node),
      channels: { read: async () => view, isFriend: () => true },
      send: async (asker, message) => {
        if (message.name !== 'reply_foaf_balances') return;
        this.#replies.set(`${node}|${asker}|${message.flow}|${message.amountMsat}`, message);
      },
      // It stands at the beginning.
      clock: new SimClock(),
    });
  }
}

/** Who answers as the plugin does by default. */
export function shippedAnswerer(parts: Pick<AnswererInit, 'hash' | 'channels' | 'send' | 'clock'>): Answerer {
  return new Answerer({
    ...parts,
    chainHash: CHAIN_HASH,
    settings: () => SETTINGS,
    budget: new QuestionBudget(),
    onAnswered: () => {},
  });
}
