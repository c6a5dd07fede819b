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
import type { ShortChannelId } from '../wire/short-channel-id.ts';
import * as answers from './answers.ts';
import { LABEL_PREFIX } from './payments.ts';

/** How many parts of payments may be under way at once; those that started first are forgotten first. */
const MAX_PARTS = 1000;

/** What to subscribe to. */
export const PAYMENT_TOPICS = ['sendpay_failure', 'pay_part_start', 'pay_part_end'] as const;

export interface PaymentNewsInit {
  readonly knowledge: Pick<Knowledge, 'failed' | 'withdraw' | 'moved'>;
  readonly clock: Clock;
  /** Whether a channel is our own: lightningd knows those exactly, and a failure there passes with its cause. */
  readonly isOurs: (shortChannelId: ShortChannelId) => boolean;
  /** Told when something was learned. */
  readonly onNews: () => void;
}

interface Hop extends ChannelDirection {
  /** The least and the most that it should have carried. */
  readonly amountMsat: bigint;
  readonly provenMsat: bigint;
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
    const { data } = read.output.sendpay_failure;
    // Of our own rebalances we know every hop's amount, and take up what they show ourselves.
    if (data.label?.startsWith(LABEL_PREFIX)) return;
    // What the last node says, it says of the payment. With 0x1007 it would blame whoever is before it.
    if (data.erring_node !== undefined && data.erring_node === data.destination) return;
    // Which hops it had is not told, only what arrives at the end and what left here.
    const hop: Hop = {
      shortChannelId: data.erring_channel,
      direction: data.erring_direction,
      amountMsat: data.amount_msat ?? data.amount_sent_msat,
      provenMsat: data.amount_sent_msat,
    };
    this.#failedAt(hop, data.failcode);
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
        provenMsat: channel_out_msat,
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
    const { knowledge, clock, isOurs, onNews } = this.#init;
    for (const hop of hops) {
      if (!isOurs(hop.shortChannelId)) knowledge.moved(hop, hop.amountMsat, clock.monotonicMs());
    }
    if (hops.length > 0) onNews();
  }

  #failedAt(hop: Hop, failcode: number): void {
    const { knowledge, clock, isOurs, onNews } = this.#init;
    const meaning = meaningOf(failcode);
    if (meaning === 'nothing' || isOurs(hop.shortChannelId)) return;
    if (meaning === 'liquidity') knowledge.failed(hop, hop.amountMsat, clock.monotonicMs(), hop.provenMsat);
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
