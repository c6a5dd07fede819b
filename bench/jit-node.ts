/** The node that the benches of jitrouting stand on: 1,000 channels, each with another peer, and HTLCs over them. */
import type { Result } from './stub-rpc.ts';

export const CHANNELS = 1_000;
/** Of these channels nothing is ours. */
export const EMPTY = 20;
/** Channels of each of our peers with others of them. */
const ONWARD = 20;
/** What BOLT 4 makes of an onion, in hexadecimal. */
const NEXT_ONION = 'ab'.repeat(1366);
const SAT = 1000;
const TERMS = { fee_base_msat: 1000, fee_proportional_millionths: 1000, cltv_expiry_delta: 34 };
const LIMITS = { htlc_minimum_msat: 0, htlc_maximum_msat: 990_000_000 * SAT };
const LACKING_SAT = 1_000_000;

const peerId = (n: number) => `02${channelId(n)}`;

export function channelId(n: number): string {
  return (n % CHANNELS).toString(16).padStart(64, '0');
}

function channel(n: number): object {
  const oursMsat = n < EMPTY ? 0 : 500_000_000 * SAT;
  return {
    channel_id: channelId(n),
    peer_id: peerId(n),
    peer_connected: true,
    reestablished: true,
    state: 'CHANNELD_NORMAL',
    private: false,
    short_channel_id: `${103 + n}x1x0`,
    to_us_msat: oursMsat,
    total_msat: 1_000_000_000 * SAT,
    spendable_msat: Math.max(0, oursMsat - 10_000_000 * SAT),
    receivable_msat: 990_000_000 * SAT - oursMsat,
    our_reserve_msat: 10_000_000 * SAT,
    opener: 'remote',
    updates: { local: { ...LIMITS, ...TERMS }, remote: { ...LIMITS, ...TERMS } },
    max_accepted_htlcs: 483,
    htlcs: [],
  };
}

/** Gossip: each peer with the next ones. */
function gossiped(from: number, to: number): object {
  const [a, b] = [Math.min(from, to), Math.max(from, to)];
  return {
    source: peerId(from),
    destination: peerId(to),
    short_channel_id: `${2000 + a}x${b}x0`,
    public: true,
    active: true,
    amount_msat: 1_000_000_000 * SAT,
    base_fee_millisatoshi: 1000,
    fee_per_millionth: 10,
    delay: 34,
    ...LIMITS,
  };
}

function listchannels({ source, destination }: Readonly<Record<string, unknown>>): object {
  const of = Number.parseInt(String(source ?? destination).slice(2), 16);
  const others = Array.from({ length: ONWARD }, (_, n) => (of + n + 1) % CHANNELS);
  const before = Array.from({ length: ONWARD }, (_, n) => (of + CHANNELS - n - 1) % CHANNELS);
  return {
    channels: [...others, ...before].map(other =>
      source === undefined ? gossiped(other, of) : gossiped(of, other),
    ),
  };
}

/** An HTLC that goes on over a channel with more than enough. */
export function htlc(n: number): object {
  return htlcOver(n, EMPTY + (n % (CHANNELS - EMPTY)), 10);
}

/** One that wants an empty channel. */
export function lackingHtlc(n: number): object {
  return htlcOver(n, n % EMPTY, LACKING_SAT);
}

function htlcOver(n: number, out: number, amountSat: number): object {
  return {
    peer_id: peerId(n + 500),
    onion: {
      payload: '110202271004018406080000670000030000',
      type: 'tlv',
      short_channel_id: `${103 + out}x1x0`,
      forward_msat: amountSat * SAT,
      outgoing_cltv_value: 132,
      next_onion: NEXT_ONION,
      shared_secret: 'cd'.repeat(32),
    },
    forward_to: channelId(out),
    htlc: {
      short_channel_id: `${103 + ((n + 500) % CHANNELS)}x1x0`,
      id: n,
      amount_msat: amountSat * SAT + 1000 + amountSat,
      cltv_expiry: 166,
      cltv_expiry_relative: 60,
      payment_hash: 'ef'.repeat(32),
    },
  };
}

/** What lightningd and balancesharing answer there. A circle that is performed never ends. */
export function answers(jitPlugin: string): Readonly<Record<string, Result>> {
  const channels = Array.from({ length: CHANNELS }, (_, n) => channel(n));
  return {
    listpeerchannels: ({ id }) =>
      id === undefined ? { channels } : { channels: channels.filter((_, n) => peerId(n) === id) },
    listchannels,
    help: { help: [{ command: 'foafrebalance [ask]' }] },
    listconfigs: { configs: { plugin: { values_str: [jitPlugin] } } },
    foafcircles: { circles: [{ hops: [900, 901, 902].map(n => ({ id: peerId(n) })) }] },
    foafrebalance: () => undefined,
  };
}
