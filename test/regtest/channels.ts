/** How channels come to be between nodes: funding, and the waits until all know of them. */
import type { Bitcoind } from './bitcoind.ts';
import type { RegtestNode } from './node.ts';

/** A channel to open. */
export interface Opening {
  readonly from: RegtestNode;
  readonly to: RegtestNode;
  readonly amountSat: number;
  readonly pushSat: number;
  readonly announce: boolean;
}

/** What a node's own wallet gets with its first channel; an anchor channel's opener has to keep some. */
const WALLET_SAT = 100_000_000;

interface PeerChannel {
  state: string;
  peer_id: string;
  peer_connected: boolean;
  reestablished?: boolean;
  channel_id?: string;
  short_channel_id?: string;
  updates?: { local?: object; remote?: object };
}

interface GossipChannel {
  short_channel_id: string;
  active: boolean;
}

/**
 * Deals channels into rounds such that no two nodes have two channels in one: lightningd negotiates only one new
 * channel with a peer at a time.
 */
export function inRounds(openings: readonly Opening[]): Opening[][] {
  const rounds: Opening[][] = [];
  const seen = new Map<string, number>();
  for (const opening of openings) {
    const pair = [opening.from.name, opening.to.name].sort().join();
    const place = seen.get(pair) ?? 0;
    seen.set(pair, place + 1);
    const round = rounds[place] ?? [];
    round.push(opening);
    rounds[place] = round;
  }
  return rounds;
}

/**
 * Funds a round of channels, and the wallets of nodes that have nothing yet, by one transaction of bitcoind's. With
 * `fundchannel` each opener would need coins of its own first, one more block and the wait for it.
 *
 * @returns each channel's `channel_id`. They are usable some blocks later.
 */
export async function fund(
  bitcoind: Bitcoind,
  round: readonly Opening[],
  poor: readonly RegtestNode[],
): Promise<Map<Opening, string>> {
  const outputs = new Map<string, number>();
  await Promise.all([
    ...round.map(async ({ from, to, amountSat, pushSat, announce }) => {
      const start = { id: to.id, amount: amountSat, push_msat: pushSat * 1000, announce };
      const { funding_address } = await from.rpc<{ funding_address: string }>('fundchannel_start', start);
      outputs.set(funding_address, amountSat);
    }),
    ...poor.map(async node => {
      const { bech32 } = await node.rpc<{ bech32: string }>('newaddr', ['bech32']);
      outputs.set(bech32, WALLET_SAT);
    }),
  ]);
  const ids = new Map<Opening, string>();
  // Each side must hold the other's signatures before the money moves.
  await bitcoind.pay(outputs, async psbt => {
    await Promise.all(
      round.map(async opening => {
        const complete = { id: opening.to.id, psbt };
        const { channel_id } = await opening.from.rpc<{ channel_id: string }>(
          'fundchannel_complete',
          complete,
        );
        ids.set(opening, channel_id);
      }),
    );
  });
  return ids;
}

async function peerChannels(node: RegtestNode, peer: RegtestNode): Promise<PeerChannel[]> {
  return (await node.rpc<{ channels: PeerChannel[] }>('listpeerchannels', { id: peer.id })).channels;
}

/** Waits until a channel is usable, and its fees are known, in the eyes of `node`. @returns its short channel id. */
export async function untilUsable(node: RegtestNode, peer: RegtestNode, channelId: string): Promise<string> {
  return await node.askUntil(/to CHANNELD_NORMAL|with inbound settings/, async () => {
    const channel = (await peerChannels(node, peer)).find(({ channel_id }) => channel_id === channelId);
    const isUsable = channel?.state === 'CHANNELD_NORMAL' && channel.updates?.local && channel.updates.remote;
    return isUsable ? channel.short_channel_id : undefined;
  });
}

/** Waits until all channels with a peer are usable again, in the eyes of `node`, after a disconnect. */
export async function untilReestablished(node: RegtestNode, peer: RegtestNode): Promise<void> {
  await node.askUntil(/reestablished/, async () => {
    const channels = await peerChannels(node, peer);
    return channels.every(channel => channel.peer_connected && channel.reestablished) ? true : undefined;
  });
}

/** Which of its fellows a node has channels with. */
export async function channelPeers(
  node: RegtestNode,
  fellows: readonly RegtestNode[],
): Promise<RegtestNode[]> {
  const { channels } = await node.rpc<{ channels: PeerChannel[] }>('listpeerchannels');
  return fellows.filter(({ id }) => channels.some(({ peer_id }) => peer_id === id));
}

/** Whether a node knows both directions of all these channels from gossip. */
export async function knows(node: RegtestNode, scids: readonly string[]): Promise<boolean> {
  const { channels } = await node.rpc<{ channels: GossipChannel[] }>('listchannels');
  const directions = new Map<string, number>();
  for (const { short_channel_id, active } of channels) {
    if (active) directions.set(short_channel_id, (directions.get(short_channel_id) ?? 0) + 1);
  }
  return scids.every(scid => directions.get(scid) === 2);
}
