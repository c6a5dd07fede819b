/**
 * Some cases of the experiment `attempts`, on one draw of balances: what one thread works on at a time.
 *
 * Hazard: levels are only comparable over the same cases. So node, balances, ages and who shares come from the batch's
 * seed alone, and whoever shares at one level shares at every higher one.
 */
import type { BalanceKind } from './balances.ts';
import type { NetworkGossip } from './gossip.ts';
import { MovingBalances } from './moving-balances.ts';
import { at, type Network } from './network.ts';
import { Random } from './random.ts';
import {
  type Asks,
  type CaseInit,
  type CaseResult,
  canMove,
  cheapestFee,
  runCase,
  type Speech,
} from './rebalance-case.ts';
import { World } from './world.ts';

/**
 * Who answers. `random`: a share of all nodes, each as likely. `largest`: a share, those with most channels. `friend`,
 * `largest friend`: one friend of the node that asks alone. `friends`: all of them and nobody else counts.
 */
export type Adoption =
  | { readonly by: 'random' | 'largest'; readonly share: number }
  | { readonly by: 'friend' | 'largest friend' | 'friends' };

export interface Level {
  readonly name: string;
  readonly adoption: Adoption;
  /** Without the plugin: circles are tried by their fees alone. */
  readonly byFee?: boolean;
}

export interface BatchTask {
  /** `Random.path` of the batch. */
  readonly seed: string;
  readonly cases: number;
  readonly balances: BalanceKind;
  readonly speech: Speech;
  readonly asks: Asks;
  readonly amountMsat: bigint;
  readonly maxFeePpm: bigint;
  /** How old snapshots are at most; each case's lies between that and `minAgeMs`. */
  readonly minAgeMs: number;
  readonly maxAgeMs: number;
  readonly levels: readonly Level[];
  readonly maxTries: number;
}

export interface CaseOutcome {
  /** The fee of the cheapest circle that works, in millisatoshi. */
  readonly cheapest: number | undefined;
  /** By level; none where no circle works. */
  readonly results: readonly CaseResult[];
}

/** Runs as many cases as wanted, or as nodes have anything to move. */
export async function runBatch(
  network: Network,
  gossip: NetworkGossip,
  task: BatchTask,
): Promise<CaseOutcome[]> {
  const random = new Random(task.seed);
  const world = new World(
    network,
    gossip,
    new MovingBalances(network, task.balances, random.fork('balances')),
  );
  const adopters = new Adopters(network, random.fork('adoption'));
  const ages = random.fork('ages');
  const nodes = drawNodes(world, task, random.fork('nodes'));
  const outcomes: CaseOutcome[] = [];
  for (const node of nodes) {
    const ageMs = task.minAgeMs + ages.below(task.maxAgeMs - task.minAgeMs + 1);
    const { amountMsat, maxFeePpm, speech, asks, maxTries } = task;
    const init = { node, amountMsat, maxFeePpm, speech, asks, ageMs, maxTries };
    const cheapest = await cheapestFee(world, init);
    // What nobody could solve need not be tried.
    outcomes.push({
      cheapest,
      results: cheapest === undefined ? [] : await resultsOf(world, init, task, adopters),
    });
  }
  return outcomes;
}

/** By level. Where the same friends share as at another level, it is the same case. */
async function resultsOf(
  world: World,
  init: CaseInit,
  { levels }: BatchTask,
  adopters: Adopters,
): Promise<CaseResult[]> {
  const { network } = world;
  const friends = new Set(
    Array.from(network.channelsOf(init.node), channel => network.peer(channel, init.node)),
  );
  const known = new Map<string, CaseResult>();
  const results: CaseResult[] = [];
  for (const { adoption, byFee = false } of levels) {
    const isSharing = adopters.of(adoption, init.node);
    const key = [byFee, ...[...friends].filter(isSharing)].join();
    const result = known.get(key) ?? (await runCase(world, { ...init, isSharing, byFee }));
    known.set(key, result);
    results.push(result);
  }
  return results;
}

class Adopters {
  readonly #network: Network;
  /** Where each node stands in line, 0 to 1. */
  readonly #places: Readonly<Record<'random' | 'largest', Float64Array>>;

  constructor(network: Network, random: Random) {
    this.#network = network;
    const nodes = Array.from(network.nodeIds, (_, node) => node);
    const bySize = [...nodes].sort((a, b) => network.degree(b) - network.degree(a) || a - b);
    const largest = new Float64Array(nodes.length);
    for (const [place, node] of bySize.entries()) largest[node] = place / nodes.length;
    this.#places = { random: Float64Array.from(nodes, () => random.real()), largest };
  }

  of(adoption: Adoption, node: number): (other: number) => boolean {
    if (adoption.by === 'random' || adoption.by === 'largest') {
      const places = this.#places[adoption.by];
      return other => at(places, other) < adoption.share;
    }
    if (adoption.by === 'friends') return () => true;
    const places = this.#places[adoption.by === 'friend' ? 'random' : 'largest'];
    const friends = Array.from(this.#network.channelsOf(node), channel => this.#network.peer(channel, node));
    const [first] = friends.sort((a, b) => at(places, a) - at(places, b));
    return other => other === first;
  }
}

/** Nodes that have something to move, each as likely, none twice. */
function drawNodes(world: World, { cases, amountMsat, maxFeePpm }: BatchTask, random: Random): number[] {
  const inLine = random.shuffle(Array.from(world.network.nodeIds, (_, node) => node));
  const nodes: number[] = [];
  for (const node of inLine) {
    if (nodes.length === cases) break;
    if (canMove(world, node, amountMsat, maxFeePpm)) nodes.push(node);
  }
  return nodes;
}
