/** Nodes of every shape, and what may happen to them between two questions. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { Answerer, type QueryOutcome } from '../../src/sharing/answerer.ts';
import type { KeyedHash } from '../../src/sharing/keyed-hash.ts';
import type { OwnChannel } from '../../src/sharing/node-view.ts';
import { QuestionBudget } from '../../src/sharing/question-budget.ts';
import type { Flow, FoafMessage, FoafReply } from '../../src/wire/codec.ts';
import { CHAIN_HASH, QUERY } from '../wire/messages.ts';
import { BLOCK_HEIGHT, channel, FakeChannels, ManualClock, nodeId, view } from './world.ts';

/** The numbers of the nodes that ask; they have public channels with us too, which others are told about. */
export const FRIENDS = [1, 2, 3] as const;
/** A friend whose only channel is private: it could be told everything that anybody is told. */
export const OBSERVER = 99;
/** Who else there is. */
const OTHERS = [11, 12, 13, 14] as const;

/** Blocks that a channel must have to count: more than an announcement needs, so that the two differ. */
const MIN_DEPTH = 20;
/** The blocks of channels not announced yet, announced but too new to count, and old. */
const DEPTHS = [3, 10, 500] as const;

const SAT = 1000n;
const CAPACITIES_SAT = [60_000, 1_000_000, 16_000_000] as const;

/** A channel before it has a place among the others. */
export interface Shape {
  readonly peer: number;
  readonly capacitySat: number;
  /** Our part, in thousandths of the capacity. */
  readonly part: number;
  readonly depth: number;
  readonly isPublic: boolean;
  readonly state: OwnChannel['state'];
  readonly usable: boolean;
}

const often = <T>(usual: T, ...rare: readonly T[]) =>
  fc.oneof({ weight: 8, arbitrary: fc.constant(usual) }, { weight: 2, arbitrary: fc.constantFrom(...rare) });

/** Mostly ordinary channels, some parallel, some private, offline, closing or new. */
const shape: fc.Arbitrary<Shape> = fc.record({
  peer: fc.constantFrom(...FRIENDS, ...OTHERS),
  capacitySat: fc.constantFrom(...CAPACITIES_SAT),
  part: fc.oneof(fc.nat({ max: 1000 }), fc.nat({ max: 150 }), fc.integer({ min: 850, max: 1000 })),
  depth: often(500, ...DEPTHS),
  isPublic: often<boolean>(true, false),
  state: often<OwnChannel['state']>('normal', 'splicing', 'other'),
  usable: often<boolean>(true, false),
});
export const shapes = fc.array(shape, { minLength: 4, maxLength: 25, size: 'max' });

/** The spendable and receivable parts that a balance leaves above the usual reserve of 1 %. */
export function balances(totalMsat: bigint, toUsMsat: bigint) {
  const reserve = totalMsat / 100n;
  const above = (part: bigint) => (part > reserve ? part - reserve : 0n);
  return { toUsMsat, spendableMsat: above(toUsMsat), receivableMsat: above(totalMsat - toUsMsat) };
}

/** Our channels: one with everybody who asks, so that he may, and one of each shape. */
export function channelsOf(given: readonly Shape[]): OwnChannel[] {
  const asking = FRIENDS.map(peer => channel(peer, `400x${peer}x0`, 500_000));
  return [
    ...asking,
    channel(OBSERVER, '400x99x0', 500_000, { isPublic: false }),
    ...given.map((one, index) => {
      const totalMsat = BigInt(one.capacitySat) * SAT;
      return channel(one.peer, `${BLOCK_HEIGHT - one.depth + 1}x${1000 - index}x0`, 0, {
        totalMsat,
        ...balances(totalMsat, (totalMsat * BigInt(one.part)) / 1000n),
        localLimits: { minimumMsat: SAT, maximumMsat: (totalMsat * 99n) / 100n },
        remoteLimits: { minimumMsat: SAT, maximumMsat: (totalMsat * 99n) / 100n },
        isPublic: one.isPublic,
        state: one.state,
        usable: one.usable,
        peerConnected: one.usable,
      });
    }),
  ];
}

/** A question; the amounts lie on rungs, beside them and between. */
export const question = fc.record({
  kind: fc.constant('ask' as const),
  friend: fc.constantFrom<number>(...FRIENDS, OBSERVER),
  flow: fc.constantFrom<Flow>(0, 1),
  amountMsat: fc.constantFrom<bigint>(
    1n,
    10_000_000n,
    10_000_001n,
    50_000_000n,
    200_000_000n,
    700_000_000n,
    5_000_000_000n,
    200_000_000_000n,
  ),
});
export type Question = typeof question extends fc.Arbitrary<infer T> ? T : never;

/** What may happen to the channel at a place, and how it looks then: anything but another name or node. */
export const change = fc.record({
  kind: fc.constant('change' as const),
  place: fc.nat({ max: 30 }),
  part: fc.nat({ max: 1000 }),
  to: fc.constantFrom('balance', 'offline', 'online', 'closed', 'limits', 'gone'),
});
export type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;

/** The channels after a change. Those by which the askers may ask stay. */
export function changed(channels: readonly OwnChannel[], { place, part, to }: Change): OwnChannel[] {
  const index = FRIENDS.length + 1 + (place % Math.max(1, channels.length - FRIENDS.length - 1));
  return channels.flatMap((one, at) => {
    if (at !== index) return [one];
    switch (to) {
      case 'balance':
        return [{ ...one, ...balances(one.totalMsat, (one.totalMsat * BigInt(part)) / 1000n) }];
      case 'offline':
        return [{ ...one, usable: false, peerConnected: false }];
      case 'online':
        return [{ ...one, usable: true, peerConnected: true }];
      case 'closed':
        return [{ ...one, state: 'other' as const }];
      case 'limits':
        return [{ ...one, localLimits: undefined, remoteLimits: undefined }];
      case 'gone':
        return [];
      default:
        return assert.fail(to);
    }
  });
}

export interface Told {
  readonly friend: number;
  readonly reply: FoafReply;
}

/** An answerer on a node that the test owns. */
export class AnsweringNode {
  settings = {
    share: 'friends' as 'friends' | 'none',
    allow: new Set<string>(),
    deny: new Set<string>(),
    minDepth: MIN_DEPTH,
    answerTtlMs: 300_000,
    questionBudget: 1000,
    omitPercent: 0,
  };
  readonly channels: FakeChannels;
  readonly clock = new ManualClock();
  readonly told: Told[] = [];
  readonly #hash: KeyedHash;
  budget = new QuestionBudget();
  #answerer: Answerer;

  constructor(channels: readonly OwnChannel[], hash: KeyedHash) {
    this.channels = new FakeChannels(channels);
    this.#hash = hash;
    this.#answerer = this.#start();
  }

  /** What survives is the budget. */
  restart(): void {
    const budget = new QuestionBudget();
    budget.restore(structuredClone(this.budget.state()), this.clock.now);
    this.budget = budget;
    this.#answerer = this.#start();
  }

  /** One question; ten seconds earlier or later none is asked too often. */
  async ask({ friend, flow, amountMsat }: Omit<Question, 'kind'>): Promise<QueryOutcome> {
    return this.#answerer.answer(nodeId(friend), { ...QUERY, flow, amountMsat });
  }

  /** Asks, lets ten seconds pass, and returns the reply. */
  async reply(asked: Omit<Question, 'kind'>): Promise<FoafReply> {
    assert.equal(await this.ask(asked), 'answered');
    await this.clock.advance(10_000);
    return this.told.at(-1)?.reply ?? assert.fail('nothing was sent');
  }

  change(what: Change): void {
    this.channels.view = view(changed(this.channels.view.channels, what), BLOCK_HEIGHT);
  }

  #start(): Answerer {
    return new Answerer({
      chainHash: CHAIN_HASH,
      settings: () => this.settings,
      hash: this.#hash,
      channels: this.channels,
      send: async (to, message: FoafMessage) => {
        assert.ok(message.name === 'reply_foaf_balances');
        this.told.push({ friend: Number.parseInt(to.slice(2), 16), reply: message });
      },
      onAnswered: () => {},
      clock: this.clock,
      budget: this.budget,
    });
  }
}
