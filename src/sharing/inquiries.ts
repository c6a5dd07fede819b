/**
 * The queries that we have sent, so that a reply can be told from word that nobody asked for.
 *
 * Hazard: replies come from peers who may lie, repeat themselves and guess. A reply counts only for a query that was
 * registered before it was sent, to that peer, on that flow, for at most the reply's amount; and what is remembered
 * of ended queries is bounded.
 */
import type { Flow, FoafReply } from '../wire/codec.ts';

/** How many ended inquiries are remembered for replies that come too late; the oldest go first. */
const MAX_ENDED = 1024;

/** One query that was sent. */
export interface Inquiry {
  readonly queryId: string;
  readonly peerId: string;
  readonly flow: Flow;
  readonly amountMsat: bigint;
  /** Called once, with the reply that counts. */
  readonly onReply: (reply: FoafReply) => void;
  /** Called when the peer disconnects before it replied. */
  readonly onDisconnect: () => void;
}

/** `answer`: for a waiting inquiry, which has been told. `late`: for one that has ended. `unasked`: for none. */
export type ReplyKind = 'answer' | 'late' | 'unasked';

export class Inquiries {
  readonly #waiting = new Map<string, Inquiry>();
  readonly #ended = new Map<string, Omit<Inquiry, 'onReply' | 'onDisconnect'>>();

  /** Registers an inquiry, before its query is sent. */
  register(inquiry: Inquiry): void {
    this.#waiting.set(inquiry.queryId, inquiry);
  }

  /** The asker no longer waits; a reply from now on is late. */
  end(queryId: string): void {
    const inquiry = this.#waiting.get(queryId);
    if (inquiry === undefined) return;
    this.#waiting.delete(queryId);
    const { peerId, flow, amountMsat } = inquiry;
    this.#ended.set(queryId, { queryId, peerId, flow, amountMsat });
    const oldest = this.#ended.keys().next();
    if (this.#ended.size > MAX_ENDED && !oldest.done) this.#ended.delete(oldest.value);
  }

  /** Judges a reply and, if it is the awaited one, hands it over; a second one with that id is late. */
  match(peerId: string, reply: FoafReply): ReplyKind {
    if (reply.queryId === undefined) return 'unasked';
    const waiting = this.#waiting.get(reply.queryId);
    if (waiting !== undefined && counts(waiting, peerId, reply)) {
      this.end(reply.queryId);
      waiting.onReply(reply);
      return 'answer';
    }
    const ended = this.#ended.get(reply.queryId);
    return ended !== undefined && counts(ended, peerId, reply) ? 'late' : 'unasked';
  }

  /** The peer is gone: nothing that was asked of it will be answered. */
  disconnected(peerId: string): void {
    for (const inquiry of [...this.#waiting.values()]) {
      if (inquiry.peerId !== peerId) continue;
      this.end(inquiry.queryId);
      inquiry.onDisconnect();
    }
  }
}

function counts(
  inquiry: Pick<Inquiry, 'peerId' | 'flow' | 'amountMsat'>,
  peerId: string,
  reply: FoafReply,
): boolean {
  return inquiry.peerId === peerId && inquiry.flow === reply.flow && reply.amountMsat >= inquiry.amountMsat;
}
