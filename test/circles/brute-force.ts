/** Every circle there is, one by one, by the rules as docs/circles.md states them: what the search is compared with. */
import type { CircleQuery, EndFilter } from '../../src/circles/types.ts';
import type { ForwardingTerms, OwnChannel } from '../../src/sharing/node-view.ts';
import type { GossipChannel } from '../../src/sharing/ports.ts';
import { formatShortChannelId } from '../../src/wire/short-channel-id.ts';
import { US } from '../sharing/world.ts';
import { directionOf, type End, type Network } from './network.ts';

export interface Reckoned {
  readonly cost: number;
  /** The same for what it brings. */
  readonly price: number;
  readonly fee: bigint;
  readonly delay: number;
  /** The short channel ids of its hops. */
  readonly path: string;
  /** The same without our own. */
  readonly between: string;
  readonly spendable: bigint;
  readonly receivable: bigint;
}

interface Step {
  readonly channel: GossipChannel;
  readonly end: End;
}

export function everyCircle({ own, links }: Network, query: CircleQuery): Reckoned[] {
  const steps: Step[] = links.flatMap(each => [
    { channel: directionOf(each, 0), end: each.ends[0] },
    { channel: directionOf(each, 1), end: each.ends[1] },
  ]);
  const found: Reckoned[] = [];
  for (const out of own) {
    for (const home of own) {
      if (out.peerId === home.peerId) continue;
      for (const first of steps.filter(step => step.channel.source === out.peerId)) {
        found.push(...reckon(out, [first], home, query));
        const middle = first.channel.destination;
        if (middle === home.peerId) continue;
        for (const second of steps.filter(step => step.channel.source === middle))
          found.push(...reckon(out, [first, second], home, query));
      }
    }
  }
  found.sort(order);
  const seen = new Set<string>();
  return found.filter(({ between }) => !seen.has(between) && seen.add(between)).slice(0, query.limit);
}

function order(a: Reckoned, b: Reckoned): number {
  return (
    a.price - b.price ||
    Number(a.fee - b.fee) ||
    a.delay - b.delay ||
    Number(b.spendable - a.spendable) ||
    Number(b.receivable - a.receivable) ||
    0
  );
}

/** One circle, or none if something forbids it. */
function reckon(out: OwnChannel, steps: readonly Step[], home: OwnChannel, query: CircleQuery): Reckoned[] {
  const last = steps.at(-1);
  if (last?.channel.destination !== home.peerId) return [];
  if (!out.usable || !home.usable || !home.isPublic) return [];
  if (!chosen(out, query.out) || !chosen(home, query.in)) return [];
  const { localLimits } = out;
  const { remoteLimits, remoteTerms } = home;
  if (localLimits === undefined || remoteLimits === undefined || remoteTerms === undefined) return [];
  let amount = query.amountMsat;
  let delay = query.finalDelay ?? 40;
  let terms: ForwardingTerms = remoteTerms;
  let chance = 1;
  if (amount > home.receivableMsat || amount < remoteLimits.minimumMsat || amount > remoteLimits.maximumMsat)
    return [];
  for (const { channel, end } of [...steps].reverse()) {
    if (channel.destination === US || channel.destination === out.peerId || !end.active) return [];
    amount += terms.baseFeeMsat + (amount * terms.feePpm) / 1_000_000n;
    delay += terms.cltvExpiryDelta;
    if (amount < end.limits.minimumMsat || amount > end.limits.maximumMsat) return [];
    if (amount > channel.capacityMsat) return [];
    chance *= chanceOf(channel.capacityMsat, end, amount);
    terms = end.terms;
  }
  amount += terms.baseFeeMsat + (amount * terms.feePpm) / 1_000_000n;
  delay += terms.cltvExpiryDelta;
  const fee = amount - query.amountMsat;
  if (chance === 0 || delay > query.maxDelay) return [];
  if (fee * 1_000_000n > query.amountMsat * query.maxFeePpm) return [];
  if (amount > out.spendableMsat || amount < localLimits.minimumMsat || amount > localLimits.maximumMsat)
    return [];
  const between = steps.map(
    ({ channel }) => `${formatShortChannelId(channel.shortChannelId)}/${channel.direction}`,
  );
  const ids = [out, ...steps.map(({ channel }) => channel), home].map(c => c.shortChannelId ?? 0n);
  const cost = Math.round(Number(fee) + Number(query.failedTryCostMsat ?? 0n) * ((1 - chance) / chance));
  const { worth } = query;
  const brought =
    worth === undefined ? 0 : (worth.outs.get(out.peerId) ?? -9) + (worth.ins.get(home.peerId) ?? -9);
  if (worth !== undefined && brought < worth.least) return [];
  return [
    {
      cost,
      price: worth === undefined ? cost : ((cost + 1) / brought) * worth.most,
      fee,
      delay,
      path: ids.map(formatShortChannelId).join(' '),
      between: between.join(' '),
      spendable: min(out.spendableMsat, localLimits.maximumMsat),
      receivable: home.receivableMsat,
    },
  ];
}

function chosen(channel: OwnChannel, filter: EndFilter | undefined): boolean {
  if (filter === undefined) return true;
  if ('peerIds' in filter) return filter.peerIds.has(channel.peerId);
  if ('peerId' in filter) return channel.peerId === filter.peerId;
  return channel.shortChannelId === filter.shortChannelId;
}

/**
 * Unworn with 0.6, and then uniform below what is impossible; an offer that holds rules out what is below it. Doubles
 * multiply and divide in the search's order: a chance of 1e-11 costs so much that the last digit of a double is many
 * millisatoshi, and another order another number.
 */
function chanceOf(capacityMsat: bigint, { offer, failedMsat, odds }: End, amountMsat: bigint): number {
  let impossible = capacityMsat + 1n;
  const contradicted = offer !== undefined && failedMsat !== undefined && offer.amountMsat >= failedMsat;
  if (failedMsat !== undefined && !contradicted) impossible = min(impossible, failedMsat);
  if (amountMsat >= impossible) return 0;
  const left = Number(impossible - amountMsat);
  const shifted = (chance: number) =>
    odds === 1 ? chance : (chance * odds) / (chance * odds + (1 - chance));
  const blind = shifted((0.6 * left) / Number(impossible));
  if (offer === undefined) return blind;
  const offered = min(offer.amountMsat, capacityMsat);
  const told = amountMsat <= offered ? 1 : shifted(left / Number(impossible - offered));
  return offer.reliability * told + (1 - offer.reliability) * blind;
}

function min(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}
