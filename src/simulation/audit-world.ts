/**
 * The node that is watched in the audit, in simulated time. The plugin's own modules answer: nothing of the rules is
 * written again here.
 */
import { Answerer, type AnswerSettings } from '../sharing/answerer.ts';
import { type KeyedHash, keyedHash } from '../sharing/keyed-hash.ts';
import type { NodeView, OwnChannel } from '../sharing/node-view.ts';
import { QuestionBudget } from '../sharing/question-budget.ts';
import type { Flow, FoafReply } from '../wire/codec.ts';
import { parseShortChannelId, type ShortChannelId } from '../wire/short-channel-id.ts';
import { type Leaning, RESERVE, WORN_PART, WORN_SHARE } from './audit-belief.ts';
import { CAPACITIES_SAT, type MovingChannel, moveForAMinute } from './audit-movement.ts';
import type { Random } from './random.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** The first of January 2026, a Thursday: weeks of the Unix epoch begin on one. */
const START_WALL_MS = Date.UTC(2026, 0, 1);
/** Any: the fixed hash of a chain that all take to be theirs. */
const CHAIN_HASH = '06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f';
const BLOCK_HEIGHT = 1000;
/** Older than any `minDepth` that is audited. */
const FUNDED_AT = 100;
const SAT = 1000n;

/** The options as they are shipped (docs/privacy.md). */
const SHIPPED: AnswerSettings = {
  share: 'friends',
  allow: new Set(),
  deny: new Set(),
  minDepth: 144,
  answerTtlMs: 300_000,
  questionBudget: 8,
  omitPercent: 0,
};

export type AuditBalances = 'anywhere' | 'depleted';

/** A channel of the node; `index` is its place, and names its peer. */
export interface AuditChannel extends MovingChannel {
  readonly index: number;
}

export interface AuditWorldInit {
  readonly random: Random;
  /** How many channels are watched. */
  readonly channels: number;
  readonly balances: AuditBalances;
  readonly moves: boolean;
  /** The capacities of the watchers' own channels, in satoshis. They carry no payments of others. */
  readonly watchersSat: readonly number[];
  /** Our share of these. @default 0.5 */
  readonly watchersShare?: number;
  readonly settings?: Partial<AnswerSettings>;
  /** Another rule for what is chosen by keyed hash. */
  readonly hash?: (shipped: KeyedHash, wallMs: () => number) => KeyedHash;
}

export class AuditWorld {
  readonly watched: readonly AuditChannel[];
  readonly watchers: readonly AuditChannel[];
  /** Milliseconds since the start. */
  nowMs = 0;
  readonly #random: Random;
  readonly #moves: boolean;
  readonly #answerer: Answerer;
  #movedUntilMs = 0;
  #view: NodeView | undefined;
  readonly #replies: FoafReply[] = [];

  constructor({
    random,
    channels,
    balances,
    moves,
    watchersSat,
    watchersShare = 0.5,
    settings,
    hash,
  }: AuditWorldInit) {
    const drawn = random.fork('channels');
    this.watched = Array.from({ length: channels }, (_, index) => ({ index, ...draw(balances, drawn) }));
    this.watchers = watchersSat.map((capacitySat, place) => ({
      index: channels + place,
      capacitySat,
      leaning: 'anywhere',
      oursSat: Math.round(capacitySat * watchersShare),
    }));
    this.#moves = moves;
    this.#random = random.fork('payments');
    const key = keyedHash(Buffer.from(random.fork('key').path));
    const budget = new QuestionBudget();
    const wallMs = () => START_WALL_MS + this.nowMs;
    this.#answerer = new Answerer({
      chainHash: CHAIN_HASH,
      settings: () => ({ ...SHIPPED, ...settings }),
      hash: hash === undefined ? key : hash(key, wallMs),
      channels: {
        read: async () => this.#read(),
        isFriend: () => true,
      },
      send: async (_, message) => {
        if (message.name === 'reply_foaf_balances') this.#replies.push(message);
      },
      clock: {
        wallMs,
        monotonicMs: () => this.nowMs,
        after: () => () => {},
      },
      budget,
      onAnswered: () => {},
    });
  }

  /** Our share of all channels, the watchers' too: what is to be kept secret. */
  get nu(): number {
    const all = [...this.watched, ...this.watchers];
    return sum(all, one => one.oursSat) / sum(all, one => one.capacitySat);
  }

  /** Lets time pass and payments move. Moments of the past are none. */
  passTo(nowMs: number): void {
    this.nowMs = Math.max(this.nowMs, nowMs);
    for (; this.#movedUntilMs + MINUTE_MS <= this.nowMs; this.#movedUntilMs += MINUTE_MS) {
      if (this.#moves && moveForAMinute(this.watched, this.#random)) this.#view = undefined;
    }
  }

  /** Watchers pay one another through us: our whole balance stays, fees apart. */
  shift(from: AuditChannel, to: AuditChannel, amountSat: number): void {
    from.oursSat += amountSat;
    to.oursSat -= amountSat;
    this.#view = undefined;
  }

  /**
   * A watcher asks.
   *
   * @returns the places of the channels that are named; `undefined` for silence
   */
  async ask(watcher: AuditChannel, flow: Flow, rungSat: number): Promise<ReadonlySet<number> | undefined> {
    const amountMsat = BigInt(rungSat) * SAT;
    await this.#answerer.answer(peerIdOf(watcher.index), {
      name: 'query_foaf_balances',
      chainHash: CHAIN_HASH,
      flow,
      amountMsat,
    });
    const reply = this.#replies.pop();
    return reply && new Set(reply.shortChannelIds.map(placeOf));
  }

  #read(): NodeView {
    this.#view ??= {
      nodeId: peerIdOf(0xffffff),
      blockHeight: BLOCK_HEIGHT,
      channels: [...this.watched, ...this.watchers].map(ownChannel),
    };
    return this.#view;
  }
}

function draw(balances: AuditBalances, random: Random): MovingChannel {
  const capacitySat = random.pick(CAPACITIES_SAT);
  // What is worn is the side that asks less; which one that is everybody can read in the gossip.
  const leaning: Leaning = balances === 'anywhere' ? 'anywhere' : random.pick(['low', 'high']);
  const share = drawShare(leaning, random);
  return { capacitySat, leaning, oursSat: Math.round(capacitySat * share) };
}

/** Our share of a channel as `densityAt` has it. */
export function drawShare(leaning: Leaning, random: Random): number {
  const isWorn = random.real() < WORN_SHARE && leaning !== 'anywhere';
  const part = random.real();
  const share = RESERVE + part * (isWorn ? WORN_PART - RESERVE : 1 - 2 * RESERVE);
  return leaning === 'high' ? 1 - share : share;
}

function ownChannel({ index, capacitySat, oursSat }: AuditChannel): OwnChannel {
  const totalMsat = BigInt(capacitySat) * SAT;
  const toUsMsat = BigInt(Math.round(oursSat)) * SAT;
  const reserveMsat = BigInt(Math.round(capacitySat * RESERVE)) * SAT;
  const above = (partMsat: bigint) => (partMsat > reserveMsat ? partMsat - reserveMsat : 0n);
  const limits = { minimumMsat: 1n, maximumMsat: totalMsat };
  return {
    peerId: peerIdOf(index),
    shortChannelId: scidOf(index),
    state: 'normal',
    isPublic: true,
    peerConnected: true,
    usable: true,
    toUsMsat,
    totalMsat,
    spendableMsat: above(toUsMsat),
    receivableMsat: above(totalMsat - toUsMsat),
    localLimits: limits,
    remoteLimits: limits,
    remoteTerms: undefined,
  };
}

function peerIdOf(index: number): string {
  return `02${index.toString(16).padStart(64, '0')}`;
}

function scidOf(index: number): ShortChannelId | undefined {
  return parseShortChannelId(`${FUNDED_AT}x${index}x0`);
}

function placeOf(id: ShortChannelId): number {
  return Number((id >> 16n) & 0xffffffn);
}

function sum<T>(list: readonly T[], of: (one: T) => number): number {
  return list.reduce((total, one) => total + of(one), 0);
}
