/**
 * The exact route of a circle, computed backwards from its end (BOLT 7, "HTLC Fees"; BOLT 4, "Payload for the Last
 * Node"): what is sent, in integers.
 *
 * Hazard: each node checks fee and delay against its own terms and fails what falls short. The last fee is that of our
 * own channel's other end, which only its peer's update tells.
 */
import type { ForwardingTerms, OwnChannel } from '../sharing/node-view.ts';
import type { GossipChannel } from '../sharing/ports.ts';
import type { ShortChannelId } from '../wire/short-channel-id.ts';
import { forwardingFee } from './fees.ts';
import type { RouteHop } from './types.ts';

/**
 * Blocks that the last HTLC has left when it reaches us. lightningd's invoices want 18 (`cltv-final`); a fulfilled
 * HTLC that the peer does not resolve makes it close the channel shortly before the expiry, so that 40 is prudent.
 */
export const FINAL_DELAY = 40;

/** A channel of ours in a route: confirmed, and its peer's terms known where they are needed. */
export interface RouteEnd {
  readonly peerId: string;
  readonly shortChannelId: ShortChannelId;
}

export interface RouteParts {
  readonly nodeId: string;
  readonly out: RouteEnd;
  /** What leads from the first friend to the last one. */
  readonly path: readonly GossipChannel[];
  readonly in: RouteEnd & { readonly remoteTerms: ForwardingTerms };
  /** What arrives at our end. */
  readonly amountMsat: bigint;
  readonly finalDelay: number;
}

/** Every hop with what it carries. Our own first hop costs nothing. */
export function routeOf(parts: RouteParts): RouteHop[] {
  let amountMsat = parts.amountMsat;
  let delay = parts.finalDelay;
  const hops: RouteHop[] = [ownHop(parts.in, parts.in.peerId, parts.nodeId, amountMsat, delay)];
  let terms = parts.in.remoteTerms;
  for (const channel of parts.path.toReversed()) {
    amountMsat += forwardingFee(terms, amountMsat);
    delay += terms.cltvExpiryDelta;
    const { destination: id, shortChannelId, direction } = channel;
    hops.push({ id, shortChannelId, direction, amountMsat, delay });
    terms = channel.terms;
  }
  amountMsat += forwardingFee(terms, amountMsat);
  delay += terms.cltvExpiryDelta;
  hops.push(ownHop(parts.out, parts.nodeId, parts.out.peerId, amountMsat, delay));
  return hops.reverse();
}

function ownHop(
  { shortChannelId }: RouteEnd,
  from: string,
  to: string,
  amountMsat: bigint,
  delay: number,
): RouteHop {
  return { id: to, shortChannelId, direction: from < to ? 0 : 1, amountMsat, delay };
}

/** Whether HTLCs can leave over a channel of ours. */
export function canSend(channel: OwnChannel): channel is OwnChannel & RouteEnd {
  return channel.state === 'normal' && channel.usable && channel.shortChannelId !== undefined;
}

/**
 * Whether HTLCs can come in over a channel of ours that a route names: only over public ones, since peers refuse the
 * short channel id of a private one where `option_scid_alias` is in use (BOLT 2), and it mostly is.
 */
export function canReceive(
  channel: OwnChannel,
): channel is OwnChannel & RouteEnd & { readonly remoteTerms: ForwardingTerms } {
  return canSend(channel) && channel.isPublic && channel.remoteTerms !== undefined;
}
