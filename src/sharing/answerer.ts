/**
 * Answers the queries of friends (docs/protocol.md, "Answering").
 *
 * Hazard: everything here is set off by strangers. Whoever may not ask gets silence and leaves nothing behind; readings
 * of the node are shared, whoever set them off; what waits for lightningd is bounded by peer, so that a flood from one
 * is no delay for another; replies are limited; and no answer says more than the snapshot does.
 */
import type { FoafQuery, FoafReply } from '../wire/codec.ts';
import type { KeyedHash } from './keyed-hash.ts';
import { depthOf, type NodeView } from './node-view.ts';
import type { ChannelSource, Clock, Send } from './ports.ts';
import type { QuestionBudget } from './question-budget.ts';
import { rungFor } from './rungs.ts';
import { SlidingWindow } from './sliding-window.ts';
import { Snapshot } from './snapshot.ts';

/** Most replies to a peer in any `REPLY_WINDOW_MS` (docs/protocol.md, "Answering"). */
const REPLIES_PER_WINDOW = 4;
const REPLY_WINDOW_MS = 10_000;
/**
 * How old our view may be when we judge who may ask and what is offline. Notifications make it anew long before that;
 * all that they do not tell is the block height. Strangers set off few readings, however many they are.
 */
const LIVE_MAX_AGE_MS = 60_000;
/** How many queries of all peers whom we do not know as friends may wait for lightningd at once. */
const WAITING_STRANGERS = 16;

/** What the operator decided. */
export interface AnswerSettings {
  readonly share: 'friends' | 'none';
  /** If not empty, only these are answered. */
  readonly allow: ReadonlySet<string>;
  /** Never answered, even when allowed. */
  readonly deny: ReadonlySet<string>;
  /** Blocks that a channel must have. */
  readonly minDepth: number;
  /** A snapshot's lifetime in milliseconds. */
  readonly answerTtlMs: number;
  /** Questions that a friend may have answered in an hour. */
  readonly questionBudget: number;
  /** The share of channels that nobody is told of, in percent. */
  readonly omitPercent: number;
}

/**
 * What became of a query; all but `answered` are silence. `too_often`: over the limit of replies. `budget_spent`: it has been told enough for now. `busy`: too many
 * of that peer wait already. `node_unavailable`: lightningd could not be asked. `send_failed`: it did not take the reply.
 */
export type QueryOutcome =
  | 'answered'
  | 'foreign_chain'
  | 'not_sharing'
  | 'not_allowed'
  | 'stranger'
  | 'too_often'
  | 'budget_spent'
  | 'busy'
  | 'node_unavailable'
  | 'send_failed';

export interface AnswererInit {
  /** Our chain's hash: 64 hex digits in wire order. */
  readonly chainHash: string;
  /** Read at every query: the options are dynamic. */
  readonly settings: () => AnswerSettings;
  readonly hash: KeyedHash;
  readonly channels: ChannelSource;
  readonly send: Send;
  readonly clock: Clock;
  readonly budget: QuestionBudget;
  /** Told of each reply that lightningd took. */
  readonly onAnswered: (peerId: string, reply: FoafReply) => void;
}

interface CurrentSnapshot {
  readonly taken: Promise<Snapshot>;
  /** Monotonic milliseconds; infinite until the reading is there, since the lifetime begins with it. */
  endsAtMs: number;
}

export class Answerer {
  readonly #init: AnswererInit;
  readonly #replies = new SlidingWindow(REPLIES_PER_WINDOW, REPLY_WINDOW_MS);
  readonly #waiting = new Map<string, number>();
  #waitingStrangers = 0;
  #current: CurrentSnapshot | undefined;

  constructor(init: AnswererInit) {
    this.#init = init;
  }

  /** Judges and answers one query. Never rejects. */
  async answer(peerId: string, query: FoafQuery): Promise<QueryOutcome> {
    const { chainHash, settings, channels } = this.#init;
    if (query.chainHash !== chainHash) return 'foreign_chain';
    const { share, allow, deny } = settings();
    if (share === 'none') return 'not_sharing';
    if (deny.has(peerId) || (allow.size > 0 && !allow.has(peerId))) return 'not_allowed';
    const leave = this.#enter(peerId);
    if (leave === undefined) return 'busy';
    try {
      const live = await channels.read(LIVE_MAX_AGE_MS).catch(() => undefined);
      if (live === undefined) return 'node_unavailable';
      if (!mayAsk(live, peerId, settings().minDepth)) return 'stranger';
      return await this.#reply(peerId, query, live);
    } finally {
      leave();
    }
  }

  async #reply(peerId: string, query: FoafQuery, live: NodeView): Promise<QueryOutcome> {
    const snapshot = await this.#snapshot().catch(() => undefined);
    if (snapshot === undefined) return 'node_unavailable';
    // Taken when the reply leaves, not when the query came: what waited for lightningd must not leave in one burst.
    const takenAtMs = this.#init.clock.monotonicMs();
    if (!this.#replies.tryTake(peerId, takenAtMs)) return 'too_often';
    const rungMsat = rungFor(query.amountMsat);
    const { questionBudget } = this.#init.settings();
    if (!this.#init.budget.spend(peerId, query.flow, rungMsat, snapshot, questionBudget, takenAtMs)) {
      // Silence uses up no reply.
      this.#replies.giveBack(peerId, takenAtMs);
      return 'budget_spent';
    }
    const reply: FoafReply = {
      name: 'reply_foaf_balances',
      chainHash: query.chainHash,
      ...(query.queryId === undefined ? {} : { queryId: query.queryId }),
      flow: query.flow,
      amountMsat: rungMsat,
      timestampMs: snapshot.timestampMs,
      shortChannelIds: snapshot.channelsFor(peerId, query.flow, rungMsat, live),
    };
    try {
      await this.#init.send(peerId, reply);
    } catch {
      this.#replies.giveBack(peerId, takenAtMs);
      return 'send_failed';
    }
    this.#init.onAnswered(peerId, reply);
    return 'answered';
  }

  #snapshot(): Promise<Snapshot> {
    const { channels, clock, hash, settings } = this.#init;
    if (this.#current !== undefined && clock.monotonicMs() < this.#current.endsAtMs)
      return this.#current.taken;
    // Not later than the balances: a word must never seem newer than it is.
    const wallMs = clock.wallMs();
    const taken = channels.read(0).then(view => {
      const { minDepth, omitPercent } = settings();
      return new Snapshot({ view, minDepth, omitPercent, wallMs, hash });
    });
    const current: CurrentSnapshot = { taken, endsAtMs: Number.POSITIVE_INFINITY };
    this.#current = current;
    taken.then(
      () => {
        current.endsAtMs = clock.monotonicMs() + settings().answerTtlMs;
      },
      () => {
        this.#current = undefined;
      },
    );
    return taken;
  }

  /** Admits one query to what waits for lightningd; the returned function ends its wait. */
  #enter(peerId: string): (() => void) | undefined {
    if (!this.#init.channels.isFriend(peerId)) {
      if (this.#waitingStrangers >= WAITING_STRANGERS) return undefined;
      this.#waitingStrangers++;
      return () => {
        this.#waitingStrangers--;
      };
    }
    const waiting = this.#waiting.get(peerId) ?? 0;
    if (waiting >= REPLIES_PER_WINDOW) return undefined;
    this.#waiting.set(peerId, waiting + 1);
    return () => {
      const left = (this.#waiting.get(peerId) ?? 1) - 1;
      if (left === 0) this.#waiting.delete(peerId);
      else this.#waiting.set(peerId, left);
    };
  }
}

/** Who may ask: a connected peer with a channel in CHANNELD_NORMAL, announced or not, at least `minDepth` blocks deep. */
function mayAsk(view: NodeView, peerId: string, minDepth: number): boolean {
  if (view.guests !== undefined) return view.guests.has(peerId);
  return view.channels.some(
    channel =>
      channel.peerId === peerId &&
      channel.peerConnected &&
      channel.state === 'normal' &&
      depthOf(channel, view.blockHeight) >= minDepth,
  );
}
