/**
 * What to rebalance: the rule of Pickhardt and Nowostawski (arXiv 1912.09555), every channel towards the node's ν.
 *
 * With ζ = ours / total of a peer's channels and ν the same over all, a peer with ζ > ν has c(ζ − ν) to give, and one
 * with ζ < ν lacks c(ν − ζ). A move takes no more than the one has, fees included, and brings no more than the other
 * lacks: no peer is moved past ν, and the next move does not undo this one. Parallel channels with one peer count as
 * one, since the peer may choose among them.
 *
 * Hazard: friends offer whole rungs, and a move of a rung needs its fees on top, which no offer covers. So a move that
 * is as large as a rung is made to fit, fees included, just under one.
 */
import { passes } from '../circles/own-ends.ts';
import { canReceive, canSend } from '../circles/route.ts';
import type { OwnFilter } from '../circles/types.ts';
import type { HtlcLimits, NodeView, OwnChannel } from '../sharing/node-view.ts';
import { RUNGS_MSAT } from '../sharing/rungs.ts';

/** 1,000 sat: for less hardly a base fee is worth paying. Our own choice; it does not bind an amount that is given. */
const MINIMUM_MOVE_MSAT = 1_000_000n;
const MILLION = 1_000_000n;

export interface MoveRequest {
  /** What is to arrive, above 0; as much as the rule says when left out. */
  readonly amountMsat?: bigint;
  /** Where it may leave and come back; wherever the rule says when left out. */
  readonly out?: OwnFilter;
  readonly in?: OwnFilter;
  /** The most that fees may be, in parts per million of what arrives. */
  readonly maxFeePpm: bigint;
  /** How many moves are wanted, 1 or more. */
  readonly limit: number;
}

type Ends = Omit<MoveRequest, 'limit'>;

/** What a search for circles can be asked. */
export interface Move {
  readonly out: OwnFilter;
  readonly in: OwnFilter;
  /** What arrives. */
  readonly amountMsat: bigint;
}

/** A peer at one end of a move. */
interface Side {
  readonly peerId: string;
  readonly filter: OwnFilter;
  /** The most that may arrive, and the same for comparisons, which need no exactness. */
  readonly mostMsat: bigint;
  readonly most: number;
  /** How far a millisatoshi shifts the peer's ζ. */
  readonly weight: number;
}

/**
 * The moves that help most, best first: those that lower Σ|ζ − ν| most, where each peer counts the same whatever its
 * channels' size, as in the paper's measure. None when nothing leans or nothing of it can move.
 *
 * An amount that is given is moved as it is or not at all. A side that is named together with it need not lean, and
 * may pass ν: that was decided by whoever named both.
 */
export function chooseMoves(view: NodeView, request: MoveRequest): Move[] {
  const { outs, ins } = sidesOf(view, request);
  const best: { readonly move: Move; readonly gain: number }[] = [];
  for (const out of outs) {
    for (const home of ins) {
      if (out.peerId === home.peerId) continue;
      const gain = Math.min(out.most, home.most) * (out.weight + home.weight);
      const worst = best[request.limit - 1];
      if (worst !== undefined && gain <= worst.gain) continue;
      const amountMsat = least(out.mostMsat, home.mostMsat);
      const after = best.findIndex(other => other.gain < gain);
      const move = { out: out.filter, in: home.filter, amountMsat };
      best.splice(after < 0 ? best.length : after, 0, { move, gain });
      if (best.length > request.limit) best.pop();
    }
  }
  return best.map(({ move }) => move);
}

/** The peers that an amount may leave by, and those that it may come back by: those of all moves there are. */
export function movableEnds(
  view: NodeView,
  request: Ends,
): { readonly outs: readonly string[]; readonly ins: readonly string[] } {
  const { outs, ins } = sidesOf(view, request);
  const ids = (sides: readonly Side[]) => sides.map(({ peerId }) => peerId);
  return { outs: ids(outs), ins: ids(ins) };
}

/** By peer id, so that of equal moves the same one always comes first. */
function sidesOf(view: NodeView, request: Ends): { outs: Side[]; ins: Side[] } {
  const counted = view.channels.filter(({ state }) => state !== 'other');
  const whole = balanceOf(counted);
  const outs: Side[] = [];
  const ins: Side[] = [];
  const peers = [...byPeer(counted)].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [peerId, channels] of peers) {
    const { ours, total } = balanceOf(channels);
    if (total === 0n) continue;
    // c(ζ − ν) = ours − total × whole.ours / whole.total, times whole.total; bigints divide towards zero.
    const lean = ours * whole.total - total * whole.ours;
    const sendable = most(channels, channel => sendableMsat(channel, request.out));
    const receivable = most(channels, channel => receivableMsat(channel, request.in));
    const give = isDecided(request, request.out) ? sendable : least(sendable, lean / whole.total);
    const take = isDecided(request, request.in) ? receivable : least(receivable, -lean / whole.total);
    const add = (sides: Side[], filter: OwnFilter | undefined, arriving: bigint) => {
      const mostMsat = sizeOf(arriving, request);
      if (mostMsat === undefined) return;
      const weight = 1 / Number(total);
      sides.push({ peerId, filter: filter ?? { peerId }, mostMsat, most: Number(mostMsat), weight });
    };
    add(outs, request.out, largestWithin(give, request.maxFeePpm));
    add(ins, request.in, take);
  }
  return { outs, ins };
}

/** Whether a side was named together with the amount. */
function isDecided({ amountMsat }: Ends, filter: OwnFilter | undefined): boolean {
  return amountMsat !== undefined && filter !== undefined;
}

/** What to move where at most `mostMsat` may arrive; never falls as that rises. */
function sizeOf(mostMsat: bigint, { amountMsat, maxFeePpm }: Ends): bigint | undefined {
  if (amountMsat !== undefined) return amountMsat <= mostMsat ? amountMsat : undefined;
  const size = underRung(mostMsat, maxFeePpm);
  return size >= MINIMUM_MOVE_MSAT ? size : undefined;
}

/** The largest amount up to `mostMsat` that with fees just fits under a rung; `mostMsat` itself where that is none. */
function underRung(mostMsat: bigint, maxFeePpm: bigint): bigint {
  let size = mostMsat;
  for (const rung of RUNGS_MSAT) {
    const fitting = largestWithin(rung, maxFeePpm);
    if (fitting > mostMsat) break;
    size = fitting;
  }
  return size;
}

/**
 * The largest amount that is at most `limitMsat` together with the most that its fees may be.
 *
 * a + ⌊a × ppm / 10^6⌋ ≤ limit holds exactly when a × (10^6 + ppm) < (limit + 1) × 10^6.
 */
function largestWithin(limitMsat: bigint, maxFeePpm: bigint): bigint {
  if (limitMsat <= 0n) return 0n;
  return ((limitMsat + 1n) * MILLION - 1n) / (MILLION + maxFeePpm);
}

function sendableMsat(channel: OwnChannel, filter: OwnFilter | undefined): bigint {
  if (!canSend(channel) || !passes(channel, filter)) return 0n;
  return within(channel.spendableMsat, channel.localLimits);
}

function receivableMsat(channel: OwnChannel, filter: OwnFilter | undefined): bigint {
  if (!canReceive(channel) || !passes(channel, filter)) return 0n;
  return within(channel.receivableMsat, channel.remoteLimits);
}

function within(amountMsat: bigint, limits: HtlcLimits | undefined): bigint {
  return limits === undefined ? 0n : least(amountMsat, limits.maximumMsat);
}

function balanceOf(channels: readonly OwnChannel[]): { ours: bigint; total: bigint } {
  let ours = 0n;
  let total = 0n;
  for (const channel of channels) {
    ours += channel.toUsMsat;
    total += channel.totalMsat;
  }
  return { ours, total };
}

function byPeer(channels: readonly OwnChannel[]): Map<string, OwnChannel[]> {
  const groups = new Map<string, OwnChannel[]>();
  for (const channel of channels) {
    const group = groups.get(channel.peerId);
    if (group === undefined) groups.set(channel.peerId, [channel]);
    else group.push(channel);
  }
  return groups;
}

function most(channels: readonly OwnChannel[], amountOf: (channel: OwnChannel) => bigint): bigint {
  return channels.reduce((largest, channel) => {
    const amount = amountOf(channel);
    return amount > largest ? amount : largest;
  }, 0n);
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
