/**
 * All routes us → friend → … → another friend → us of three or four hops, the best first (docs/circles.md).
 *
 * Two parallel channels with one peer make no circle: an amount that goes to a peer and comes back has not been moved
 * between peers.
 */
import { failedTryCost } from './chance.ts';
import type { Edge } from './edges.ts';
import { feeLimit, feePpmOf, toNumber } from './fees.ts';
import { Graph } from './graph.ts';
import { type Breaks, Pace } from './pace.ts';
import type { Found } from './ranking.ts';
import { FINAL_DELAY, routeOf } from './route.ts';
import { bestOf, type Limits } from './search.ts';
import type {
  Circle,
  CircleHop,
  CircleQuery,
  CircleSearch,
  CircleSources,
  Missing,
  MissingReason,
} from './types.ts';

/**
 * The best circles for a query, or why there is none.
 *
 * @param breaks lets others run in between: a large graph takes tens of milliseconds
 */
export async function findCircles(
  sources: CircleSources,
  query: CircleQuery,
  breaks: Breaks,
): Promise<CircleSearch> {
  const pace = new Pace(breaks);
  const finalDelay = query.finalDelay ?? FINAL_DELAY;
  const failedTry = toNumber(query.failedTryCostMsat ?? failedTryCost(query.amountMsat));
  const graph = new Graph(sources, query, finalDelay, failedTry);
  await graph.load(sources.gossip, pace);
  const limits: Limits = {
    maxFee: toNumber(feeLimit(query.amountMsat, query.maxFeePpm)),
    maxDelay: query.maxDelay,
    limit: query.limit,
    by: 'cost',
    ...(query.worth === undefined ? {} : { worth: query.worth }),
  };
  const found = await bestOf(graph, limits, pace);
  if (found.length === 0) return { circles: [], missing: await missingIn(graph, limits, query, pace) };
  return { circles: found.map(one => circleOf(one, sources.view.nodeId, query.amountMsat, finalDelay)) };
}

/** The circle in integers, from the terms themselves. */
function circleOf(found: Found, nodeId: string, amountMsat: bigint, finalDelay: number): Circle {
  const { head, tail } = found;
  const edges = tail.edge === undefined ? [head.edge] : [head.edge, tail.edge];
  const path = edges.map(({ lane }) => lane.channel);
  const own = { known: 'own' } as const;
  const known: Pick<CircleHop, 'known' | 'isHoped'>[] = [own, ...edges.map(knownOf), own];
  const route = routeOf({ nodeId, out: found.out, path, in: tail.in, amountMsat, finalDelay });
  const hops = route.map((hop, index): CircleHop => ({ ...hop, ...(known[index] ?? own) }));
  const feeMsat = (hops[0]?.amountMsat ?? amountMsat) - amountMsat;
  return {
    feeMsat,
    feePpm: feePpmOf(feeMsat, amountMsat),
    probability: found.chance,
    expectedCostMsat: BigInt(found.cost),
    delay: found.delay,
    hops,
  };
}

function knownOf({ known, isHoped }: Edge): Pick<CircleHop, 'known' | 'isHoped'> {
  return isHoped ? { known, isHoped } : { known };
}

/** Looks for circles beyond the limits, cheapest first, to say which limit there is none within. */
async function missingIn(graph: Graph, limits: Limits, query: CircleQuery, pace: Pace): Promise<Missing> {
  const reasons: MissingReason[] = [];
  if (!graph.hasOut) reasons.push('no_out_channel');
  if (!graph.hasIn) reasons.push('no_in_channel');
  const { leftOut } = graph;
  const noOffer: MissingReason[] = graph.hasOffers ? [] : ['no_offer'];
  if (reasons.length > 0) return { reasons, leftOut };

  const without = async (lifted: Partial<Limits>) =>
    (await bestOf(graph, { ...limits, limit: 1, by: 'fee', ...lifted }, pace))[0];
  const anyFee = { maxFee: Number.POSITIVE_INFINITY };
  const anyDelay = { maxDelay: Number.POSITIVE_INFINITY };
  const any = await without({ ...anyFee, ...anyDelay });
  if (any === undefined) return { reasons: ['no_path', ...noOffer], leftOut };
  const dear = await without(anyFee);
  const slow = await without(anyDelay);
  const isNeither = dear === undefined && slow === undefined;
  if (dear !== undefined || isNeither) reasons.push('fee');
  if (slow !== undefined || isNeither) reasons.push('delay');
  const cheapest = dear ?? (isNeither ? any : undefined);
  const delayed = slow ?? (isNeither ? any : undefined);
  return {
    reasons: [...reasons, ...noOffer],
    ...(cheapest === undefined ? {} : { cheapestPpm: feePpmOf(BigInt(cheapest.fee), query.amountMsat) }),
    ...(delayed === undefined ? {} : { delay: delayed.delay }),
    leftOut,
  };
}
