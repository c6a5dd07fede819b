/**
 * The answers of a node about itself and its network, key by key as v26.06 gives them on regtest. Left empty: what
 * stands on chain (`outputs`), addresses of nodes.
 */
import type { Channel } from './channel.ts';
import {
  CLTV_DELTA,
  FEE_BASE_MSAT,
  FEE_PER_MILLIONTH,
  HTLC_MINIMUM_MSAT,
  peerChannelShape,
} from './peer-channel-shape.ts';
import { addressOf, channelIdOf, fundingTxidOf, type Resident, type World } from './world.ts';

/** The release that the shapes come from, marked as one that nobody released. */
const VERSION = 'v26.06.6-devnet';
/** Feature bits as such a node has them, by where they stand. */
const FEATURES = {
  init: '800898880a8a59a1',
  node: '808898880a8a59a1',
  channel: '',
  invoice: '02000002024100',
} as const;

/** The same as `init` tells a plugin. */
export const FEATURE_SET = {
  ...FEATURES,
  bolt12_offer: '',
  bolt12_invreq: '',
  bolt12_invoice: '020000',
  channel_type: '08800000800000',
} as const;

export function getinfoShape(world: World, { id, name, port }: Resident, lightningDir: string): object {
  const channels = world.channelsOf(id);
  const active = channels.filter(({ state }) => state === 'CHANNELD_NORMAL').length;
  const pending = channels.filter(({ state }) => state === 'CHANNELD_AWAITING_LOCKIN').length;
  return {
    id,
    alias: name,
    color: id.slice(0, 6),
    num_peers: world.peersOf(id).length,
    num_pending_channels: pending,
    num_active_channels: active,
    num_inactive_channels: channels.length - active - pending,
    address: [],
    binding: [addressOf(port)],
    version: VERSION,
    blockheight: world.height,
    network: 'regtest',
    fees_collected_msat: 0,
    'lightning-dir': lightningDir,
    our_features: FEATURES,
  };
}

export function listpeersShape(world: World, nodeId: string, only?: string): object {
  const peers = world.peersOf(nodeId).filter(peerId => only === undefined || peerId === only);
  return {
    peers: peers.map(id => {
      const connected = world.isConnected(nodeId, id);
      return {
        id,
        connected,
        num_channels: world.channelsOf(nodeId).filter(channel => channel.peerOf(nodeId) === id).length,
        ...(connected ? { netaddr: [`127.0.0.1:${world.residents.get(id)?.port ?? 0}`] } : {}),
        features: FEATURES.init,
      };
    }),
  };
}

export function listpeerchannelsShape(
  world: World,
  nodeId: string,
  fits: (channel: Channel) => boolean,
): object {
  return {
    channels: world
      .channelsOf(nodeId)
      .filter(fits)
      .map(channel => peerChannelShape(world, channel, nodeId)),
  };
}

export function listfundsShape(world: World, nodeId: string): object {
  return {
    outputs: [],
    channels: world.channelsOf(nodeId).map(channel => ({
      peer_id: channel.peerOf(nodeId),
      connected: channel.state === 'CHANNELD_NORMAL' && world.isConnected(nodeId, channel.peerOf(nodeId)),
      state: channel.state,
      channel_id: channelIdOf(channel),
      short_channel_id: channel.shortChannelId,
      our_amount_msat: channel.endOf(nodeId).ours,
      amount_msat: channel.init.capacityMsat,
      funding_txid: fundingTxidOf(channel),
      funding_output: channel.init.output,
    })),
  };
}

/** The gossip: both directions of every announced channel, closed ones as no longer active. */
export function listchannelsShape(
  world: World,
  fits: (direction: { source: string; destination: string; short_channel_id: string }) => boolean,
): object {
  const directions = world.announcedChannels().flatMap(channel => {
    const { opener, acceptor } = channel.init;
    const [first, second] = opener < acceptor ? [opener, acceptor] : [acceptor, opener];
    return [directionShape(channel, first, second, 0), directionShape(channel, second, first, 1)];
  });
  return { channels: directions.filter(fits) };
}

function directionShape(channel: Channel, source: string, destination: string, direction: 0 | 1) {
  const active = channel.state === 'CHANNELD_NORMAL';
  return {
    source,
    destination,
    short_channel_id: channel.shortChannelId,
    direction,
    public: true,
    amount_msat: channel.init.capacityMsat,
    message_flags: 1,
    channel_flags: active ? direction : direction + 2,
    active,
    last_update: channel.init.updatedAt,
    base_fee_millisatoshi: FEE_BASE_MSAT,
    fee_per_millionth: FEE_PER_MILLIONTH,
    delay: CLTV_DELTA,
    htlc_minimum_msat: HTLC_MINIMUM_MSAT,
    htlc_maximum_msat: channel.htlcMaximumMsat,
    features: '',
  };
}

/** The nodes that have announced channels. */
export function listnodesShape(world: World, only?: string): object {
  const announced = world.announcedChannels();
  const nodes: object[] = [];
  for (const { id, name } of world.residents.values()) {
    const updates = announced.filter(channel => channel.hasEnd(id)).map(({ init }) => init.updatedAt);
    if ((only !== undefined && id !== only) || updates.length === 0) continue;
    nodes.push({
      nodeid: id,
      alias: name,
      color: id.slice(0, 6),
      last_timestamp: Math.max(...updates),
      features: FEATURES.node,
      addresses: [],
    });
  }
  return { nodes };
}
