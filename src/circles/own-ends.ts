/**
 * Our own channels as first and last hop of circles.
 *
 * Hazard: `spendable_msat` and `receivable_msat` know reserve and commitment fee, but not the htlc limits that both
 * ends advertise; lightningd checks those of ours as well.
 */
import type { HtlcLimits, NodeView, OwnChannel } from '../sharing/node-view.ts';
import { compareShortChannelIds } from '../wire/short-channel-id.ts';
import { toNumber } from './fees.ts';
import { canReceive, canSend, type RouteEnd, type RouteParts } from './route.ts';
import type { CircleQuery, EndFilter } from './types.ts';

/** One of our channels as first hop, and what it lets out at once, in millisatoshi. */
export interface Out extends RouteEnd {
  readonly minimum: number;
  readonly maximum: number;
}

/** One of our channels as last hop; `receivable` in millisatoshi. */
export type In = RouteParts['in'] & { readonly receivable: number };

/** Those that let the amount out, by peer. Of a peer's channels the one that lets out most comes first. */
export function outsOf(view: NodeView, query: CircleQuery): ReadonlyMap<string, readonly Out[]> {
  const found: Out[] = [];
  for (const channel of view.channels) {
    if (!canSend(channel) || !passes(channel, query.out) || channel.localLimits === undefined) continue;
    const { peerId, shortChannelId, localLimits, spendableMsat } = channel;
    // The first hop carries fees as well, so that a minimum above the amount may be met yet.
    const minimum = toNumber(localLimits.minimumMsat);
    const maximum = Math.min(toNumber(spendableMsat), toNumber(localLimits.maximumMsat));
    if (query.amountMsat > BigInt(maximum)) continue;
    found.push({ peerId, shortChannelId, minimum, maximum });
  }
  found.sort((a, b) => b.maximum - a.maximum || compareShortChannelIds(a.shortChannelId, b.shortChannelId));
  return byPeer(found);
}

/** Those that let the amount in, by peer. */
export function insOf(view: NodeView, query: CircleQuery): ReadonlyMap<string, readonly In[]> {
  const found: In[] = [];
  for (const channel of view.channels) {
    if (!canReceive(channel) || !passes(channel, query.in)) continue;
    if (channel.receivableMsat < query.amountMsat || !lets(channel.remoteLimits, query.amountMsat)) continue;
    const { peerId, shortChannelId, remoteTerms, receivableMsat } = channel;
    found.push({ peerId, shortChannelId, remoteTerms, receivable: toNumber(receivableMsat) });
  }
  return byPeer(found);
}

/** Whether a filter, where there is one, lets a channel of ours through. */
export function passes(channel: OwnChannel, filter: EndFilter | undefined): boolean {
  if (filter === undefined) return true;
  if ('peerIds' in filter) return filter.peerIds.has(channel.peerId);
  return 'peerId' in filter
    ? channel.peerId === filter.peerId
    : channel.shortChannelId === filter.shortChannelId;
}

function lets(limits: HtlcLimits | undefined, amountMsat: bigint): boolean {
  return limits !== undefined && amountMsat >= limits.minimumMsat && amountMsat <= limits.maximumMsat;
}

function byPeer<T extends RouteEnd>(ends: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const end of ends) {
    const group = groups.get(end.peerId);
    if (group === undefined) groups.set(end.peerId, [end]);
    else group.push(end);
  }
  return groups;
}
