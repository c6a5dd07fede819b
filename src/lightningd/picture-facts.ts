/** Gathers what the picture shows: our channels, what friends offer, circles, what changed, and names. */
import { Pace } from '../circles/pace.ts';
import type { Circle } from '../circles/types.ts';
import type { Knowledge } from '../knowledge/knowledge.ts';
import type { ChangeFact, CircleFact, OfferFact, OwnChannelFact, PictureFacts } from '../picture/picture.ts';
import { chooseMoves } from '../rebalance/choose.ts';
import type { Recent } from '../rebalance/rebalancer.ts';
import type { NodeView } from '../sharing/node-view.ts';
import type { Clock } from '../sharing/ports.ts';
import { formatShortChannelId } from '../wire/short-channel-id.ts';
import type { CircleFinder } from './circle-finder.ts';
import { type CircleSettings, wordsOf } from './foafcircles.ts';
import type { NodeNames } from './node-names.ts';

/** For how many moves that would help circles are looked for, and how many for each. */
const MOVES = 3;
const CIRCLES_PER_MOVE = 3;
/** How many circles of whatever use besides, and of what amount where nothing leans. Our own choice. */
const OTHER_CIRCLES = 12;
const USUAL_AMOUNT_MSAT = 100_000_000n;
const MAX_CHANGES = 200;
/** Of how many friends' friends names are asked for. */
const MAX_OTHER_NAMES = 1_000;

export interface PictureSources {
  readonly finder: Pick<CircleFinder, 'view' | 'find'>;
  readonly knowledge: Knowledge;
  readonly names: Pick<NodeNames, 'of'>;
  readonly recent: readonly Recent[];
  readonly clock: Clock;
  readonly network: string;
  /** The monotonic time from which word still counts. */
  readonly saidSinceMs: () => number;
  readonly settings: () => CircleSettings;
}

/** Rejects when lightningd cannot be asked. */
export async function gatherFacts(
  sources: PictureSources,
  pause: () => Promise<void>,
): Promise<PictureFacts> {
  const { finder, knowledge, clock, network } = sources;
  const view = await finder.view();
  const { circles, noCircle } = await circlesIn(sources, view);
  const nowMs = clock.monotonicMs();
  const pace = new Pace({ nowMs: clock.monotonicMs, pause });
  const offers: OfferFact[] = [];
  for (const { peerId, channel, amountMsat, saidAtMs } of knowledge.offers(sources.saidSinceMs())) {
    if (pace.due()) await pace.rest();
    const { source, destination, shortChannelId } = channel;
    const isOut = source === peerId;
    offers.push({
      peerId,
      otherId: isOut ? destination : source,
      flow: isOut ? 1 : 0,
      shortChannelId,
      amountSat: toSat(amountMsat),
      ageS: ageS(saidAtMs, nowMs),
    });
  }
  const channels = view.channels.filter(({ state }) => state !== 'other').map(ownChannel);
  const changes = await changesIn(sources, nowMs, pace);
  const nodes = new Set([
    view.nodeId,
    ...channels.map(({ peerId }) => peerId),
    ...circles.flatMap(({ hops }) => hops.map(({ to }) => to)),
    ...changes.flatMap(change => (change.kind === 'learned' ? [change.from] : [])),
  ]);
  const others = await mostNamed(offers, nodes, pace);
  return {
    drawnAtMs: clock.wallMs(),
    network,
    nodeId: view.nodeId,
    names: await sources.names.of([...nodes, ...others]),
    channels,
    offers,
    circles,
    ...(noCircle === undefined ? {} : { noCircle }),
    changes,
  };
}

/** First those that `foafrebalance` would choose, then others of about that amount. */
async function circlesIn(
  { finder, settings }: PictureSources,
  view: NodeView,
): Promise<{ circles: CircleFact<string>[]; noCircle?: string }> {
  const { maxFeePpm, maxDelay } = settings();
  const limits = { maxFeePpm: BigInt(maxFeePpm), maxDelay };
  const moves = chooseMoves(view, limits, MOVES);
  const found = new Map<string, CircleFact<string>>();
  const add = (circles: readonly Circle[], helps: boolean) => {
    for (const circle of circles) {
      const fact = circleFact(circle, helps);
      const key = fact.hops.map(({ shortChannelId }) => shortChannelId).join();
      if (!found.has(key)) found.set(key, fact);
    }
  };
  for (const move of moves) {
    const { circles } = await finder.find({ ...move, ...limits, limit: CIRCLES_PER_MOVE });
    add(circles, true);
  }
  const amountMsat = moves[0]?.amountMsat ?? USUAL_AMOUNT_MSAT;
  const { circles, missing } = await finder.find({ amountMsat, ...limits, limit: OTHER_CIRCLES });
  add(circles, false);
  const noCircle = missing === undefined || found.size > 0 ? {} : { noCircle: wordsOf(missing) };
  return { circles: [...found.values()], ...noCircle };
}

function circleFact(circle: Circle, helps: boolean): CircleFact<string> {
  const { feeMsat, feePpm, probability, hops } = circle;
  return {
    amountSat: toSat(hops.at(-1)?.amountMsat ?? 0n),
    feeMsat: Number(feeMsat),
    feePpm: Number(feePpm),
    probability,
    helps,
    hops: hops.map(({ id, shortChannelId, amountMsat, known }) => ({
      to: id,
      shortChannelId: formatShortChannelId(shortChannelId),
      amountSat: toSat(amountMsat),
      known,
    })),
  };
}

function ownChannel(channel: NodeView['channels'][number]): OwnChannelFact {
  const { peerId, shortChannelId, toUsMsat, totalMsat, usable } = channel;
  return {
    peerId,
    shortChannelId: shortChannelId === undefined ? '' : formatShortChannelId(shortChannelId),
    oursSat: toSat(toUsMsat),
    totalSat: toSat(totalMsat),
    isUsable: usable,
  };
}

/** The newest first. */
async function changesIn(
  { knowledge, recent, clock, saidSinceMs }: PictureSources,
  nowMs: number,
  pace: Pace,
): Promise<ChangeFact<string>[]> {
  const sinceMs = saidSinceMs();
  const changes: ChangeFact<string>[] = recent.map(({ atWallMs, status, amountMsat, feeMsat, attempts }) => ({
    kind: 'rebalance',
    ageS: ageS(atWallMs, clock.wallMs()),
    status,
    amountSat: toSat(amountMsat),
    ...(feeMsat === undefined ? {} : { feeMsat: Number(feeMsat) }),
    attempts,
  }));
  for (const [from, { flow, amountMsat, channels, saidAtMs }] of knowledge.words(sinceMs)) {
    if (pace.dueNow()) await pace.rest();
    const said = { ageS: ageS(saidAtMs, nowMs), amountSat: toSat(amountMsat), channels: channels.length };
    changes.push({ kind: 'learned', from, flow, ...said });
  }
  for (const { shortChannelId, direction, amountMsat, atMs } of knowledge.failures(sinceMs)) {
    const channel = `${formatShortChannelId(shortChannelId)}/${direction}`;
    changes.push({ kind: 'failed', channel, amountSat: toSat(amountMsat), ageS: ageS(atMs, nowMs) });
  }
  return changes.sort((a, b) => a.ageS - b.ageS).slice(0, MAX_CHANGES);
}

/** The friends' friends that most offers lead to. */
async function mostNamed(
  offers: readonly OfferFact[],
  known: ReadonlySet<string>,
  pace: Pace,
): Promise<string[]> {
  const counts = new Map<string, number>();
  for (const { otherId } of offers) {
    if (pace.due()) await pace.rest();
    if (!known.has(otherId)) counts.set(otherId, (counts.get(otherId) ?? 0) + 1);
  }
  // By how often, without sorting hundreds of thousands at once.
  const byCount: string[][] = [];
  for (const [id, count] of counts) {
    if (pace.due()) await pace.rest();
    const ids = byCount[count];
    if (ids === undefined) byCount[count] = [id];
    else ids.push(id);
  }
  const most: string[] = [];
  for (let count = byCount.length - 1; count > 0 && most.length < MAX_OTHER_NAMES; count--) {
    most.push(...(byCount[count] ?? []).slice(0, MAX_OTHER_NAMES - most.length));
  }
  return most;
}

function toSat(amountMsat: bigint): number {
  return Number(amountMsat / 1000n);
}

function ageS(atMs: number, nowMs: number): number {
  return Math.max(0, Math.round((nowMs - atMs) / 1000));
}
