/** What all nodes of a mesh really hold, and the circles that it would let through: what no single node can know. */
import type { RegtestNetwork } from '../regtest/harness.ts';

/** One direction of a channel. */
export interface Edge {
  readonly scid: string;
  readonly from: string;
  readonly to: string;
  /** The most that can go now, by what either end says of it, and the least and most that `from` lets through. */
  readonly spendable: number;
  readonly minimum: number;
  readonly maximum: number;
  readonly base: number;
  readonly ppm: number;
  readonly delta: number;
  readonly ours: number;
  readonly total: number;
}

interface PeerChannel {
  peer_id: string;
  state: string;
  short_channel_id: string;
  to_us_msat: number;
  total_msat: number;
  spendable_msat: number;
  receivable_msat: number;
  htlcs: unknown[];
  updates: {
    local: {
      htlc_minimum_msat: number;
      htlc_maximum_msat: number;
      fee_base_msat: number;
      fee_proportional_millionths: number;
      cltv_expiry_delta: number;
    };
  };
}

/**
 * Every direction of every channel, in the order of the nodes at both ends, whatever their ids; `undefined` while
 * something is on its way.
 */
export async function edgesOf({ nodes }: RegtestNetwork): Promise<Edge[] | undefined> {
  const all = await Promise.all(
    nodes.map(async node => ({
      id: node.id,
      channels: (await node.rpc<{ channels: PeerChannel[] }>('listpeerchannels')).channels,
    })),
  );
  if (all.some(({ channels }) => channels.some(({ htlcs }) => htlcs.length > 0))) return undefined;
  const receivable = new Map(
    all.flatMap(({ id, channels }) =>
      channels.map(channel => [`${id} ${channel.short_channel_id}`, channel.receivable_msat] as const),
    ),
  );
  const place = new Map(nodes.map(({ id }, index) => [id, index]));
  const inOrder = (channels: readonly PeerChannel[]) =>
    [...channels].sort((a, b) => (place.get(a.peer_id) ?? 0) - (place.get(b.peer_id) ?? 0));
  return all.flatMap(({ id, channels }) =>
    inOrder(channels).map((channel): Edge => {
      const { local } = channel.updates;
      const theirs = receivable.get(`${channel.peer_id} ${channel.short_channel_id}`) ?? 0;
      return {
        scid: channel.short_channel_id,
        from: id,
        to: channel.peer_id,
        spendable: Math.min(channel.spendable_msat, theirs),
        minimum: local.htlc_minimum_msat,
        maximum: local.htlc_maximum_msat,
        base: local.fee_base_msat,
        ppm: local.fee_proportional_millionths,
        delta: local.cltv_expiry_delta,
        ours: channel.to_us_msat,
        total: channel.total_msat,
      };
    }),
  );
}

/** A rebalance: the amount leaves us for `out` and comes back from `home`. */
export interface Wanted {
  readonly us: string;
  readonly out: string;
  readonly home: string;
  readonly amount: number;
}

/** Every circle of three and four hops that the true balances let through within the limits, as short channel ids. */
export function possible(
  edges: readonly Edge[],
  { us, out, home, amount }: Wanted,
  maxFeePpm: number,
  maxDelay: number,
): string[] {
  const from = (id: string) => edges.filter(edge => edge.from === id);
  const paths: Edge[][] = [];
  for (const first of from(us).filter(edge => edge.to === out)) {
    for (const second of from(out)) {
      if (second.to === us) continue;
      for (const third of from(second.to)) {
        if (second.to === home && third.to === us) paths.push([first, second, third]);
        if (second.to === home || third.to !== home) continue;
        for (const last of from(home).filter(edge => edge.to === us))
          paths.push([first, second, third, last]);
      }
    }
  }
  return paths
    .filter(path => {
      let carried = amount;
      let delay = 40;
      for (const [place, edge] of [...path.entries()].reverse()) {
        if (carried > edge.spendable || carried < edge.minimum || carried > edge.maximum) return false;
        if (place === 0) break;
        carried += edge.base + Math.floor((carried * edge.ppm) / 1e6);
        delay += edge.delta;
      }
      return carried - amount <= (amount * maxFeePpm) / 1e6 && delay <= maxDelay;
    })
    .map(path => path.map(({ scid }) => scid).join(' '));
}
