/**
 * Payments to ourselves, by lightningd's own commands, and the journal of them in its datastore.
 *
 * Hazard: an answer that does not come says nothing. Only what lightningd itself calls failed has failed; after a lost
 * connection or a timeout a payment may be on its way.
 */
import * as v from 'valibot';
import type { RouteHop } from '../circles/types.ts';
import type { JournalEntry, Outcome, OwnInvoice, Payments } from '../rebalance/ports.ts';
import { formatShortChannelId } from '../wire/short-channel-id.ts';
import * as answers from './answers.ts';
import { ErrorCode, RpcError } from './errors.ts';
import { jsonText } from './json-text.ts';
import type { Rpc } from './rpc-client.ts';

/** By convention a plugin's name comes first (lightningd's `datastore`). */
const KEY = ['balancesharing', 'rebalances'];
/** Labels of our invoices and payments begin with this. */
export const LABEL_PREFIX = 'balancesharing-rebalance-';
/** Long enough for a payment to arrive; what is left behind then expires by itself. */
const INVOICE_EXPIRY_S = 3600;
/** lightningd gets this much longer to answer than it was asked to wait. */
const GRACE_MS = 10_000;

/** Core Lightning's codes (lightning-waitsendpay, lightning-delinvoice, lightning-deldatastore). */
const Code = {
  stillPending: 200,
  failed: new Set([202, 203, 204, 208, 209]),
  noSuchInvoice: 905,
  otherStatus: 906,
  noSuchKey: 1200,
} as const;

const entry = v.object({
  out_peer_id: v.string(),
  in_peer_id: v.string(),
  amount_msat: v.pipe(
    v.string(),
    v.regex(/^[0-9]{1,20}$/),
    v.transform(value => BigInt(value)),
  ),
});

/** @param finalDelay blocks that the last HTLC of a circle has left */
export function createPayments(rpc: Rpc, finalDelay: number): Payments {
  return {
    note: async ({ label, outPeerId, inPeerId, amountMsat }) => {
      const string = jsonText({
        out_peer_id: outPeerId,
        in_peer_id: inPeerId,
        amount_msat: String(amountMsat),
      });
      await rpc.call('datastore', { key: [...KEY, label], string, mode: 'must-create' });
    },
    noted: async () => {
      const answer = await rpc.call('listdatastore', { key: KEY }).catch((error: unknown) => {
        // A node without a datastore has nothing noted, and will refuse to note anything.
        if (error instanceof RpcError && error.code === ErrorCode.methodNotFound) return { datastore: [] };
        throw error;
      });
      const { datastore } = answers.readAnswer('listdatastore', answers.listdatastore, answer);
      return datastore.flatMap(({ key, string }) => readEntry(key?.at(-1), string));
    },
    forget: async label => {
      await rpc.call('deldatastore', { key: [...KEY, label] }).catch((error: unknown) => {
        if (!(error instanceof RpcError && error.code === Code.noSuchKey)) throw error;
      });
    },
    invoice: async (label, amountMsat): Promise<OwnInvoice> => {
      const answer = await rpc.call('invoice', {
        label,
        amount_msat: amountMsat,
        description: 'rebalance',
        expiry: INVOICE_EXPIRY_S,
        cltv: finalDelay,
        exposeprivatechannels: false,
      });
      const { payment_hash, payment_secret } = answers.readAnswer('invoice', answers.invoice, answer);
      return { paymentHash: payment_hash, paymentSecret: payment_secret };
    },
    send: async ({ paymentHash, paymentSecret }, label, hops, amountMsat): Promise<Outcome> => {
      try {
        await rpc.call('sendpay', {
          route: hops.map(routeHop),
          payment_hash: paymentHash,
          payment_secret: paymentSecret,
          amount_msat: amountMsat,
          label,
        });
      } catch (error) {
        if (error instanceof RpcError) return failure(error);
      }
      // Without an answer it may have left all the same.
      return { status: 'pending' };
    },
    wait: async (paymentHash, timeoutMs): Promise<Outcome> => {
      const timeout = Math.max(1, Math.ceil(timeoutMs / 1000));
      try {
        await rpc.call(
          'waitsendpay',
          { payment_hash: paymentHash, timeout },
          { timeoutMs: timeout * 1000 + GRACE_MS },
        );
        return { status: 'complete' };
      } catch (error) {
        if (!(error instanceof RpcError)) return { status: 'unknown', message: String(error) };
        if (error.code === Code.stillPending) return { status: 'pending' };
        return Code.failed.has(error.code) ? failure(error) : { status: 'unknown', message: error.message };
      }
    },
    cancel: async label => {
      try {
        await rpc.call('delinvoice', { label, status: 'unpaid' });
        return 'cancelled';
      } catch (error) {
        if (!(error instanceof RpcError)) throw error;
        if (error.code === Code.noSuchInvoice) return 'gone';
        if (error.code !== Code.otherStatus) throw error;
        if (v.is(answers.delinvoiceStatus, error.data) && error.data.current_status === 'paid') return 'paid';
      }
      await rpc.call('delinvoice', { label, status: 'expired' });
      return 'cancelled';
    },
    underWay: async () => {
      const answer = await rpc.call('listsendpays', { status: 'pending' });
      const { payments } = answers.readAnswer('listsendpays', answers.listsendpays, answer);
      const ours = payments.filter(({ label }) => label?.startsWith(LABEL_PREFIX));
      return new Map(ours.map(({ label = '', payment_hash }) => [label, payment_hash]));
    },
  };
}

/** What is no entry of ours has no payment either: without its label nothing can be found. */
function readEntry(label: string | undefined, text: string | undefined): JournalEntry[] {
  if (label === undefined || !label.startsWith(LABEL_PREFIX)) return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(text ?? '');
  } catch {
    parsed = undefined;
  }
  const read = v.safeParse(entry, parsed);
  if (!read.success) return [{ label, outPeerId: '', inPeerId: '', amountMsat: 0n }];
  const { out_peer_id, in_peer_id, amount_msat } = read.output;
  return [{ label, outPeerId: out_peer_id, inPeerId: in_peer_id, amountMsat: amount_msat }];
}

function routeHop({ id, shortChannelId, direction, amountMsat, delay }: RouteHop): object {
  return {
    id,
    channel: formatShortChannelId(shortChannelId),
    direction,
    amount_msat: amountMsat,
    delay,
    style: 'tlv',
  };
}

function failure({ message, data }: RpcError): Outcome {
  const read = v.safeParse(answers.routingFailure, data);
  if (!read.success) return { status: 'failed', message };
  const { erring_channel, erring_direction, failcode } = read.output;
  return {
    status: 'failed',
    message,
    blamed: { shortChannelId: erring_channel, direction: erring_direction, failcode },
  };
}
