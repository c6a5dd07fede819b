/**
 * Our own limits on asking (docs/protocol.md, "Asking"): an honest asker must never be caught by the answerer's.
 */
import type { Flow } from '../wire/codec.ts';
import { SlidingWindow } from './sliding-window.ts';

/** At most this many queries to a peer in any `QUERY_WINDOW_MS`; the answerer counts 10 s. */
const QUERIES_PER_WINDOW = 4;
const QUERY_WINDOW_MS = 12_000;
/** At most this many new questions to a peer in an hour. */
const NEW_QUESTIONS_PER_HOUR = 6;
const HOUR_MS = 3_600_000;
/** The same flow and rung again within this time is no new question. */
const REPEAT_MS = 300_000;

export class QuestionLimits {
  readonly #queries = new SlidingWindow(QUERIES_PER_WINDOW, QUERY_WINDOW_MS);
  readonly #newQuestions = new SlidingWindow(NEW_QUESTIONS_PER_HOUR, HOUR_MS);
  readonly #repeats = new SlidingWindow(1, REPEAT_MS);

  /** Why a query may not be sent now, in words; `undefined` when it may. */
  refusal(peerId: string, flow: Flow, rungMsat: bigint, nowMs: number): string | undefined {
    if (!this.#queries.allows(peerId, nowMs)) {
      return `asked ${QUERIES_PER_WINDOW} times within ${QUERY_WINDOW_MS / 1000} s`;
    }
    const isNew = this.#repeats.allows(questionOf(peerId, flow, rungMsat), nowMs);
    if (isNew && !this.#newQuestions.allows(peerId, nowMs)) {
      return `asked ${NEW_QUESTIONS_PER_HOUR} new questions within an hour`;
    }
    return undefined;
  }

  /** Takes one query to a peer, if the limits allow; else says why not, as `refusal` does. */
  refuse(peerId: string, flow: Flow, rungMsat: bigint, nowMs: number): string | undefined {
    const refusal = this.refusal(peerId, flow, rungMsat, nowMs);
    if (refusal !== undefined) return refusal;
    const isNew = this.#repeats.tryTake(questionOf(peerId, flow, rungMsat), nowMs);
    if (isNew) this.#newQuestions.tryTake(peerId, nowMs);
    this.#queries.tryTake(peerId, nowMs);
    return undefined;
  }
}

function questionOf(peerId: string, flow: Flow, rungMsat: bigint): string {
  return `${peerId}|${flow}|${rungMsat}`;
}
