/**
 * HTLCs and notifications as lightningd tells them, in the words of just-in-time routing.
 *
 * Hazard: an HTLC of a form that we do not know is not ours to hold, and every HTLC of the node comes by here: what is read
 * from it is looked at field by field, without a schema's cost.
 */
import { createHash } from 'node:crypto';
import * as v from 'valibot';
import type { ChannelBook } from '../jit/channel-book.ts';
import type { JustInTime } from '../jit/just-in-time.ts';
import type { Forward } from '../jit/types.ts';
import * as answers from './answers.ts';
import { LABEL_PREFIX } from './payments.ts';

/** BOLT 4: `temporary_channel_failure`. */
const NO_LIQUIDITY = 0x1007;

const CHANNEL_ID = /^[0-9a-f]{64}$/;

/** A forward; nothing where it ends here, or is of a form that we do not know. */
export function readForward(params: unknown): Forward | undefined {
  const { peer_id, forward_to, onion, htlc } = fields(params);
  if (typeof forward_to !== 'string' || !CHANNEL_ID.test(forward_to) || typeof peer_id !== 'string') {
    return undefined;
  }
  const { forward_msat, outgoing_cltv_value } = fields(onion);
  const { short_channel_id, id, amount_msat, cltv_expiry, cltv_expiry_relative, payment_hash } = fields(htlc);
  if (typeof short_channel_id !== 'string' || typeof payment_hash !== 'string') return undefined;
  if (!isWhole(id) || !isWhole(forward_msat) || !isWhole(amount_msat)) return undefined;
  if (!isWhole(cltv_expiry) || !isWhole(outgoing_cltv_value)) return undefined;
  // Below 0 when it has expired while lightningd was down.
  if (typeof cltv_expiry_relative !== 'number' || !Number.isSafeInteger(cltv_expiry_relative))
    return undefined;
  return {
    key: `${short_channel_id}/${id}`,
    inPeerId: peer_id,
    paymentHash: payment_hash,
    inMsat: BigInt(amount_msat),
    outMsat: BigInt(forward_msat),
    channelId: forward_to,
    inBlocks: cltv_expiry_relative,
    outBlocks: cltv_expiry_relative - (cltv_expiry - outgoing_cltv_value),
  };
}

export interface NewsInit {
  readonly jit: JustInTime;
  readonly book: ChannelBook;
  /** Told when a forward has ended. */
  readonly onEnded: () => void;
}

export const NEWS_TOPICS = ['forward_event', 'coin_movement', 'invoice_creation'] as const;

/** Who takes the parameters of each notification. What is of another form is passed over. */
export function createNews({
  jit,
  book,
  onEnded,
}: NewsInit): Readonly<Record<(typeof NEWS_TOPICS)[number], (params: unknown) => void>> {
  return {
    forward_event: params => {
      const read = v.safeParse(answers.forwardEvent, params);
      if (!read.success) return;
      const { in_channel, in_htlc_id, out_channel, out_msat, fee_msat, status, failcode } =
        read.output.forward_event;
      const key = `${in_channel}/${in_htlc_id}`;
      if (status === 'local_failed') jit.localFailed(key, failcode === NO_LIQUIDITY);
      else if (out_channel === undefined) return;
      else if (status === 'offered') jit.offered(key, out_channel, out_msat ?? 0n);
      else if (status === 'settled') jit.settled(key, out_channel, fee_msat ?? 0n);
      else if (status === 'failed') jit.failed(key, out_channel);
      if (status !== 'offered') onEnded();
    },
    coin_movement: params => {
      const read = v.safeParse(answers.channelMovement, params);
      if (!read.success) return;
      const { account_id, credit_msat, debit_msat, primary_tag } = read.output.coin_movement;
      if (credit_msat > 0n) {
        book.came(account_id, credit_msat);
        jit.arrived(account_id);
      }
      // What is routed was told by its forward_event.
      if (debit_msat > 0n && primary_tag !== 'routed') book.left(account_id, debit_msat);
    },
    invoice_creation: params => {
      const read = v.safeParse(answers.invoiceCreation, params);
      if (!read.success || !read.output.invoice_creation.label.startsWith(LABEL_PREFIX)) return;
      const preimage = Buffer.from(read.output.invoice_creation.preimage, 'hex');
      jit.ownInvoice(createHash('sha256').update(preimage).digest('hex'));
    },
  };
}

function isWhole(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
