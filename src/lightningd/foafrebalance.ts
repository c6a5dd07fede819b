/** The command `foafrebalance`: moves an amount from where there is too much to where there is too little. */
import type { Hope } from '../circles/hope.ts';
import type { CircleSearch, Exclusions, OwnFilter } from '../circles/types.ts';
import { AskAsNeeded } from '../rebalance/ask-as-needed.ts';
import { findMove, type MoveWish } from '../rebalance/find-move.ts';
import { type Attempt, GaveUpError, type Rebalanced, type Rebalancer } from '../rebalance/rebalancer.ts';
import type { Asker } from '../sharing/asker.ts';
import type { Clock } from '../sharing/ports.ts';
import { formatShortChannelId } from '../wire/short-channel-id.ts';
import type { CircleFinder } from './circle-finder.ts';
import { type CommandSchema, parameterNames } from './command-schema.ts';
import { asCommandError, CommandError } from './errors.ts';
import {
  type CircleSettings,
  checkEnds,
  figuresOf,
  hopReport,
  parseEnd,
  parseMaxFeePpm,
  wordsOf,
} from './foafcircles.ts';
import {
  bindParameters,
  invalidParameter,
  parseAmount,
  parseBoolean,
  parseWholeNumber,
  shown,
} from './parameters.ts';
import schema from './schemas/foafrebalance.json' with { type: 'json' };

export const FOAFREBALANCE: CommandSchema = schema;
const NAME = FOAFREBALANCE.rpc;
const PARAMETERS = parameterNames(FOAFREBALANCE);

/** As `pay` has it. */
const DEFAULT_RETRY_FOR_S = 60;
const RETRY_FOR_RANGE_S = { minimum: 1, maximum: 3600 } as const;

/** `pay`'s codes (lightning-pay). */
const PayCode = { noRoute: 205, tooExpensive: 206, gaveUp: 210 } as const;

interface Parameters {
  readonly amountMsat: bigint | undefined;
  readonly out: OwnFilter | undefined;
  readonly in: OwnFilter | undefined;
  readonly maxFeePpm: number | undefined;
  readonly retryForS: number;
  readonly dryRun: boolean;
  /** Whether friends may be asked. Never for a payment's sake: the question would tell them of it. */
  readonly ask: boolean;
}

/** @throws CommandError -32602 naming the parameter, what was expected and what came */
export function parseFoafrebalance(params: unknown): Parameters {
  const {
    amount,
    out,
    in: home,
    maxfeeppm,
    retry_for,
    dryrun,
    ask,
  } = bindParameters(NAME, PARAMETERS, params);
  const amountMsat = amount === undefined ? undefined : parseAmount(amount);
  if (typeof amountMsat === 'string') throw invalidParameter(NAME, 'amount', amountMsat);
  const { minimum, maximum } = RETRY_FOR_RANGE_S;
  const retryForS =
    retry_for === undefined ? DEFAULT_RETRY_FOR_S : parseWholeNumber(retry_for, minimum, maximum);
  if (retryForS === undefined) {
    throw invalidParameter(
      NAME,
      'retry_for',
      `must be whole seconds, ${minimum} to ${maximum}, got ${shown(retry_for)}`,
    );
  }
  const dryRun = dryrun === undefined ? false : parseBoolean(dryrun);
  if (dryRun === undefined) {
    throw invalidParameter(NAME, 'dryrun', `must be true or false, got ${shown(dryrun)}`);
  }
  const mayAsk = ask === undefined ? true : parseBoolean(ask);
  if (mayAsk === undefined) {
    throw invalidParameter(NAME, 'ask', `must be true or false, got ${shown(ask)}`);
  }
  return {
    amountMsat,
    out: parseEnd(NAME, 'out', out),
    in: parseEnd(NAME, 'in', home),
    maxFeePpm: parseMaxFeePpm(NAME, maxfeeppm),
    retryForS,
    dryRun,
    ask: mayAsk,
  };
}

export interface RebalanceTools {
  readonly finder: CircleFinder;
  readonly rebalancer: Rebalancer;
  readonly asker: Asker;
  readonly clock: Clock;
}

/**
 * @param progress told what is tried
 * @throws CommandError -32602 for bad parameters; 205, 206, 210 as `pay`, with what was tried in its data; else a
 * code of ErrorCode when lightningd could not be asked
 */
export async function foafrebalance(
  { finder, rebalancer, asker, clock }: RebalanceTools,
  params: unknown,
  settings: CircleSettings & { readonly timeoutS: number },
  progress: (message: string) => void,
): Promise<object> {
  const wanted = parseFoafrebalance(params);
  const startedMs = performance.now();
  try {
    const view = await finder.view();
    checkEnds(NAME, view, wanted);
    if (view.guests !== undefined && !wanted.dryRun) {
      throw new CommandError(
        PayCode.noRoute,
        `${NAME}: our channels are made up by files: nothing can be moved`,
      );
    }
    const wish = wishOf(wanted, settings);
    const find = (exclusions: Exclusions, hope?: Hope) => findMove(finder, wish, exclusions, hope);
    if (wanted.dryRun) {
      return planned(await find({ peers: rebalancer.avoided(), channels: new Set() }), startedMs);
    }
    const leftMs = Math.max(0, wanted.retryForS * 1000 - (performance.now() - startedMs));
    // Asking must leave time for a try.
    const budgetMs = Math.min(settings.timeoutS * 1000, leftMs / 2);
    const asking = new AskAsNeeded({ find, asker, clock, budgetMs, progress });
    const findAsking = (exclusions: Exclusions) => asking.find(exclusions);
    const result = await rebalancer.rebalance(wanted.ask ? findAsking : find, leftMs, progress);
    return done(result, startedMs);
  } catch (error) {
    if (error instanceof GaveUpError) throw gaveUp(error, wanted);
    throw asCommandError(error);
  }
}

function wishOf({ amountMsat, out, in: home, maxFeePpm }: Parameters, settings: CircleSettings): MoveWish {
  return {
    ...(amountMsat === undefined ? {} : { amountMsat }),
    ...(out === undefined ? {} : { out }),
    ...(home === undefined ? {} : { in: home }),
    maxFeePpm: BigInt(maxFeePpm ?? settings.maxFeePpm),
    maxDelay: settings.maxDelay,
  };
}

function planned({ circles: [circle], missing }: CircleSearch, startedMs: number): object {
  if (circle === undefined)
    throw new GaveUpError('no_circle', 'no circle', [], { circles: [], ...(missing && { missing }) });
  const end = (hop: (typeof circle.hops)[number] | undefined) => ({
    short_channel_id: formatShortChannelId(hop?.shortChannelId ?? 0n),
  });
  return {
    status: 'planned',
    amount_msat: circle.hops.at(-1)?.amountMsat,
    fee_msat: circle.feeMsat,
    fee_ppm: circle.feePpm,
    probability: circle.probability,
    attempts: 0,
    elapsed_ms: Math.round(performance.now() - startedMs),
    out: end(circle.hops[0]),
    in: end(circle.hops.at(-1)),
    hops: circle.hops.map(hopReport),
  };
}

function done({ circle, paymentHash, attempts, out, in: home }: Rebalanced, startedMs: number): object {
  const end = (report: Rebalanced['out']) => ({
    short_channel_id: formatShortChannelId(report.shortChannelId),
    to_us_msat_before: report.beforeMsat,
    to_us_msat_after: report.afterMsat,
  });
  return {
    status: 'complete',
    amount_msat: circle.hops.at(-1)?.amountMsat,
    fee_msat: circle.feeMsat,
    fee_ppm: circle.feePpm,
    attempts: attempts.length,
    elapsed_ms: Math.round(performance.now() - startedMs),
    payment_hash: paymentHash,
    out: end(out),
    in: end(home),
    hops: circle.hops.map(hopReport),
  };
}

const NOTHING_LEANS =
  'nothing of ours leans so far that it could move; name out and in to move it all the same';
const NOT_SO_MUCH =
  'no two friends of ours can give and take so much without passing the mean; try less, or name out and in';

function gaveUp(
  { reason, message, attempts, search }: GaveUpError,
  { amountMsat }: Parameters,
): CommandError {
  const missing = search?.missing;
  const isFeeOnly = reason === 'no_circle' && missing?.reasons.includes('fee') === true;
  const code = isFeeOnly ? PayCode.tooExpensive : reason === 'no_circle' ? PayCode.noRoute : PayCode.gaveUp;
  const isNothing = reason === 'no_circle' && search !== undefined && missing === undefined;
  const nothing = amountMsat === undefined ? NOTHING_LEANS : NOT_SO_MUCH;
  const why = missing === undefined ? '' : `: ${wordsOf(missing)}`;
  return new CommandError(code, `${NAME}: ${message}${isNothing ? `: ${nothing}` : why}`, {
    attempts: attempts.map(attemptReport),
    // Without a try what may still complete is an earlier call's.
    ...(reason === 'unsettled' && attempts.length > 0 ? { unsettled: true } : {}),
    ...(missing === undefined ? {} : { missing: figuresOf(missing) }),
  });
}

function attemptReport({ hops, feeMsat, outcome, blamed }: Attempt): object {
  return {
    fee_msat: feeMsat,
    outcome,
    short_channel_ids: hops.map(hop => formatShortChannelId(hop.shortChannelId)),
    ...(blamed === undefined
      ? {}
      : {
          erring_channel: formatShortChannelId(blamed.shortChannelId),
          erring_direction: blamed.direction,
          failcode: blamed.failcode,
        }),
  };
}
