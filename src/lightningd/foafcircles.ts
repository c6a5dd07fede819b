/** The command `foafcircles`: circular routes that would rebalance by an amount, best first. */
import { passes } from '../circles/own-ends.ts';
import type { Circle, CircleSearch, Missing, MissingReason, OwnFilter } from '../circles/types.ts';
import { friendsOf, type NodeView } from '../sharing/node-view.ts';
import { formatShortChannelId, parseShortChannelId } from '../wire/short-channel-id.ts';
import type { CircleFinder } from './circle-finder.ts';
import { type CommandSchema, parameterNames } from './command-schema.ts';
import { asCommandError } from './errors.ts';
import {
  bindParameters,
  invalidParameter,
  parseAmount,
  parseNodeId,
  parseWholeNumber,
  shown,
} from './parameters.ts';
import schema from './schemas/foafcircles.json' with { type: 'json' };

export const FOAFCIRCLES: CommandSchema = schema;
const NAME = FOAFCIRCLES.rpc;
const PARAMETERS = parameterNames(FOAFCIRCLES);

const MAX_FEE_PPM_RANGE = { minimum: 0, maximum: 100_000 } as const;
const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 100;

/** What the operator has set. */
export interface CircleSettings {
  readonly maxFeePpm: number;
  readonly maxDelay: number;
}

interface Parameters {
  readonly amountMsat: bigint;
  readonly out: OwnFilter | undefined;
  readonly in: OwnFilter | undefined;
  readonly maxFeePpm: number | undefined;
  readonly limit: number;
}

/** @throws CommandError -32602 naming the parameter, what was expected and what came */
export function parseFoafcircles(params: unknown): Parameters {
  const { amount, out, in: home, maxfeeppm, limit } = bindParameters(NAME, PARAMETERS, params);
  const amountMsat = parseAmount(amount);
  if (typeof amountMsat === 'string') throw invalidParameter(NAME, 'amount', amountMsat);
  const count = limit === undefined ? DEFAULT_LIMIT : parseWholeNumber(limit, 1, MAX_LIMIT);
  if (count === undefined) {
    throw invalidParameter(NAME, 'limit', `must be a whole number, 1 to ${MAX_LIMIT}, got ${shown(limit)}`);
  }
  return {
    amountMsat,
    out: parseEnd(NAME, 'out', out),
    in: parseEnd(NAME, 'in', home),
    maxFeePpm: parseMaxFeePpm(NAME, maxfeeppm),
    limit: count,
  };
}

/** @throws CommandError -32602 when it is neither a node id nor a short channel id */
export function parseEnd(command: string, name: string, value: unknown): OwnFilter | undefined {
  if (value === undefined) return undefined;
  const peerId = parseNodeId(value);
  if (peerId !== undefined) return { peerId };
  const shortChannelId = typeof value === 'string' ? parseShortChannelId(value) : undefined;
  if (shortChannelId !== undefined) return { shortChannelId };
  throw invalidParameter(
    command,
    name,
    `must be a peer's id or a short channel id such as 103x1x0, got ${shown(value)}`,
  );
}

/** @throws CommandError -32602 */
export function parseMaxFeePpm(command: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  const { minimum, maximum } = MAX_FEE_PPM_RANGE;
  const ppm = parseWholeNumber(value, minimum, maximum);
  if (ppm !== undefined) return ppm;
  throw invalidParameter(
    command,
    'maxfeeppm',
    `must be a whole number, ${minimum} to ${maximum}, got ${shown(value)}`,
  );
}

/** @throws CommandError -32602 when what was named is no channel of ours, or none with that peer */
export function checkEnds(
  command: string,
  view: NodeView,
  ends: Readonly<Record<'out' | 'in', OwnFilter | undefined>>,
): void {
  for (const name of ['out', 'in'] as const) {
    const filter = ends[name];
    if (filter === undefined || view.channels.some(channel => passes(channel, filter))) continue;
    const came = 'peerId' in filter ? filter.peerId : formatShortChannelId(filter.shortChannelId);
    throw invalidParameter(command, name, `must be a channel of ours or a peer with one, got ${came}`);
  }
  const { out, in: home } = ends;
  if (out === undefined || home === undefined) return;
  const peersOf = (filter: OwnFilter) =>
    new Set(view.channels.filter(channel => passes(channel, filter)).map(({ peerId }) => peerId));
  const [from, to] = [peersOf(out), peersOf(home)];
  if ([...from].some(peerId => to.has(peerId))) {
    throw invalidParameter(
      command,
      'in',
      'must be with another peer than out: a circle leaves by one and comes back by another',
    );
  }
}

/**
 * @param hasSpoken whether a friend has ever sent a message of ours
 * @throws CommandError -32602 for bad parameters, else a code of ErrorCode when lightningd could not be asked
 */
export async function foafcircles(
  finder: CircleFinder,
  params: unknown,
  { maxFeePpm, maxDelay }: CircleSettings,
  hasSpoken: (peerId: string) => boolean,
): Promise<object> {
  const wanted = parseFoafcircles(params);
  try {
    const view = await finder.view();
    checkEnds(NAME, view, wanted);
    const search = await finder.find({
      amountMsat: wanted.amountMsat,
      ...(wanted.out === undefined ? {} : { out: wanted.out }),
      ...(wanted.in === undefined ? {} : { in: wanted.in }),
      maxFeePpm: BigInt(wanted.maxFeePpm ?? maxFeePpm),
      maxDelay,
      limit: wanted.limit,
    });
    return {
      amount_msat: wanted.amountMsat,
      circles: search.circles.map(circleReport),
      ...missingReport(search),
      ...(search.circles.length === 0 && !friendsOf(view).some(hasSpoken)
        ? { warning_no_friend_speaks: 'no friend has ever spoken: what others hold is not known' }
        : {}),
    };
  } catch (error) {
    throw asCommandError(error);
  }
}

function circleReport(circle: Circle): object {
  return {
    fee_msat: circle.feeMsat,
    fee_ppm: circle.feePpm,
    probability: circle.probability,
    expected_cost_msat: circle.expectedCostMsat,
    delay: circle.delay,
    hops: circle.hops.map(hopReport),
  };
}

export function hopReport(hop: Circle['hops'][number]): object {
  return {
    id: hop.id,
    short_channel_id: formatShortChannelId(hop.shortChannelId),
    direction: hop.direction,
    amount_msat: hop.amountMsat,
    delay: hop.delay,
    known: hop.known,
  };
}

const REASONS: Readonly<Record<MissingReason, string>> = {
  no_out_channel: 'no channel of ours can send so much now',
  no_in_channel: 'no public channel of ours can receive so much now',
  no_path: 'no three or four hops lead back to us with so much',
  fee: 'every circle costs more than the limit',
  delay: 'every circle takes more blocks than foaf-maxdelay',
  no_offer: 'no friend offers a channel: ask them with foafbalance, or let foaf-refresh do it',
};

/** Why there is none, in words and in figures. */
function missingReport({ missing }: CircleSearch): object {
  if (missing === undefined) return {};
  return { warning_no_circle: wordsOf(missing), missing: figuresOf(missing) };
}

export function wordsOf({ reasons }: Missing): string {
  return reasons.map(reason => REASONS[reason]).join('; ');
}

export function figuresOf({ reasons, cheapestPpm, delay, leftOut }: Missing): object {
  return {
    reasons,
    ...(cheapestPpm === undefined ? {} : { cheapest_ppm: cheapestPpm }),
    ...(delay === undefined ? {} : { delay }),
    channels_disabled: leftOut.disabled,
    channels_unfit: leftOut.unfit,
    channels_failed: leftOut.failed,
  };
}
