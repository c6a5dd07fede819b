/** The command `foafbalance`: from a person's parameters to the asker, and from its result to JSON. */
import type { Asker } from '../sharing/asker.ts';
import {
  type AskResult,
  type FriendAnswer,
  NoChannelsInTimeError,
  NotAFriendError,
} from '../sharing/asking.ts';
import type { GossipChannel } from '../sharing/ports.ts';
import type { Flow } from '../wire/codec.ts';
import { formatShortChannelId } from '../wire/short-channel-id.ts';
import { type CommandSchema, parameterNames } from './command-schema.ts';
import { asCommandError, CommandError, ErrorCode } from './errors.ts';
import {
  bindParameters,
  invalidParameter,
  parseAmount,
  parseBoolean,
  parseNodeId,
  parseWholeNumber,
  shown,
} from './parameters.ts';
import schema from './schemas/foafbalance.json' with { type: 'json' };

export const FOAFBALANCE: CommandSchema = schema;
const NAME = FOAFBALANCE.rpc;
const PARAMETERS = parameterNames(FOAFBALANCE);

/** A call may wait this long, in seconds. */
export const TIMEOUT_RANGE_S = { minimum: 1, maximum: 300 } as const;

const FLOWS = new Map<unknown, Flow>([
  [1, 1],
  ['1', 1],
  ['out', 1],
  [0, 0],
  ['0', 0],
  ['in', 0],
]);

interface Parameters {
  readonly flow: Flow;
  readonly amountMsat: bigint;
  readonly peers: readonly string[] | undefined;
  readonly timeoutS: number | undefined;
  readonly fresh: boolean;
}

/** @throws CommandError -32602 naming the parameter, what was expected and what came */
export function parseFoafbalance(params: unknown): Parameters {
  const { direction, amount, peers, timeout, fresh } = bindParameters(NAME, PARAMETERS, params);
  const flow = FLOWS.get(direction);
  if (flow === undefined) {
    throw invalidParameter(NAME, 'direction', `must be 1 or out, 0 or in, got ${shown(direction)}`);
  }
  const amountMsat = parseAmount(amount);
  if (typeof amountMsat === 'string') throw invalidParameter(NAME, 'amount', amountMsat);
  const timeoutS = parseTimeout(timeout);
  const isFresh = fresh === undefined ? false : parseBoolean(fresh);
  if (isFresh === undefined)
    throw invalidParameter(NAME, 'fresh', `must be true or false, got ${shown(fresh)}`);
  return { flow, amountMsat, peers: parsePeers(peers), timeoutS, fresh: isFresh };
}

function parseTimeout(timeout: unknown): number | undefined {
  if (timeout === undefined) return undefined;
  const { minimum, maximum } = TIMEOUT_RANGE_S;
  const seconds = parseWholeNumber(timeout, minimum, maximum);
  if (seconds !== undefined) return seconds;
  throw invalidParameter(
    NAME,
    'timeout',
    `must be whole seconds, ${minimum} to ${maximum}, got ${shown(timeout)}`,
  );
}

function parsePeers(peers: unknown): string[] | undefined {
  if (peers === undefined) return undefined;
  const list: readonly unknown[] = Array.isArray(peers) ? peers : [peers];
  if (list.length === 0) throw invalidParameter(NAME, 'peers', 'must name a peer, got an empty array');
  return list.map(peer => {
    const id = parseNodeId(peer);
    if (id === undefined) {
      throw invalidParameter(NAME, 'peers', `must be one node id or an array of them, got ${shown(peer)}`);
    }
    return id;
  });
}

/**
 * Runs the command.
 *
 * @param defaultTimeoutS the option `foaf-timeout`
 * @throws CommandError -32602 for bad parameters, else a code of ErrorCode when lightningd could not be asked
 */
export async function foafbalance(asker: Asker, params: unknown, defaultTimeoutS: number): Promise<object> {
  const { flow, amountMsat, peers, timeoutS, fresh } = parseFoafbalance(params);
  try {
    const result = await asker.ask({
      flow,
      amountMsat,
      timeoutMs: (timeoutS ?? defaultTimeoutS) * 1000,
      fresh,
      ...(peers === undefined ? {} : { peers }),
    });
    return report(flow, amountMsat, result);
  } catch (error) {
    if (error instanceof NotAFriendError) {
      throw invalidParameter(
        NAME,
        'peers',
        `must be connected peers with an active channel, got ${error.peerId}`,
      );
    }
    if (error instanceof NoChannelsInTimeError) throw new CommandError(ErrorCode.nodeTimeout, error.message);
    throw asCommandError(error);
  }
}

function report(flow: Flow, amountMsat: bigint, { nodeId, sent, elapsedMs, friends }: AskResult): object {
  return {
    id: nodeId,
    direction: flow,
    amount_msat: amountMsat,
    num_sent_queries: sent,
    num_replies: friends.filter(({ status }) => status === 'replied').length,
    elapsed_ms: Math.round(elapsedMs),
    friends: friends.map(friendReport),
    ...(friends.length === 0
      ? { warning_no_friends: 'no connected peer has an active channel with us: there is nobody to ask' }
      : {}),
  };
}

function friendReport({ peerId, status, reason, said, channels }: FriendAnswer): object {
  return {
    peer_id: peerId,
    status,
    ...(reason === undefined ? {} : { reason }),
    ...(said === undefined
      ? {}
      : { amount_msat: said.amountMsat, timestamp: said.timestampMs, age_ms: said.ageMs }),
    channels: channels.map(channelReport),
  };
}

function channelReport({ shortChannelId, direction, source, destination }: GossipChannel): object {
  return { short_channel_id: formatShortChannelId(shortChannelId), direction, source, destination };
}
