/**
 * Asks friends and gathers what they say (docs/protocol.md, "Asking" and "Believing").
 *
 * Hazard: a friend may be silent, slow, gone or lying, and lightningd itself may be. Each friend is asked on its own
 * and nothing that happens to one touches another's answer; the caller gets what there is when its time is up; what
 * comes later or unasked is knowledge within limits, never an answer; and only what the gossip confirms is either.
 */
import { messageOf } from '../error-message.ts';
import type { Knowledge, Word } from '../knowledge/knowledge.ts';
import type { Flow, FoafQuery, FoafReply } from '../wire/codec.ts';
import type { ShortChannelId } from '../wire/short-channel-id.ts';
import {
  type AskRequest,
  type AskResult,
  type FriendAnswer,
  NoChannelsInTimeError,
  NotAFriendError,
  type ReplyOutcome,
} from './asking.ts';
import { believe, MAX_AHEAD_MS } from './believing.ts';
import type { Breaches } from './breaches.ts';
import { Inquiries } from './inquiries.ts';
import { friendsOf } from './node-view.ts';
import type { PeerLog } from './peer-log.ts';
import type { ChannelSource, Clock, GossipChannels, GossipSource, Send } from './ports.ts';
import { QuestionLimits } from './question-limits.ts';
import { rungFor } from './rungs.ts';
import type { SilentPeers } from './silent-peers.ts';

/** How old our view of who is a friend may be; notifications make it anew long before that. */
const FRIENDS_MAX_AGE_MS = 60_000;
/** A named channel that the gossip did not know, but does by now: the gossip is read again, if it is older than this. */
const GOSSIP_RETRY_AGE_MS = 5_000;
/** How many replies of one peer that answer no waiting question may wait for the gossip at once. */
const UNASKED_AT_ONCE = 2;
/** How many channels of one reply that the gossip does not know as the peer's are looked up, to see whose they are. */
const LOOKED_UP = 3;
/** How many queries to a peer lightningd may not have taken yet: they leave in one burst once it goes on. */
const UNCONFIRMED_AT_ONCE = 4;

export interface AskerInit {
  readonly chainHash: string;
  readonly channels: ChannelSource;
  readonly gossip: GossipSource;
  readonly knowledge: Knowledge;
  readonly silentPeers: SilentPeers;
  readonly peerLog: PeerLog;
  readonly breaches: Breaches;
  /** Told of each word that was taken up. */
  readonly onLearned: (peerId: string, word: Word) => void;
  /** How long friends' word counts, in milliseconds; read at every call: the option is dynamic. */
  readonly cacheTtlMs: () => number;
  readonly send: Send;
  readonly clock: Clock;
  /** A new random query id: 16 hex digits. */
  readonly newQueryId: () => string;
}

/** What is the same for all friends of one call. */
interface Call {
  readonly flow: Flow;
  readonly rungMsat: bigint;
  readonly fresh: boolean;
  /** Whether even those are asked that never spoke and are left alone for now. */
  readonly wakes: boolean;
  readonly nodeId: string;
  readonly deadline: Promise<'deadline'>;
  sent: number;
}

export class Asker {
  readonly #init: AskerInit;
  readonly #inquiries = new Inquiries();
  readonly #limits = new QuestionLimits();
  /** The largest rung that we ever asked each peer: replies that nobody waits for are taken up to it. */
  readonly #largestAsked = new Map<string, bigint>();
  readonly #unaskedUnderWay = new Map<string, number>();
  readonly #unconfirmed = new Map<string, number>();

  constructor(init: AskerInit) {
    this.#init = init;
  }

  /**
   * Asks friends, waits for all of them or for the timeout.
   *
   * @throws NotAFriendError when `peers` names somebody else; nothing has been sent then
   * @throws NoChannelsInTimeError, or whatever the channel source rejects with
   */
  async ask(request: AskRequest): Promise<AskResult> {
    const { clock, channels, knowledge, cacheTtlMs } = this.#init;
    const startedMs = clock.monotonicMs();
    let stopTimer = () => {};
    const deadline = new Promise<'deadline'>(resolve => {
      stopTimer = clock.after(request.timeoutMs, () => resolve('deadline'));
    });
    try {
      const view = await Promise.race([channels.read(FRIENDS_MAX_AGE_MS), deadline]);
      if (view === 'deadline')
        throw new NoChannelsInTimeError('lightningd did not tell our channels in time');
      const friends = friendsOf(view);
      const stranger = request.peers?.find(peerId => !friends.includes(peerId));
      if (stranger !== undefined) throw new NotAFriendError(stranger);
      knowledge.expire(clock.monotonicMs() - cacheTtlMs());
      const asked = request.peers === undefined ? friends : [...new Set(request.peers)].sort();
      const call: Call = {
        flow: request.flow,
        rungMsat: rungFor(request.amountMsat),
        fresh: request.fresh,
        wakes: request.peers !== undefined && request.leavesSilent !== true,
        nodeId: view.nodeId,
        deadline,
        sent: 0,
      };
      const answers = await Promise.all(asked.map(peerId => this.#askOne(peerId, call)));
      return {
        nodeId: view.nodeId,
        sent: call.sent,
        elapsedMs: clock.monotonicMs() - startedMs,
        friends: answers,
      };
    } finally {
      stopTimer();
    }
  }

  /**
   * Whether asking a friend may tell what is not known: its word is not remembered, and nothing keeps us from asking it.
   *
   * @param amountMsat 1 to `MAX_AMOUNT_MSAT`
   */
  mayTell(peerId: string, flow: Flow, amountMsat: bigint): boolean {
    const { channels, clock, knowledge, cacheTtlMs } = this.#init;
    const nowMs = clock.monotonicMs();
    const rungMsat = rungFor(amountMsat);
    return (
      channels.isFriend(peerId) &&
      knowledge.recall(peerId, flow, rungMsat, nowMs - cacheTtlMs()) === undefined &&
      this.#refusal(peerId, false, nowMs) === undefined &&
      this.#limits.refusal(peerId, flow, rungMsat, nowMs) === undefined
    );
  }

  /** A valid message of type 347 came: that peer speaks, and will always be asked. Strangers leave nothing behind. */
  onSpoken(peerId: string): void {
    const { channels, clock, peerLog, silentPeers } = this.#init;
    if (!channels.isFriend(peerId)) return;
    silentPeers.spoke(peerId);
    peerLog.heard(peerId, clock.monotonicMs());
  }

  /** Takes up a reply that a peer sent. Never rejects. */
  async onReply(peerId: string, reply: FoafReply): Promise<ReplyOutcome> {
    const { chainHash, clock } = this.#init;
    if (reply.chainHash !== chainHash) return 'foreign_chain';
    if (reply.timestampMs > BigInt(clock.wallMs() + MAX_AHEAD_MS)) return 'from_the_future';
    const kind = this.#inquiries.match(peerId, reply);
    if (kind === 'answer') return kind;
    if (reply.amountMsat > (this.#largestAsked.get(peerId) ?? 0n)) return 'unwanted';
    const underWay = this.#unaskedUnderWay.get(peerId) ?? 0;
    if (underWay >= UNASKED_AT_ONCE) return 'busy';
    add(this.#unaskedUnderWay, peerId, 1);
    try {
      const view = await this.#init.channels.read(FRIENDS_MAX_AGE_MS);
      const { fresh } = await this.#takeUp(peerId, reply, view.nodeId);
      return fresh ? kind : 'stale';
    } catch {
      return 'node_unavailable';
    } finally {
      add(this.#unaskedUnderWay, peerId, -1);
    }
  }

  /** lightningd says that a peer has disconnected: nobody waits for it any longer. */
  onDisconnect(peerId: string): void {
    this.#inquiries.disconnected(peerId);
  }

  async #askOne(peerId: string, call: Call): Promise<FriendAnswer> {
    const { clock, knowledge, cacheTtlMs, gossip } = this.#init;
    const nowMs = clock.monotonicMs();
    const remembered = call.fresh
      ? undefined
      : knowledge.recall(peerId, call.flow, call.rungMsat, nowMs - cacheTtlMs());
    if (remembered !== undefined) return this.#answered(peerId, 'remembered', remembered);
    if ((this.#unconfirmed.get(peerId) ?? 0) >= UNCONFIRMED_AT_ONCE) {
      return {
        peerId,
        status: 'skipped',
        reason: 'lightningd has not taken earlier queries yet',
        channels: [],
      };
    }
    const refusal =
      this.#refusal(peerId, call.wakes, nowMs) ??
      this.#limits.refuse(peerId, call.flow, call.rungMsat, nowMs);
    if (refusal !== undefined) return { peerId, status: 'skipped', reason: refusal, channels: [] };

    // Read while the friend thinks: its reply is judged by it. Its failure is looked at when the reply is there.
    gossip.read(peerId, call.flow).catch(() => {});
    const heard = await this.#converse(peerId, call);
    if (heard === 'deadline') {
      this.#init.silentPeers.wasSilent(peerId, clock.monotonicMs());
      return { peerId, status: 'timeout', channels: [] };
    }
    if (heard === 'unconfirmed') {
      return { peerId, status: 'timeout', reason: 'lightningd has not confirmed the sending', channels: [] };
    }
    if (heard === 'disconnected') return { peerId, status: 'timeout', reason: heard, channels: [] };
    if ('notSent' in heard) return { peerId, status: 'send_failed', reason: heard.notSent, channels: [] };
    const replied = { peerId, status: 'replied' as const };
    const taken = await Promise.race([
      this.#takeUp(peerId, heard, call.nodeId).catch(error => ({ failed: messageOf(error) })),
      call.deadline,
    ]);
    if (taken === 'deadline') return { ...replied, reason: 'the gossip was not read in time', channels: [] };
    if ('failed' in taken)
      return { ...replied, reason: `the gossip could not be read: ${taken.failed}`, channels: [] };
    const { word, fresh } = taken;
    if (clock.monotonicMs() - word.saidAtMs > cacheTtlMs()) {
      return { ...replied, reason: 'what it said is too old to count', channels: [] };
    }
    // Its newer word may have been here before.
    const newest = fresh ? undefined : knowledge.recall(peerId, call.flow, call.rungMsat, word.saidAtMs);
    return this.#answered(peerId, 'replied', newest ?? word);
  }

  /** Why a friend is not to be asked anything now, in words; `undefined` when it is. */
  #refusal(peerId: string, wakes: boolean, nowMs: number): string | undefined {
    const { breaches, silentPeers } = this.#init;
    return breaches.refuse(peerId, nowMs) ?? (wakes ? undefined : silentPeers.refuse(peerId, nowMs));
  }

  /** Sends one query and waits: for the reply, or for what kept it away. */
  async #converse(
    peerId: string,
    call: Call,
  ): Promise<FoafReply | 'deadline' | 'unconfirmed' | 'disconnected' | { readonly notSent: string }> {
    const { chainHash, clock, peerLog, send, newQueryId } = this.#init;
    const sentAtMs = clock.monotonicMs();
    peerLog.asked(peerId, sentAtMs);
    const queryId = newQueryId();
    const query: FoafQuery = {
      name: 'query_foaf_balances',
      chainHash,
      queryId,
      flow: call.flow,
      amountMsat: call.rungMsat,
    };
    this.#noteAsked(peerId, call.rungMsat);
    let confirmed = false;
    const heard = await new Promise<FoafReply | 'deadline' | 'disconnected' | { notSent: string }>(
      resolve => {
        this.#inquiries.register({
          queryId,
          peerId,
          flow: call.flow,
          amountMsat: call.rungMsat,
          onReply: resolve,
          onDisconnect: () => resolve('disconnected'),
        });
        add(this.#unconfirmed, peerId, 1);
        // Only a failure ends the wait: the reply may well be here before lightningd has confirmed the sending.
        send(peerId, query).then(
          () => {
            confirmed = true;
            add(this.#unconfirmed, peerId, -1);
          },
          error => {
            add(this.#unconfirmed, peerId, -1);
            resolve({ notSent: messageOf(error) });
          },
        );
        call.deadline.then(resolve);
      },
    );
    this.#inquiries.end(queryId);
    const hasReplied = typeof heard === 'object' && 'name' in heard;
    if (hasReplied) peerLog.replied(peerId, clock.monotonicMs() - sentAtMs);
    if (confirmed || hasReplied) call.sent++;
    // Who may not have been asked was not silent.
    return heard === 'deadline' && !confirmed ? 'unconfirmed' : heard;
  }

  #noteAsked(peerId: string, rungMsat: bigint): void {
    const largest = this.#largestAsked.get(peerId) ?? 0n;
    if (rungMsat > largest) this.#largestAsked.set(peerId, rungMsat);
  }

  /** Checks a reply against the gossip and remembers what is left of it. */
  async #takeUp(peerId: string, reply: FoafReply, nodeId: string): Promise<{ word: Word; fresh: boolean }> {
    const { clock, gossip, knowledge, onLearned } = this.#init;
    // The age at receipt, not after the gossip was read.
    const ageMs = Math.max(0, clock.wallMs() - Number(reply.timestampMs));
    const saidAtMs = clock.monotonicMs() - ageMs;
    const known: GossipChannels = await gossip.read(peerId, reply.flow);
    let believed = believe(reply, nodeId, known);
    // lightningd may not say: nothing is held against anyone then, and this is not remembered as all.
    const isNewer =
      believed.unknown.length > 0 && (await this.#areSomeOf(peerId, believed.unknown).catch(() => undefined));
    let isChecked = isNewer === false;
    if (isNewer === true) {
      const newer = await gossip.read(peerId, reply.flow, GOSSIP_RETRY_AGE_MS);
      // What was read just now cannot be read again yet: a channel may be missing, so this is not remembered as all.
      isChecked = newer !== known;
      believed = believe(reply, nodeId, newer);
    }
    const word: Word = {
      flow: reply.flow,
      amountMsat: reply.amountMsat,
      timestampMs: reply.timestampMs,
      saidAtMs,
      channels: believed.channels,
    };
    const learned = isChecked ? knowledge.learn(peerId, word) : undefined;
    if (learned === undefined) return { word: knowledge.standing(word), fresh: false };
    onLearned(peerId, learned);
    return { word: learned, fresh: true };
  }

  /**
   * Looks up some of the channels that are not known as the peer's. Another's among them is a breach, one that nobody
   * knows is none: it may be too new for us.
   *
   * @returns whether the peer's own are among them, so that its gossip is worth reading again: all of it, which is
   * more than a peer shall be able to set off with names that it made up
   */
  async #areSomeOf(peerId: string, unknown: readonly ShortChannelId[]): Promise<boolean> {
    const { breaches, clock, gossip, newQueryId } = this.#init;
    // From a random place on, so that a liar cannot choose what is looked at.
    const first = Number.parseInt(newQueryId().slice(0, 8), 16) % unknown.length;
    const some = [...unknown.slice(first), ...unknown.slice(0, first)].slice(0, LOOKED_UP);
    const found = (await Promise.all(some.map(id => gossip.endsOf(id)))).filter(ends => ends !== undefined);
    if (found.some(ends => !ends.includes(peerId)))
      breaches.strike(peerId, 'channel of others', clock.monotonicMs());
    return found.some(ends => ends.includes(peerId));
  }

  #answered(peerId: string, status: 'replied' | 'remembered', word: Word): FriendAnswer {
    const ageMs = Math.round(this.#init.clock.monotonicMs() - word.saidAtMs);
    const said = { amountMsat: word.amountMsat, timestampMs: word.timestampMs, ageMs };
    return { peerId, status, said, channels: word.channels };
  }
}

/** Adds to a count; at nothing it is gone. */
function add(counts: Map<string, number>, key: string, amount: number): void {
  const count = (counts.get(key) ?? 0) + amount;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
