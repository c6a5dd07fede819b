/**
 * Reads a network from what `lightning-cli listchannels` prints, plain or gzipped.
 *
 * Hazard: a file may be anything. Each channel is checked once, with the plugin's own schema, and a file that says
 * impossible things is refused as a whole rather than measured.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import * as v from 'valibot';
import { listedChannel } from '../lightningd/answers.ts';
import type { ShortChannelId } from '../wire/short-channel-id.ts';
import { type ChannelRecord, type DirectionTerms, Network } from './network.ts';

export class BadNetworkError extends Error {
  override readonly name = 'BadNetworkError';
}

type Listed = v.InferOutput<typeof listedChannel>;

/** Above this share of active directions whose maximum is below their minimum the file cannot be right. */
const MAX_IMPOSSIBLE_SHARE = 0.01;
const GZIP_MAGIC = 0x1f8b;

const listing = v.object({ channels: v.array(v.unknown()) });

/** @throws BadNetworkError with the file and what is wrong with it */
export function readNetwork(path: string): Network {
  try {
    return networkOf(parse(readFileSync(path)));
  } catch (error) {
    throw new BadNetworkError(`${path}: ${error instanceof Error ? error.message : error}`);
  }
}

function parse(bytes: Buffer): unknown {
  const isGzip = bytes.length > 1 && bytes.readUInt16BE(0) === GZIP_MAGIC;
  const text = (isGzip ? gunzipSync(bytes) : bytes).toString('utf8');
  const answer: unknown = JSON.parse(text);
  return answer;
}

/** The channels of a `listchannels` answer that are public and active in both directions. */
export function networkOf(answer: unknown): Network {
  const parsed = v.safeParse(listing, answer);
  if (!parsed.success) throw new BadNetworkError('not what listchannels prints: no list of channels');
  const halves = new Map<ShortChannelId, Listed>();
  const records: ChannelRecord[] = [];
  let active = 0;
  let impossible = 0;
  for (const [index, channel] of parsed.output.channels.entries()) {
    const read = v.safeParse(listedChannel, channel, { abortEarly: true });
    if (!read.success) {
      const [issue] = read.issues;
      throw new BadNetworkError(`channels.${index}.${v.getDotPath(issue) ?? ''}: ${issue.message}`);
    }
    const listed = read.output;
    if (!listed.active || !listed.public) continue;
    active++;
    if (maximumOf(listed) < listed.htlc_minimum_msat) impossible++;
    const other = halves.get(listed.short_channel_id);
    if (other === undefined) halves.set(listed.short_channel_id, listed);
    else records.push(recordOf(index, other, listed));
  }
  if (impossible > MAX_IMPOSSIBLE_SHARE * active) {
    throw new BadNetworkError(
      `${impossible} of ${active} active directions have a maximum below their minimum`,
    );
  }
  if (records.length === 0) throw new BadNetworkError('no channel is active in both directions');
  return new Network(records);
}

function recordOf(index: number, a: Listed, b: Listed): ChannelRecord {
  const [first, second] = a.source < b.source ? [a, b] : [b, a];
  const isPair = first.source === second.destination && first.destination === second.source;
  if (!isPair || first.source === second.source || first.amount_msat !== second.amount_msat) {
    throw new BadNetworkError(`channels.${index}: not the other direction of the one with the same id`);
  }
  return {
    shortChannelId: first.short_channel_id,
    ends: [first.source, second.source],
    capacity: Number(first.amount_msat),
    terms: [termsOf(first), termsOf(second)],
  };
}

function termsOf(listed: Listed): DirectionTerms {
  return {
    baseFee: Number(listed.base_fee_millisatoshi),
    feePpm: Number(listed.fee_per_millionth),
    cltvDelta: listed.delay,
    htlcMinimum: Number(listed.htlc_minimum_msat),
    htlcMaximum: Number(maximumOf(listed)),
  };
}

function maximumOf({ htlc_maximum_msat, amount_msat }: Listed): bigint {
  return htlc_maximum_msat ?? amount_msat;
}
