/**
 * What to rebalance: every channel towards the node's ν, as in Pickhardt and Nowostawski (arXiv 1912.09555), by least squares.
 *
 * With ζ = ours / total of a peer's channels and ν the same over all, the sum of (ζ − ν)² over all peers says how far the
 * node is from balance. To send a by a peer with total c and ζ − ν = d, and take it in by one with c' and d', lowers it by
 * 2a(d/c − d'/c') − a²(1/c² + 1/c'²), most at a = (d/c − d'/c') / (1/c² + 1/c'²). So what is far off comes first, and a
 * large peer helps a small one even past ν, where that costs next to nothing. Parallel channels with one peer count as
 * one, since the peer may choose among them. docs/simulation.md has what this brings a whole network.
 *
 * Hazard: an automatic rule pays fees for each move. So each must lower the sum by some least part, whatever fees it pays within
 * the limit: no two undo one another, and they come to an end.
 *
 * Hazard: friends offer whole rungs, and a move of a rung needs its fees on top, which no offer covers. So a move that
 * is as large as a rung is made to fit, fees included, just under one.
 */
import { feeLimit, toNumber } from '../circles/fees.ts';
import { passes } from '../circles/own-ends.ts';
import { canReceive, canSend } from '../circles/route.ts';
import type { OwnFilter, Worth } from '../circles/types.ts';
import type { HtlcLimits, NodeView, OwnChannel } from '../sharing/node-view.ts';
import { RUNGS_MSAT } from '../sharing/rungs.ts';

/** 1,000 sat, in millisatoshi: for less hardly a base fee is worth paying. Our own choice; it does not bind an amount that is given. */
const MINIMUM_MOVE = 1_000_000;
/**
 * What two peers bring that come to ν from 0.02 off, where the margins begin within which nobody counts as leaning
 * (docs/protocol.md, "Answering"). Our own choice.
 */
const LEAST_GAIN = 2 * 0.02 ** 2;
const MILLION = 1_000_000n;

export interface MoveRequest {
  /** Where it may leave and come back; wherever the rule says when left out. */
  readonly out?: OwnFilter;
  readonly in?: OwnFilter;
  /** The most that fees may be, in parts per million of what arrives. */
  readonly maxFeePpm: bigint;
}

/** What a search for circles can be asked. */
export interface Move {
  readonly out: OwnFilter;
  readonly in: OwnFilter;
  /** What arrives. */
  readonly amountMsat: bigint;
  /** By how much it lowers the sum at least. */
  readonly gain: number;
}

/** The peers that a move may leave by, and those that it may come back by. */
export interface Sides {
  readonly outs: readonly Side[];
  readonly ins: readonly Side[];
}

/** A peer at one end of a move. */
interface Side {
  readonly peerId: string;
  readonly filter: OwnFilter;
  /** The most that may arrive, in millisatoshi. */
  readonly most: number;
  /** How far a millisatoshi shifts the peer's ζ. */
  readonly weight: number;
  /** How far ζ is on that side of ν from which a move takes it. */
  readonly lean: number;
  /** What any amount brings at most: that it comes to ν. */
  readonly mostGain: number;
}

/**
 * The moves that help most, best first: those that lower the sum most. None when nothing helps or nothing of it can move.
 *
 * @param limit how many are wanted, 1 or more
 */
export function chooseMoves(view: NodeView, request: MoveRequest, limit: number): Move[] {
  const choosing = choosingMoves(sidesOf(view, request), request, limit);
  for (;;) {
    const { done, value } = choosing.next();
    if (done) return value;
  }
}

/** The same in steps, for whoever lets others in between. */
export function* choosingMoves(
  sides: Sides,
  request: MoveRequest,
  limit: number,
): Generator<undefined, Move[]> {
  const byGain = (a: Side, b: Side) => b.mostGain - a.mostGain;
  const [outs, ins] = [[...sides.outs].sort(byGain), [...sides.ins].sort(byGain)];
  const fees = 1 + Number(request.maxFeePpm) / 1e6;
  const fitting = RUNGS_MSAT.map(rung => toNumber(largestWithin(rung, request.maxFeePpm)));
  const best: Move[] = [];
  let worst = 0;
  for (const out of outs) {
    for (const home of ins) {
      // A large node has millions of pairs.
      if (out.mostGain + home.mostGain <= worst) break;
      if (out.peerId === home.peerId) continue;
      const slope = out.lean * out.weight + home.lean * home.weight;
      const curve = out.weight * out.weight + home.weight * home.weight;
      if (slope <= 0 || slope * slope <= worst * curve) continue;
      const amount = sizeOf(slope / curve, Math.min(out.most, home.most), fitting);
      if (amount < MINIMUM_MOVE) continue;
      const gain = leastOutGain(out, amount, amount * fees) + gainOf(home, amount);
      if (gain < LEAST_GAIN || gain <= worst) continue;
      const after = best.findIndex(other => other.gain < gain);
      const move = { out: out.filter, in: home.filter, amountMsat: BigInt(amount), gain };
      best.splice(after < 0 ? best.length : after, 0, move);
      if (best.length > limit) best.pop();
      worst = best[limit - 1]?.gain ?? 0;
    }
    yield;
  }
  return best;
}

/** By how much an amount lowers a side's (ζ − ν)². */
function gainOf({ lean, weight }: Side, amount: number): number {
  return (2 * lean - amount * weight) * amount * weight;
}

/** Fees leave too, and what they will be is not known: between none and the most the sum falls least at one of the two. */
function leastOutGain(out: Side, withoutFees: number, withFees: number): number {
  return Math.min(gainOf(out, withoutFees), gainOf(out, withFees));
}

/**
 * What is nearest to the best amount of all that can move and fits under a rung: the sum is as much lower on either side.
 *
 * @param fitting what fits under the rungs, ascending
 */
function sizeOf(best: number, most: number, fitting: readonly number[]): number {
  let size = Math.min(Math.round(best), most);
  let isRung = false;
  for (const rung of fitting) {
    if (rung > most) break;
    if (rung > best) return isRung && rung - best < best - size ? rung : size;
    size = rung;
    isRung = true;
  }
  return size;
}

/** What an amount brings between any two peers: each side by itself, so that a large node's pairs need not be listed. */
export function worthOf({ outs, ins }: Sides, request: MoveRequest, amountMsat: bigint): Worth {
  const amount = Number(amountMsat);
  const leaving = Number(amountMsat + feeLimit(amountMsat, request.maxFeePpm));
  const gains = (sides: readonly Side[], of: (side: Side) => number) =>
    new Map(sides.filter(side => side.most >= amount).map(side => [side.peerId, of(side)]));
  const outGains = gains(outs, side => leastOutGain(side, amount, leaving));
  const inGains = gains(ins, side => gainOf(side, amount));
  const [mostOut, mostIn] = [most(outGains), most(inGains)];
  return {
    outs: helping(outGains, mostIn),
    ins: helping(inGains, mostOut),
    least: LEAST_GAIN,
    most: mostOut + mostIn,
  };
}

function most(gains: ReadonlyMap<string, number>): number {
  return [...gains.values()].reduce((highest, gain) => Math.max(highest, gain), Number.NEGATIVE_INFINITY);
}

/** Those that with the best on the other side bring enough. */
function helping(gains: ReadonlyMap<string, number>, other: number): Map<string, number> {
  return new Map([...gains].filter(([, gain]) => gain + other >= LEAST_GAIN));
}

/**
 * The peers that a given amount may leave by, and those that it may come back by: no peer is moved past ν, unless it was named
 * beside the amount, which was decided by whoever did.
 */
export function movableEnds(
  view: NodeView,
  { amountMsat, out, in: home, maxFeePpm }: MoveRequest & { readonly amountMsat: bigint },
): { readonly outs: readonly string[]; readonly ins: readonly string[] } {
  const { peers, ours: allOurs, total: allTotal } = peersOf(view);
  const outs: string[] = [];
  const ins: string[] = [];
  for (const { peerId, channels, ours, total } of peers) {
    // c(ζ − ν) = ours − total × whole.ours / whole.total; bigints divide towards zero.
    const leanMsat = (ours * allTotal - total * allOurs) / allTotal;
    const sendable = mostOf(channels, channel => sendableMsat(channel, out));
    const receivable = mostOf(channels, channel => receivableMsat(channel, home));
    const give = out === undefined ? least(sendable, leanMsat) : sendable;
    const take = home === undefined ? least(receivable, -leanMsat) : receivable;
    if (largestWithin(give, maxFeePpm) >= amountMsat) outs.push(peerId);
    if (take >= amountMsat) ins.push(peerId);
  }
  return { outs, ins };
}

/** All peers with which anything can move. */
export function sidesOf(view: NodeView, request: MoveRequest): Sides {
  const { peers, ours: allOurs, total: allTotal } = peersOf(view);
  const nu = Number(allOurs) / Number(allTotal);
  const outs: Side[] = [];
  const ins: Side[] = [];
  for (const { peerId, channels, ours, total } of peers) {
    const lean = Number(ours) / Number(total) - nu;
    const weight = 1 / Number(total);
    const sendable = mostOf(channels, channel => sendableMsat(channel, request.out));
    const receivable = mostOf(channels, channel => receivableMsat(channel, request.in));
    const sent = largestWithin(sendable, request.maxFeePpm);
    const add = (sides: Side[], filter: OwnFilter = { peerId }, mostMsat: bigint, leaning: number) => {
      const highest = toNumber(mostMsat);
      const mostGain = Math.max(leaning, 0) ** 2;
      if (highest >= MINIMUM_MOVE)
        sides.push({ peerId, filter, most: highest, weight, lean: leaning, mostGain });
    };
    add(outs, request.out, sent, lean);
    add(ins, request.in, receivable, -lean);
  }
  return { outs, ins };
}

interface Peer {
  readonly peerId: string;
  readonly channels: readonly OwnChannel[];
  readonly ours: bigint;
  readonly total: bigint;
}

/** By peer id, so that of equal moves the same one always comes first. */
function peersOf(view: NodeView): { readonly peers: Peer[]; readonly ours: bigint; readonly total: bigint } {
  const counted = view.channels.filter(({ state }) => state !== 'other');
  const peers = [...byPeer(counted)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([peerId, channels]) => {
      const { ours, total } = balanceOf(channels);
      return { peerId, channels, ours, total };
    })
    .filter(({ total }) => total > 0n);
  return { peers, ...balanceOf(counted) };
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

function mostOf(channels: readonly OwnChannel[], amountOf: (channel: OwnChannel) => bigint): bigint {
  return channels.reduce((largest, channel) => {
    const amount = amountOf(channel);
    return amount > largest ? amount : largest;
  }, 0n);
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
