/** Our own channels, from what lightningd or a file in its form tells of them. */
import type * as v from 'valibot';
import type { ChannelState, HtlcLimits, NodeView, OwnChannel } from '../sharing/node-view.ts';
import type { ShortChannelId } from '../wire/short-channel-id.ts';
import * as answers from './answers.ts';
import { ErrorCode, RpcError } from './errors.ts';
import { termsOf } from './gossip-reader.ts';
import type { Rpc } from './rpc-client.ts';

/**
 * What `listfunds` does not tell: the reserve that stays on each side, taken as the usual 1 % of the channel
 * (BOLT 2 leaves `channel_reserve_satoshis` to the node; 1 % is Core Lightning's).
 */
const RESERVE_DIVISOR = 100n;

const STATES: Readonly<Record<string, ChannelState>> = {
  CHANNELD_NORMAL: 'normal',
  CHANNELD_AWAITING_SPLICE: 'splicing',
};

type PeerChannel = v.InferOutput<typeof answers.peerChannel>;
type Fund = v.InferOutput<typeof answers.listfunds>['channels'][number];
type ListedChannel = v.InferOutput<typeof answers.listedChannel>;

/** How to read our node: by `listpeerchannels`, or by `listfunds` from the first time on that the node has no such call. */
export function lightningdView(rpc: Rpc): () => Promise<NodeView> {
  let hasListpeerchannels = true;
  const ownChannels = async (): Promise<OwnChannel[] | undefined> => {
    if (!hasListpeerchannels) return undefined;
    try {
      const answer = await rpc.call('listpeerchannels');
      return await answers.readChannels('listpeerchannels', answers.peerChannel, answer, fromPeerChannel);
    } catch (error) {
      if (!(error instanceof RpcError && error.code === ErrorCode.methodNotFound)) throw error;
      hasListpeerchannels = false;
      return undefined;
    }
  };
  return async () => {
    const [answer, channels] = await Promise.all([rpc.call('getinfo'), ownChannels()]);
    const { id, blockheight } = answers.readAnswer('getinfo', answers.getinfo, answer);
    return {
      nodeId: id,
      blockHeight: blockheight,
      channels: channels ?? (await readFunds(rpc, id)),
    };
  };
}

async function readFunds(rpc: Rpc, nodeId: string): Promise<OwnChannel[]> {
  const all = (channel: ListedChannel) => channel;
  const [funds, from, to] = await Promise.all([
    rpc.call('listfunds'),
    rpc.call('listchannels', { source: nodeId }),
    rpc.call('listchannels', { destination: nodeId }),
  ]);
  return fromFunds(
    answers.readAnswer('listfunds', answers.listfunds, funds).channels,
    await answers.readChannels('listchannels', answers.listedChannel, from, all),
    await answers.readChannels('listchannels', answers.listedChannel, to, all),
  );
}

/**
 * Channels as `listfunds` tells them. It tells neither limits nor whether a channel is public: the gossip does.
 *
 * @param from the gossip on our channels from us, `to` to us
 */
export function fromFunds(
  funds: readonly Fund[],
  from: readonly ListedChannel[],
  to: readonly ListedChannel[],
): OwnChannel[] {
  const local = limitsById(from);
  const remote = limitsById(to);
  const terms = new Map(to.map(channel => [channel.short_channel_id, termsOf(channel)]));
  return funds.map(channel => {
    const id = channel.short_channel_id;
    const reserveMsat = channel.amount_msat / RESERVE_DIVISOR;
    const theirsMsat = channel.amount_msat - channel.our_amount_msat;
    return {
      peerId: channel.peer_id,
      shortChannelId: id,
      state: STATES[channel.state] ?? 'other',
      isPublic: id !== undefined && local.has(id),
      peerConnected: channel.connected,
      usable: channel.connected,
      toUsMsat: channel.our_amount_msat,
      totalMsat: channel.amount_msat,
      spendableMsat: less(channel.our_amount_msat, reserveMsat),
      receivableMsat: less(theirsMsat, reserveMsat),
      localLimits: id === undefined ? undefined : local.get(id),
      remoteLimits: id === undefined ? undefined : remote.get(id),
      remoteTerms: id === undefined ? undefined : terms.get(id),
    };
  });
}

function fromPeerChannel(channel: PeerChannel): OwnChannel {
  const totalMsat = channel.total_msat ?? 0n;
  return {
    peerId: channel.peer_id,
    shortChannelId: channel.short_channel_id,
    state: STATES[channel.state] ?? 'other',
    isPublic: channel.private === false,
    peerConnected: channel.peer_connected,
    usable: channel.peer_connected && channel.reestablished !== false,
    toUsMsat: channel.to_us_msat ?? 0n,
    totalMsat,
    spendableMsat: channel.spendable_msat ?? 0n,
    receivableMsat: channel.receivable_msat ?? 0n,
    ...limitsOf(channel, totalMsat),
  };
}

/** Before v24.02 lightningd told our own limits only, elsewhere; the peer's are then taken as its channel's size. */
function limitsOf(
  { updates, minimum_htlc_out_msat, maximum_htlc_out_msat }: PeerChannel,
  totalMsat: bigint,
): Pick<OwnChannel, 'localLimits' | 'remoteLimits' | 'remoteTerms'> {
  if (updates === undefined) {
    return {
      localLimits: {
        minimumMsat: minimum_htlc_out_msat ?? 0n,
        maximumMsat: maximum_htlc_out_msat ?? totalMsat,
      },
      remoteLimits: { minimumMsat: 0n, maximumMsat: totalMsat },
      remoteTerms: undefined,
    };
  }
  const { local, remote } = updates;
  return {
    localLimits: { minimumMsat: local.htlc_minimum_msat, maximumMsat: local.htlc_maximum_msat },
    remoteLimits: remote && { minimumMsat: remote.htlc_minimum_msat, maximumMsat: remote.htlc_maximum_msat },
    remoteTerms: remote && {
      baseFeeMsat: remote.fee_base_msat,
      feePpm: remote.fee_proportional_millionths,
      cltvExpiryDelta: remote.cltv_expiry_delta,
    },
  };
}

function limitsById(listed: readonly ListedChannel[]): Map<ShortChannelId, HtlcLimits> {
  const limits = new Map<ShortChannelId, HtlcLimits>();
  for (const channel of listed) {
    if (!channel.public) continue;
    limits.set(channel.short_channel_id, {
      minimumMsat: channel.htlc_minimum_msat,
      maximumMsat: channel.htlc_maximum_msat ?? channel.amount_msat,
    });
  }
  return limits;
}

function less(amountMsat: bigint, reserveMsat: bigint): bigint {
  return amountMsat > reserveMsat ? amountMsat - reserveMsat : 0n;
}
