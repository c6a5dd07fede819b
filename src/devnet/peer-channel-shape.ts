/**
 * A channel in `listpeerchannels`, key by key as v26.06 has it on regtest.
 *
 * Hazard: a plugin that reads a key which only the stand-in has, or needs one that it lacks, passes its tests and
 * fails on a real node. test/devnet/same-as-real.test.ts compares the keys. Transactions, addresses and aliases are
 * made up; what is in flight, spliced or renegotiated never is.
 */
import { type Channel, FEERATE_PER_KW } from './channel.ts';
import { channelIdOf, fundingTxidOf, sha256, stateChangeFields, type World } from './world.ts';

/** BOLT 2's `max_htlc_value_in_flight_msat` when it is no limit: more than a double holds. */
const NO_LIMIT_MSAT = 18_446_744_073_709_551_615n;
/** A PSBT without inputs and outputs. */
const EMPTY_PSBT = 'cHNidP8BAgQCAAAAAQQBAAEFAQAA';
/** What regtest nodes ask for forwarding, and say in gossip. */
export const FEE_BASE_MSAT = 1;
export const FEE_PER_MILLIONTH = 10;
export const CLTV_DELTA = 6;
export const HTLC_MINIMUM_MSAT = 0;

/** What of a channel's fields its ends may do by themselves, and what both must. */
const CHANNEL_TYPE = [
  { bit: 12, name: 'static_remotekey' },
  { bit: 22, name: 'anchors' },
];
const PRIVATE_CHANNEL_TYPE = [...CHANNEL_TYPE, { bit: 46, name: 'scid_alias' }];

/** Who, of a channel's processes, has it in a state: nobody between closing and the closing transaction. */
function ownerOf({ state }: Channel): string | undefined {
  if (state === 'CHANNELD_NORMAL') return 'channeld';
  return state === 'ONCHAIN' ? 'onchaind' : undefined;
}

export function peerChannelShape(world: World, channel: Channel, nodeId: string): object {
  const { init } = channel;
  const peerId = channel.peerOf(nodeId);
  const isConnected = world.isConnected(nodeId, peerId);
  const isOpener = init.opener === nodeId;
  const types = init.isPublic ? CHANNEL_TYPE : PRIVATE_CHANNEL_TYPE;
  const owner = isConnected || channel.state === 'ONCHAIN' ? ownerOf(channel) : undefined;
  const update = {
    htlc_minimum_msat: HTLC_MINIMUM_MSAT,
    htlc_maximum_msat: channel.htlcMaximumMsat,
    cltv_expiry_delta: CLTV_DELTA,
    fee_base_msat: FEE_BASE_MSAT,
    fee_proportional_millionths: FEE_PER_MILLIONTH,
  };
  const closeTo = `5120${sha256(`close ${channel.shortChannelId} ${nodeId}`)}`;
  return {
    peer_id: peerId,
    peer_connected: isConnected,
    ...(isConnected ? { reestablished: true } : {}),
    channel_type: { bits: types.map(({ bit }) => bit), names: types.map(({ name }) => `${name}/even`) },
    ignore_fee_limits: true,
    updates: { local: update, remote: update },
    state: channel.state,
    scratch_txid: sha256(`commitment ${channel.shortChannelId} ${channel.endOf(nodeId).ours}`),
    last_tx_fee_msat: channel.commitmentFeeMsat,
    lost_state: false,
    feerate: { perkw: FEERATE_PER_KW, perkb: FEERATE_PER_KW * 4 },
    ...(owner === undefined ? {} : { owner }),
    short_channel_id: channel.shortChannelId,
    direction: nodeId < peerId ? 0 : 1,
    channel_id: channelIdOf(channel),
    funding_txid: fundingTxidOf(channel),
    funding_outnum: init.output,
    close_to_addr: `bcrt1p${closeTo.slice(-58)}`,
    close_to: closeTo,
    private: !init.isPublic,
    opener: isOpener ? 'local' : 'remote',
    ...(channel.closer === undefined ? {} : { closer: channel.closer === nodeId ? 'local' : 'remote' }),
    alias: { local: aliasOf(channel, nodeId), remote: aliasOf(channel, peerId) },
    features: types.map(({ name }) => `option_${name}`),
    funding: {
      local_funds_msat: isOpener ? init.capacityMsat : 0,
      remote_funds_msat: isOpener ? 0 : init.capacityMsat,
      pushed_msat: init.pushedMsat,
      ...(isOpener ? { psbt: EMPTY_PSBT } : {}),
      withheld: false,
    },
    ...balanceFields(channel, nodeId),
    their_to_self_delay: 6,
    our_to_self_delay: 6,
    max_accepted_htlcs: 483,
    state_changes: channel.changes.map(change => stateChangeFields(change, nodeId)),
    status: [statusOf(channel)],
    ...paymentFields(channel, nodeId),
    htlcs: [],
  };
}

function balanceFields(channel: Channel, nodeId: string): object {
  const { ours, least, most } = channel.endOf(nodeId);
  return {
    to_us_msat: ours,
    min_to_us_msat: least,
    max_to_us_msat: most,
    total_msat: channel.init.capacityMsat,
    fee_base_msat: FEE_BASE_MSAT,
    fee_proportional_millionths: FEE_PER_MILLIONTH,
    dust_limit_msat: 546_000,
    their_max_htlc_value_in_flight_msat: NO_LIMIT_MSAT,
    our_max_htlc_value_in_flight_msat: NO_LIMIT_MSAT,
    their_reserve_msat: channel.reserveMsat,
    our_reserve_msat: channel.reserveMsat,
    spendable_msat: channel.spendableMsat(nodeId),
    receivable_msat: channel.spendableMsat(channel.peerOf(nodeId)),
    minimum_htlc_in_msat: HTLC_MINIMUM_MSAT,
    minimum_htlc_out_msat: HTLC_MINIMUM_MSAT,
    maximum_htlc_out_msat: channel.htlcMaximumMsat,
  };
}

function paymentFields(channel: Channel, nodeId: string): object {
  const out = channel.endOf(nodeId);
  const back = channel.endOf(channel.peerOf(nodeId));
  return {
    in_payments_offered: back.paid,
    in_offered_msat: back.paidMsat,
    in_payments_fulfilled: back.paid,
    in_fulfilled_msat: back.paidMsat,
    out_payments_offered: out.paid,
    out_offered_msat: out.paidMsat,
    out_payments_fulfilled: out.paid,
    out_fulfilled_msat: out.paidMsat,
  };
}

function statusOf(channel: Channel): string {
  return channel.state === 'CHANNELD_NORMAL'
    ? 'CHANNELD_NORMAL:Channel ready for use.'
    : `${channel.state}:${channel.changes.at(-1)?.message ?? ''}`;
}

/** A short channel id that only the two ends know. */
function aliasOf(channel: Channel, nodeId: string): string {
  const bytes = Buffer.from(sha256(`alias ${channel.shortChannelId} ${nodeId}`), 'hex');
  return `${bytes.readUIntBE(0, 3)}x${bytes.readUIntBE(3, 3)}x${bytes.readUInt16BE(6)}`;
}
