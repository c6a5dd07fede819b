/**
 * A node with three friends for the stand-in for lightningd to tell of, in the shapes of v26.06's answers:
 *
 * - ALICE: nothing of the channel is ours, so it takes in (`below`);
 * - BOB: all of it is ours, so it gives away (`above`);
 * - CAROL: half and half, as everything together (neither);
 * - DAVE is offline, ERIN's channel is not locked in yet, MALLORY is connected but has no channel.
 */
import { RawJson, type RpcMethod, StubError } from './stub-rpc.ts';

function nodeId(digits: string): string {
  return `02${digits.repeat(32)}`;
}

export const OURS = nodeId('0f');
export const ALICE = nodeId('a1');
export const BOB = nodeId('b2');
export const CAROL = nodeId('c3');
export const DAVE = nodeId('d4');
export const ERIN = nodeId('e5');
export const MALLORY = nodeId('66');
/** Somewhere behind Alice. */
export const ZOE = nodeId('77');

const SAT = 1000;
/** 0.01 btc. */
const CAPACITY_MSAT = 1_000_000 * SAT;
const RESERVE_MSAT = CAPACITY_MSAT / 100;

export interface Channel {
  readonly peerId: string;
  readonly shortChannelId: string;
  readonly toUsMsat: number;
  readonly connected?: boolean;
  readonly state?: string;
}

export const CHANNELS: readonly Channel[] = [
  { peerId: ALICE, shortChannelId: '103x1x0', toUsMsat: 0 },
  { peerId: BOB, shortChannelId: '103x2x0', toUsMsat: CAPACITY_MSAT },
  { peerId: CAROL, shortChannelId: '103x3x1', toUsMsat: CAPACITY_MSAT / 2 },
  { peerId: DAVE, shortChannelId: '103x4x0', toUsMsat: CAPACITY_MSAT / 2, connected: false },
  { peerId: ERIN, shortChannelId: '107x1x0', toUsMsat: 0, state: 'CHANNELD_AWAITING_LOCKIN' },
];

/** One channel of `listpeerchannels`. */
export function peerChannel({ peerId, shortChannelId, toUsMsat, connected = true, state }: Channel): object {
  const limits = { htlc_minimum_msat: 0, htlc_maximum_msat: CAPACITY_MSAT - RESERVE_MSAT };
  const fees = { cltv_expiry_delta: 6, fee_base_msat: 1000, fee_proportional_millionths: 10 };
  return {
    peer_id: peerId,
    peer_connected: connected,
    ...(connected ? { reestablished: true } : {}),
    updates: { local: { ...limits, ...fees }, remote: { ...limits, ...fees } },
    state: state ?? 'CHANNELD_NORMAL',
    short_channel_id: shortChannelId,
    direction: OURS < peerId ? 0 : 1,
    private: false,
    to_us_msat: toUsMsat,
    total_msat: CAPACITY_MSAT,
    their_reserve_msat: RESERVE_MSAT,
    our_reserve_msat: RESERVE_MSAT,
    spendable_msat: Math.max(0, toUsMsat - RESERVE_MSAT),
    receivable_msat: Math.max(0, CAPACITY_MSAT - toUsMsat - RESERVE_MSAT),
    status: [`${state ?? 'CHANNELD_NORMAL'}:Channel ready for use.`],
    htlcs: [],
  };
}

/** One channel of `listfunds`. */
export function fundedChannel({ peerId, shortChannelId, toUsMsat, connected, state }: Channel): object {
  return {
    peer_id: peerId,
    connected: connected ?? true,
    state: state ?? 'CHANNELD_NORMAL',
    short_channel_id: shortChannelId,
    our_amount_msat: toUsMsat,
    amount_msat: CAPACITY_MSAT,
    funding_txid: 'ab'.repeat(32),
    funding_output: 0,
  };
}

/** Both directions of a channel in `listchannels`. */
function gossiped(shortChannelId: string, one: string, other: string): object[] {
  return [
    { source: one, destination: other },
    { source: other, destination: one },
  ].map(({ source, destination }) => ({
    source,
    destination,
    short_channel_id: shortChannelId,
    direction: source < destination ? 0 : 1,
    public: true,
    amount_msat: CAPACITY_MSAT,
    active: true,
    base_fee_millisatoshi: 1000,
    fee_per_millionth: 10,
    delay: 6,
    htlc_minimum_msat: 0,
    htlc_maximum_msat: CAPACITY_MSAT - RESERVE_MSAT,
    features: '',
  }));
}

/** All channels that the network knows: ours, and some between our friends and others. */
const GOSSIP: readonly object[] = [
  ...CHANNELS.slice(0, 4).flatMap(({ shortChannelId, peerId }) => gossiped(shortChannelId, OURS, peerId)),
  ...gossiped('90x1x0', ALICE, BOB),
  ...gossiped('90x2x1', ALICE, ZOE),
  ...gossiped('90x3x0', BOB, CAROL),
];

/** `listchannels` as lightningd answers it; the whole of it, 45 MB on mainnet, must not be asked for. */
function listchannels(params: Readonly<Record<string, unknown>>): unknown {
  const [[key, id] = [], ...others] = Object.entries(params);
  if (!['source', 'destination', 'short_channel_id'].includes(String(key)) || others.length > 0) {
    throw new StubError(-32602, 'one selector');
  }
  return { channels: GOSSIP.filter(half => Object.entries(half).some(([k, v]) => k === key && v === id)) };
}

/** A `listpeerchannels` answer with the largest integer that lightningd writes, which no double holds. */
export function listpeerchannels(channels: readonly object[] = CHANNELS.map(peerChannel)): RawJson {
  const largest = '"their_max_htlc_value_in_flight_msat": 18446744073709551615';
  return new RawJson(JSON.stringify({ channels }).replaceAll('"htlcs":', `${largest},"htlcs":`));
}

/** A sampled node's RPC: all that the plugin needs. */
export function sampleMethods(): Record<string, RpcMethod> {
  return {
    getinfo: () => ({ id: OURS, alias: 'ours', blockheight: 108, network: 'regtest', version: 'v26.06.6' }),
    makesecret: () => ({ secret: '5e'.repeat(32) }),
    listpeerchannels: () => listpeerchannels(),
    listchannels,
    listdatastore: () => ({ datastore: [] }),
    datastore: () => ({ key: [], generation: 0 }),
    'askrene-create-layer': () => ({ layers: [] }),
    'askrene-age': ({ layer }) => ({ layer, num_removed: 0 }),
    'askrene-inform-channel': () => ({ constraints: [] }),
    sendcustommsg: () => ({ status: 'Message sent to connectd for delivery' }),
  };
}
