/**
 * Where circles can be joined from halves, and what the halves cost there at least.
 *
 * Hazard: there are a hundred thousand halves, of which the search looks at some thousands. Only channels and bounds
 * are kept here; heads and tails are made when their junction's turn comes.
 */
import { chanceOf, expectedCost } from './chance.ts';
import { type Edge, edgeOf, endOf, feeOf, type Head, headOf, type Tail, tailsOf } from './edges.ts';
import { toNumber } from './fees.ts';
import { type Lane, type Lanes, lanesForSearch } from './lanes.ts';
import { type In, insOf, type Out, outsOf } from './own-ends.ts';
import type { Pace } from './pace.ts';
import type { CircleQuery, CircleSources, HopKnowledge, LeftOut } from './types.ts';

/** The least that one side of a junction takes: bounds, each perhaps from another half. */
export interface Least {
  /** Expected cost and fees, in millisatoshi. */
  cost: number;
  fee: number;
  /** In blocks. */
  delay: number;
}

/** A node where heads end. */
export interface Junction {
  readonly into: Lane[];
  /** Made with the first one: most nodes lead to none of our friends but the one that leads to them. */
  onward: Lane[] | undefined;
  /** Our own channels with it, if it is a friend. */
  ends: readonly Tail[];
  readonly head: Least;
  /** `undefined` while no tail begins there. */
  tail: Least | undefined;
}

const NONE: readonly never[] = [];

export class Graph {
  readonly amount: number;
  /** What a failed try is worth avoiding. */
  readonly failedTry: number;
  readonly leftOut: LeftOut;
  readonly #knowledge: HopKnowledge;
  readonly #lanes: Lanes;
  readonly #nodeId: string;
  readonly #outs: ReadonlyMap<string, readonly Out[]>;
  readonly #ends: ReadonlyMap<string, readonly Tail[]>;
  readonly #junctions = new Map<string, Junction>();
  readonly #counts = { disabled: 0, unfit: 0, failed: 0 };
  #offers = 0;

  constructor(sources: CircleSources, query: CircleQuery, finalDelay: number, failedTry: number) {
    this.amount = toNumber(query.amountMsat);
    this.failedTry = failedTry;
    this.leftOut = this.#counts;
    this.#knowledge = sources.knowledge;
    this.#lanes = sources.knowledge.lanes ?? lanesForSearch();
    this.#nodeId = sources.view.nodeId;
    this.#outs = outsOf(sources.view, query);
    const end = (channel: In) => endOf(channel, this.amount, finalDelay);
    this.#ends = new Map([...insOf(sources.view, query)].map(([peer, ins]) => [peer, ins.map(end)]));
  }

  /** Takes in the gossip. */
  async load(gossip: CircleSources['gossip'], pace: Pace): Promise<void> {
    if (pace.dueNow()) await pace.rest();
    for (const peerId of this.#outs.keys()) {
      const known = gossip.get(peerId);
      if (known === undefined) continue;
      for (const lane of this.#lanes.of(known.from, known.to)) {
        this.#addInto(lane);
        if (pace.due()) await pace.rest();
      }
    }
    for (const [peerId, ends] of this.#ends) {
      const junction = this.#junctions.get(peerId);
      if (junction !== undefined) {
        junction.ends = ends;
        this.#lowerTail(junction, ends);
      }
      const known = gossip.get(peerId);
      if (known === undefined) continue;
      for (const lane of this.#lanes.of(known.to, known.from)) {
        this.#addOnward(lane, ends);
        if (pace.due()) await pace.rest();
      }
    }
  }

  get junctions(): Iterable<Junction> {
    return this.#junctions.values();
  }

  /** Whether any of our channels can be the first, or the last, hop. */
  get hasOut(): boolean {
    return this.#outs.size > 0;
  }

  get hasIn(): boolean {
    return this.#ends.size > 0;
  }

  get hasOffers(): boolean {
    return this.#offers > 0;
  }

  headsAt({ into }: Junction): Head[] {
    return into.flatMap(lane => {
      const edge = edgeOf(lane, this.amount, this.#knowledge);
      const outs = this.#outs.get(lane.channel.source) ?? NONE;
      return typeof edge === 'string' ? [] : [headOf(edge, outs, this.amount)];
    });
  }

  tailsAt({ ends, onward }: Junction): Tail[] {
    const tails = [...ends];
    for (const lane of onward ?? NONE) {
      const edge = edgeOf(lane, this.amount, this.#knowledge);
      if (typeof edge === 'string') continue;
      tails.push(...tailsOf(edge, this.#ends.get(lane.channel.destination) ?? NONE));
    }
    return tails;
  }

  #addInto(lane: Lane): void {
    const { destination } = lane.channel;
    if (destination === this.#nodeId) return;
    const edge = this.#edgeOf(lane);
    if (edge === undefined) return;
    const fee = feeOf(lane, this.amount);
    const cost = expectedCost(fee, chanceOf(edge.belief, this.amount), this.failedTry);
    const known = this.#junctions.get(destination);
    if (known === undefined) {
      const head: Least = { cost, fee, delay: edge.delta };
      const junction = { into: [lane], onward: undefined, ends: NONE, head, tail: undefined };
      this.#junctions.set(destination, junction);
    } else {
      known.into.push(lane);
      lower(known.head, cost, fee, edge.delta);
    }
  }

  #addOnward(lane: Lane, ends: readonly Tail[]): void {
    // Where no head leads, among them ourselves, no tail is of use.
    const junction = this.#junctions.get(lane.channel.source);
    if (junction === undefined) return;
    const edge = this.#edgeOf(lane);
    if (edge === undefined) return;
    const tails = tailsOf(edge, ends);
    if (tails.length === 0) return;
    if (junction.onward === undefined) junction.onward = [lane];
    else junction.onward.push(lane);
    this.#lowerTail(junction, tails);
  }

  #lowerTail(junction: Junction, tails: readonly Tail[]): void {
    for (const { fee, chance, delay } of tails) {
      const cost = expectedCost(fee, chance, this.failedTry);
      if (junction.tail === undefined) junction.tail = { cost, fee, delay };
      else lower(junction.tail, cost, fee, delay);
    }
  }

  #edgeOf(lane: Lane): Edge | undefined {
    const edge = edgeOf(lane, this.amount, this.#knowledge);
    if (typeof edge === 'string') {
      this.#counts[edge]++;
      return undefined;
    }
    if (edge.known === 'offered') this.#offers++;
    return edge;
  }
}

function lower(least: Least, cost: number, fee: number, delay: number): void {
  if (cost < least.cost) least.cost = cost;
  if (fee < least.fee) least.fee = fee;
  if (delay < least.delay) least.delay = delay;
}
