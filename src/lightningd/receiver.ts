/**
 * From the `custommsg` hook to the two sides of a conversation.
 *
 * Hazard: a slow hook stalls that peer's whole connection, HTLCs included, and anybody who connects can send us
 * anything. The hook has been answered before anything here runs; what comes is put into a bounded queue at once and
 * looked at later, one message a turn, so that the next hook call never waits for more than one message.
 */
import type { Answerer } from '../sharing/answerer.ts';
import type { Asker } from '../sharing/asker.ts';
import type { Breaches } from '../sharing/breaches.ts';
import { Inbox } from '../sharing/inbox.ts';
import type { SlidingWindow } from '../sharing/sliding-window.ts';
import { decodeMessage, FOAF_MESSAGE_TYPE, type FoafMessage } from '../wire/codec.ts';
import { WireError, type WireErrorReason } from '../wire/wire-error.ts';
import type { Logger } from './logger.ts';

const TYPE_HEX = FOAF_MESSAGE_TYPE.toString(16).padStart(4, '0');
/** How much of a hostile text goes into a log line. */
const SHOWN_CHARACTERS = 64;
/** What is no breach: a record that we do not know may be a later version's, and the others no peer can cause. */
const NO_BREACH: ReadonlySet<WireErrorReason> = new Set([
  'unknown_even',
  'other_type',
  'not_hex',
  'oversized',
]);
/** The place of whoever is no friend in the limit of log lines. */
const STRANGERS = '';

export interface ReceiverInit {
  readonly asker: Pick<Asker, 'onReply' | 'onSpoken'>;
  readonly answerer: Pick<Answerer, 'answer'>;
  /** Whether a peer is known as one with a channel: others share one place in the queue and in the log. */
  readonly isFriend: (peerId: string) => boolean;
  readonly breaches: Breaches;
  readonly logger: Logger;
  /** Limits the debug lines about messages that were dropped: of each friend, and of all strangers together. */
  readonly logLimit: SlidingWindow;
  readonly monotonicMs: () => number;
}

export class Receiver {
  /** How many messages came to what end, by outcome. */
  readonly counters = new Map<string, number>();
  readonly #init: ReceiverInit;
  readonly #inbox: Inbox;
  #draining = false;

  constructor(init: ReceiverInit) {
    this.#init = init;
    this.#inbox = new Inbox(init.isFriend);
  }

  /** Takes the parameters of one hook call; never waits and never throws, whatever they are. */
  receive(params: unknown): void {
    const { peer_id: peerId, payload }: { peer_id?: unknown; payload?: unknown } =
      typeof params === 'object' && params !== null ? params : {};
    if (typeof peerId !== 'string' || typeof payload !== 'string') {
      this.#drop('', 'no_message', '');
      return;
    }
    // Releases before v25.12 ignore our filter and hand us every type.
    if (!payload.startsWith(TYPE_HEX)) {
      this.#drop(peerId, 'other_type', payload);
      return;
    }
    const { breaches, isFriend, monotonicMs } = this.#init;
    if (breaches.isIgnored(peerId, monotonicMs())) {
      this.#drop(peerId, 'ignored', payload);
      return;
    }
    if (isFriend(peerId) && breaches.countMessage(peerId, monotonicMs())) {
      this.#drop(peerId, 'flood', payload);
      return;
    }
    if (!this.#inbox.push(peerId, payload)) {
      this.#drop(peerId, 'queue_full', payload);
      return;
    }
    if (this.#draining) return;
    this.#draining = true;
    setImmediate(() => this.#drainOne());
  }

  #drainOne(): void {
    const next = this.#inbox.take();
    this.#draining = !this.#inbox.isEmpty;
    if (this.#draining) setImmediate(() => this.#drainOne());
    if (next !== undefined) this.#handle(next.peerId, next.payload);
  }

  #handle(peerId: string, payload: string): void {
    const { asker, answerer, breaches, isFriend, monotonicMs } = this.#init;
    // It may have broken the protocol with a message before this one. A flood is noted when it comes: what waits came
    // before it.
    const nowMs = monotonicMs();
    if (breaches.isIgnored(peerId, nowMs) && breaches.of(peerId, nowMs)?.lastBreach !== 'flood') {
      this.#drop(peerId, 'ignored', payload);
      return;
    }
    let message: FoafMessage;
    try {
      message = decodeMessage(payload);
    } catch (error) {
      // decodeMessage throws nothing else, and what it refuses is void: counted, never answered.
      if (!(error instanceof WireError)) throw error;
      if (!NO_BREACH.has(error.reason) && isFriend(peerId)) {
        breaches.strike(peerId, 'malformed message', monotonicMs());
      }
      this.#drop(peerId, error.reason, payload, error.message);
      return;
    }
    asker.onSpoken(peerId);
    const handled =
      message.name === 'reply_foaf_balances'
        ? asker.onReply(peerId, message)
        : answerer.answer(peerId, message);
    handled
      .then(outcome => {
        if (outcome === 'answered' || outcome === 'answer') this.#count(outcome);
        else this.#drop(peerId, outcome, payload);
      })
      // Neither rejects; if one did, a stranger's message must not end the plugin.
      .catch((error: unknown) => this.#init.logger.error(`a message could not be handled: ${String(error)}`));
  }

  #drop(peerId: string, outcome: string, payload: string, detail?: string): void {
    this.#count(outcome);
    const { isFriend, logLimit, logger, monotonicMs } = this.#init;
    if (!logLimit.tryTake(isFriend(peerId) ? peerId : STRANGERS, monotonicMs())) return;
    const shown = payload.slice(0, SHOWN_CHARACTERS);
    logger.debug(
      { peer_id: peerId, outcome, bytes: payload.length / 2, begins: shown, ...(detail && { detail }) },
      'message of type 347 dropped',
    );
  }

  #count(outcome: string): void {
    this.counters.set(outcome, (this.counters.get(outcome) ?? 0) + 1);
  }
}
