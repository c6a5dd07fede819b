/**
 * The answers of lightningd that we read, each in the parts that we use, in the shapes that its releases gave them.
 * Sources: doc/schemas of Core Lightning v26.06, and for older releases their manual pages.
 */
import { setImmediate } from 'node:timers/promises';
import * as v from 'valibot';
import { parseShortChannelId } from '../wire/short-channel-id.ts';
import { UnexpectedAnswerError } from './errors.ts';

/** Millisatoshis: an integer, or text such as `123msat` before v23.02; long integers come as text from our framer. */
const msat = v.pipe(
  v.union([
    v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
    v.pipe(v.string(), v.regex(/^[0-9]{1,20}(msat)?$/)),
  ]),
  v.transform(value => BigInt(typeof value === 'number' ? value : value.replace('msat', ''))),
);

const shortChannelId = v.pipe(
  v.string(),
  // With colons before v0.7.
  v.transform(text => parseShortChannelId(text.replaceAll(':', 'x'))),
  v.bigint('must be a short channel id such as 103x1x0'),
);

/** Satoshis, as releases before v0.10 told capacities. */
const sat = v.pipe(
  v.number(),
  v.safeInteger(),
  v.minValue(0),
  v.transform(value => BigInt(value) * 1000n),
);

const uint32 = v.pipe(v.number(), v.safeInteger(), v.minValue(0), v.maxValue(0xffff_ffff));

const nodeId = v.pipe(v.string(), v.regex(/^0[23][0-9a-f]{64}$/));

const updates = v.object({
  htlc_minimum_msat: msat,
  htlc_maximum_msat: msat,
  fee_base_msat: msat,
  fee_proportional_millionths: v.pipe(
    uint32,
    v.transform(value => BigInt(value)),
  ),
  cltv_expiry_delta: uint32,
});

export const getinfo = v.object({ id: nodeId, blockheight: v.number() });

/** One of `listpeerchannels`' channels. */
export const peerChannel = v.object({
  peer_id: nodeId,
  peer_connected: v.boolean(),
  reestablished: v.optional(v.boolean()),
  state: v.string(),
  private: v.optional(v.boolean()),
  short_channel_id: v.optional(shortChannelId),
  to_us_msat: v.optional(msat),
  total_msat: v.optional(msat),
  spendable_msat: v.optional(msat),
  receivable_msat: v.optional(msat),
  /** Since v24.02. */
  updates: v.optional(v.object({ local: updates, remote: v.optional(updates) })),
  minimum_htlc_out_msat: v.optional(msat),
  maximum_htlc_out_msat: v.optional(msat),
});

/** The same, as far as forwards over it go. */
export const forwardingChannel = v.object({
  channel_id: v.optional(v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/))),
  peer_id: nodeId,
  peer_connected: v.boolean(),
  reestablished: v.optional(v.boolean()),
  state: v.string(),
  short_channel_id: v.optional(v.string()),
  alias: v.optional(v.object({ local: v.optional(v.string()) })),
  to_us_msat: v.optional(msat),
  total_msat: v.optional(msat),
  spendable_msat: v.optional(msat),
  our_reserve_msat: v.optional(msat),
  opener: v.optional(v.string()),
  last_tx_fee_msat: v.optional(msat),
  updates: v.optional(v.object({ local: updates })),
  max_accepted_htlcs: v.optional(v.number()),
  htlcs: v.optional(v.array(v.object({ direction: v.optional(v.string()) }))),
});

export const listfunds = v.object({
  channels: v.array(
    v.pipe(
      v.object({
        peer_id: nodeId,
        /** The oldest releases told neither. */
        connected: v.optional(v.boolean(), true),
        state: v.optional(v.string(), 'CHANNELD_NORMAL'),
        short_channel_id: v.optional(shortChannelId),
        our_amount_msat: v.optional(msat),
        amount_msat: v.optional(msat),
        /** Ours and the whole, before v0.12. */
        channel_sat: v.optional(sat),
        channel_total_sat: v.optional(sat),
      }),
      v.rawTransform(({ dataset, addIssue, NEVER }) => {
        const { our_amount_msat, amount_msat, channel_sat, channel_total_sat, ...rest } = dataset.value;
        const ours = our_amount_msat ?? channel_sat;
        const total = amount_msat ?? channel_total_sat;
        if (ours !== undefined && total !== undefined && ours <= total) {
          return { ...rest, our_amount_msat: ours, amount_msat: total };
        }
        addIssue({ message: 'needs our_amount_msat and amount_msat, the first not above the second' });
        return NEVER;
      }),
    ),
  ),
});

/** One direction of a channel, of `listchannels`' channels. */
export const listedChannel = v.pipe(
  v.object({
    source: nodeId,
    destination: nodeId,
    short_channel_id: shortChannelId,
    public: v.boolean(),
    active: v.boolean(),
    amount_msat: v.optional(msat),
    /** The capacity, before v0.12. */
    satoshis: v.optional(sat),
    htlc_minimum_msat: v.optional(msat, 0),
    /** Always there in public channels; without it the capacity is the limit. */
    htlc_maximum_msat: v.optional(msat),
    /** lightningd always tells these; a file in its form may leave them out, and gets Core Lightning's own defaults. */
    base_fee_millisatoshi: v.optional(msat, 1000),
    fee_per_millionth: v.pipe(
      v.optional(uint32, 10),
      v.transform(value => BigInt(value)),
    ),
    delay: v.optional(uint32, 34),
  }),
  v.transform(({ amount_msat, satoshis, ...rest }) => ({
    ...rest,
    amount_msat: amount_msat ?? satoshis ?? 0n,
  })),
  v.check(({ amount_msat }) => amount_msat > 0n, 'amount_msat is missing or 0'),
);

export const listchannels = v.object({ channels: v.array(listedChannel) });

/** A node that has announced itself has an alias, at most 32 bytes of its own choice. */
export const listnodes = v.object({
  nodes: v.array(v.object({ nodeid: nodeId, alias: v.optional(v.string()) })),
});

export const listpeers = v.object({ peers: v.array(v.object({ id: nodeId, connected: v.boolean() })) });

const direction = v.picklist([0, 1]);

/** A failed `sendpay` that blames a channel; others do not fit and tell nothing. */
export const sendpayFailure = v.object({
  sendpay_failure: v.object({
    data: v.object({
      erring_channel: shortChannelId,
      erring_direction: direction,
      failcode: v.number(),
      label: v.optional(v.string()),
      erring_node: v.optional(nodeId),
      destination: v.optional(nodeId),
      amount_msat: v.optional(msat),
      amount_sent_msat: msat,
    }),
  }),
});

/** Above 2^53 a group's number is rounded, the same way each time. */
const part = { payment_hash: v.string(), groupid: v.number(), partid: v.number() };

/** xpay's, since v25.09. */
export const payPartStart = v.object({
  pay_part_start: v.object({
    ...part,
    hops: v.array(v.object({ short_channel_id: shortChannelId, direction, channel_out_msat: msat })),
  }),
});

export const payPartEnd = v.object({
  pay_part_end: v.object({
    ...part,
    status: v.picklist(['success', 'failure']),
    failed_short_channel_id: v.optional(shortChannelId),
    failed_direction: v.optional(direction),
    failed_msg: v.optional(v.string()),
  }),
});

/** A forward on its way; a channel of its own or an amount stands there only where it has left, or could have. */
export const forwardEvent = v.object({
  forward_event: v.object({
    in_channel: v.string(),
    in_htlc_id: v.number(),
    out_channel: v.optional(v.string()),
    out_msat: v.optional(msat),
    fee_msat: v.optional(msat),
    status: v.string(),
    failcode: v.optional(v.number()),
  }),
});

/** Money that has moved in one of our channels. */
export const channelMovement = v.object({
  coin_movement: v.object({
    type: v.literal('channel_mvt'),
    account_id: v.string(),
    credit_msat: msat,
    debit_msat: msat,
    primary_tag: v.optional(v.string()),
  }),
});

export const invoiceCreation = v.object({
  invoice_creation: v.object({
    label: v.string(),
    preimage: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  }),
});

/** `foafcircles` and `foafrebalance`, as far as just-in-time routing uses them. */
export const foafcircles = v.object({
  circles: v.array(v.object({ hops: v.pipe(v.array(v.object({ id: nodeId })), v.minLength(2)) })),
  missing: v.optional(v.looseObject({ reasons: v.array(v.string()) })),
});

export const foafrebalance = v.object({ status: v.literal('complete'), fee_msat: msat });

/** The data of a failed `foafrebalance`. */
export const rebalanceFailure = v.object({ unsettled: v.optional(v.boolean(), false) });

export const help = v.object({ help: v.array(v.object({ command: v.string() })) });

/** One option, or several of one name. */
export const listconfigs = v.object({
  configs: v.record(
    v.string(),
    v.object({
      value_str: v.optional(v.string()),
      values_str: v.optional(v.array(v.string())),
      source: v.optional(v.string()),
    }),
  ),
});

/** One option of `listconfigs`; before v23.08 the answer itself had it. */
export const cltvFinal = v.union([
  v.pipe(
    v.object({ configs: v.object({ 'cltv-final': v.object({ value_int: uint32 }) }) }),
    v.transform(({ configs }) => configs['cltv-final'].value_int),
  ),
  v.pipe(
    v.object({ 'cltv-final': uint32 }),
    v.transform(answer => answer['cltv-final']),
  ),
]);

/** What `init` says of the node. */
export const configuration = v.object({
  'lightning-dir': v.string(),
  'rpc-file': v.string(),
  network: v.string(),
  startup: v.optional(v.boolean(), true),
});

export const listdatastore = v.object({
  datastore: v.array(v.object({ key: v.optional(v.array(v.string())), string: v.optional(v.string()) })),
});

const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));

export const invoice = v.object({ payment_hash: hash, payment_secret: hash });

export const listsendpays = v.object({
  payments: v.array(v.object({ payment_hash: hash, label: v.optional(v.string()) })),
});

/** The data of a failed `delinvoice`. */
export const delinvoiceStatus = v.object({ current_status: v.string() });

/** The data of a failed `sendpay` or `waitsendpay` that blames a channel. */
export const routingFailure = v.object({
  erring_channel: shortChannelId,
  erring_direction: direction,
  failcode: v.number(),
});

export const makesecret = v.object({ secret: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)) });

/**
 * Reads an answer of lightningd.
 *
 * @throws UnexpectedAnswerError with the place and what is wrong there
 */
export function readAnswer<T>(method: string, schema: v.GenericSchema<unknown, T>, answer: unknown): T {
  const result = v.safeParse(schema, answer, { abortEarly: true });
  if (result.success) return result.output;
  throw unexpected(method, '', result.issues);
}

function unexpected(
  method: string,
  within: string,
  [issue]: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]],
): UnexpectedAnswerError {
  const place = `${within}${v.getDotPath(issue) ?? ''}`.replace(/\.$/, '') || 'the answer';
  return new UnexpectedAnswerError(`lightningd answered ${method} unexpectedly: ${place}: ${issue.message}`);
}

/** An answer whose list may be long. */
const channelList = v.object({ channels: v.array(v.unknown()) });
/** How many channels are read before others get their turn: about two milliseconds. */
const CHANNELS_PER_SLICE = 100;

/**
 * Reads the channels of an answer, in slices: a thousand at once would keep a hook waiting.
 *
 * @param convert what is kept of each: what is dropped at once costs little memory
 * @throws UnexpectedAnswerError as `readAnswer` does
 */
export async function readChannels<T, U>(
  method: string,
  schema: v.GenericSchema<unknown, T>,
  answer: unknown,
  convert: (channel: T) => U,
): Promise<U[]> {
  const { channels } = readAnswer(method, channelList, answer);
  const read: U[] = [];
  for (const [index, channel] of channels.entries()) {
    if (index > 0 && index % CHANNELS_PER_SLICE === 0) await setImmediate();
    const result = v.safeParse(schema, channel, { abortEarly: true });
    if (!result.success) throw unexpected(method, `channels.${index}.`, result.issues);
    read.push(convert(result.output));
  }
  return read;
}
