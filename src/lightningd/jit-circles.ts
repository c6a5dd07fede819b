/**
 * Circles for just-in-time routing, by the commands of balancesharing in its own process.
 *
 * Hazard: an answer that does not come says nothing. Only what `foafrebalance` itself calls failed has failed; whatever
 * else happens, the circle may be on its way and cost its most.
 */
import * as v from 'valibot';
import type { Circles, Fill, FillOutcome } from '../jit/ports.ts';
import * as answers from './answers.ts';
import { ErrorCode, RpcError } from './errors.ts';
import type { Logger } from './logger.ts';
import type { Rpc } from './rpc-client.ts';

/** What `foafrebalance` answers where nothing moved: no circle, too expensive, gave up, a parameter it does not take. */
const FAILED: ReadonlySet<number> = new Set([205, 206, 210, ErrorCode.invalidParams]);
/** `foafrebalance` ends a try that hangs after a minute; its end may take as long again. */
const PERFORM_TIMEOUT_MS = 600_000;
const FIND_TIMEOUT_MS = 10_000;

export function createCircles(rpc: Rpc, logger: Pick<Logger, 'debug' | 'warn'>): Circles {
  return {
    find: async ({ amountMsat, channel, maxFeePpm }) => {
      const params = { amount: `${amountMsat}msat`, in: channel, maxfeeppm: maxFeePpm, limit: 1 };
      try {
        const answer = await rpc.call('foafcircles', params, { timeoutMs: FIND_TIMEOUT_MS });
        const { circles, missing } = answers.readAnswer('foafcircles', answers.foafcircles, answer);
        const peers = circles[0]?.hops.slice(0, -1).map(({ id }) => id);
        const outPeerId = peers?.[0];
        if (peers !== undefined && outPeerId !== undefined) return { outPeerId, peers };
        logger.debug({ ...params, missing }, 'no circle');
        return missing?.reasons.includes('fee') ? 'too_dear' : 'no_circle';
      } catch (error) {
        if (isAbsent(error)) return 'no_balancesharing';
        logger.warn(`circles could not be asked for: ${String(error)}`);
        return 'error';
      }
    },
    perform: (fill, outPeerId, retryForMs) => perform(rpc, logger, fill, outPeerId, retryForMs),
  };
}

async function perform(
  rpc: Rpc,
  logger: Pick<Logger, 'debug'>,
  fill: Fill,
  outPeerId: string,
  retryForMs: number,
): Promise<FillOutcome> {
  const params = {
    amount: `${fill.amountMsat}msat`,
    out: outPeerId,
    in: fill.channel,
    maxfeeppm: fill.maxFeePpm,
    retry_for: Math.max(1, Math.ceil(retryForMs / 1000)),
    ask: false,
  };
  try {
    const answer = await rpc.call('foafrebalance', params, { timeoutMs: PERFORM_TIMEOUT_MS });
    const { fee_msat } = answers.readAnswer('foafrebalance', answers.foafrebalance, answer);
    return { status: 'complete', feeMsat: fee_msat };
  } catch (error) {
    if (isAbsent(error)) return { status: 'no_balancesharing' };
    const data = error instanceof RpcError ? error.data : undefined;
    logger.debug({ ...params, ...(data === undefined ? {} : { data }) }, String(error));
    if (!(error instanceof RpcError) || !FAILED.has(error.code)) return { status: 'unsettled' };
    const read = v.safeParse(answers.rebalanceFailure, error.data ?? {});
    return { status: read.success && !read.output.unsettled ? 'failed' : 'unsettled' };
  }
}

function isAbsent(error: unknown): boolean {
  return error instanceof RpcError && error.code === ErrorCode.methodNotFound;
}
