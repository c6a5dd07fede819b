/**
 * What the node's own payments show of channels, from lightningd's `sendpay_failure` and from xpay's `pay_part_start`
 * and `pay_part_end`.
 *
 * Hazard: only a want of liquidity speaks of a balance, and only at the amount that this very hop should have carried;
 * anything more would let whoever fails our payments cheaply spoil what friends told us. xpay names the hops when a
 * part starts and the failure when it ends, so parts under way are remembered, a bounded number of them.
 */
import { LRUCache } from 'lru-cache';
import * as v from 'valibot';
import { meaningOf } from '../knowledge/failure-codes.ts';
import type { Knowledge } from '../knowledge/knowledge.ts';
import type { ChannelDirection } from '../knowledge/marks.ts';
import type { Clock } from '../sharing/ports.ts';
import * as answers from './answers.ts';

/** How many parts of payments may be under way at once; those that started first are forgotten first. */
const MAX_PARTS = 1000;

/** What to subscribe to. */
export const PAYMENT_TOPICS = ['sendpay_failure', 'pay_part_start', 'pay_part_end'] as const;

export interface PaymentNewsInit {
  readonly knowledge: Pick<Knowledge, 'failed' | 'withdraw' | 'moved'>;
  readonly clock: Clock;
  /** Told when something was learned. */
  readonly onNews: () => void;
}

interface Hop extends ChannelDirection {
  readonly amountMsat: bigint;
}

export class PaymentNews {
  readonly #init: PaymentNewsInit;
  readonly #parts = new LRUCache<string, readonly Hop[]>({ max: MAX_PARTS });

  constructor(init: PaymentNewsInit) {
    this.#init = init;
  }

  /** Who takes the parameters of each notification. What is of another form is passed over. */
  readonly topics: Readonly<Record<(typeof PAYMENT_TOPICS)[number], (params: unknown) => void>> = {
    sendpay_failure: params => this.#onSendpayFailure(params),
    pay_part_start: params => this.#onPartStart(params),
    pay_part_end: params => this.#onPartEnd(params),
  };

  #onSendpayFailure(params: unknown): void {
    const read = v.safeParse(answers.sendpayFailure, params);
    if (!read.success) return;
    const { erring_channel, erring_direction, failcode, amount_sent_msat } = read.output.sendpay_failure.data;
    const channel = { shortChannelId: erring_channel, direction: erring_direction };
    // Which hops it had is not told: it should have carried what we sent at most, and less than that got through.
    this.#failedAt({ ...channel, amountMsat: amount_sent_msat }, failcode);
  }

  #onPartStart(params: unknown): void {
    const read = v.safeParse(answers.payPartStart, params);
    if (!read.success) return;
    const { hops } = read.output.pay_part_start;
    this.#parts.set(
      partKey(read.output.pay_part_start),
      hops.map(({ short_channel_id, direction, channel_out_msat }) => ({
        shortChannelId: short_channel_id,
        direction,
        amountMsat: channel_out_msat,
      })),
    );
  }

  #onPartEnd(params: unknown): void {
    const read = v.safeParse(answers.payPartEnd, params);
    if (!read.success) return;
    const part = read.output.pay_part_end;
    const key = partKey(part);
    const hops = this.#parts.get(key) ?? [];
    this.#parts.delete(key);
    if (part.status === 'success') {
      this.#moved(hops);
      return;
    }
    const { failed_short_channel_id: id, failed_direction: direction, failed_msg: message } = part;
    const failedAt = hops.find(hop => hop.shortChannelId === id && hop.direction === direction);
    if (failedAt !== undefined && message !== undefined) {
      this.#failedAt(failedAt, Number.parseInt(message.slice(0, 4), 16));
    }
  }

  #moved(hops: readonly Hop[]): void {
    const { knowledge, clock, onNews } = this.#init;
    for (const hop of hops) knowledge.moved(hop, hop.amountMsat, clock.monotonicMs());
    if (hops.length > 0) onNews();
  }

  #failedAt(hop: Hop, failcode: number): void {
    const { knowledge, clock, onNews } = this.#init;
    const meaning = meaningOf(failcode);
    if (meaning === 'nothing') return;
    if (meaning === 'liquidity') knowledge.failed(hop, hop.amountMsat, clock.monotonicMs());
    else knowledge.withdraw(hop, clock.monotonicMs());
    onNews();
  }
}

function partKey(part: {
  readonly payment_hash: string;
  readonly groupid: number;
  readonly partid: number;
}): string {
  return `${part.payment_hash}|${part.groupid}|${part.partid}`;
}
