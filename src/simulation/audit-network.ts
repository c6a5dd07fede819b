/** A network with balances as the audit draws them, and what its nodes would answer and gossip. */
import type { FriendGossip } from '../circles/types.ts';
import { keyedHash } from '../sharing/keyed-hash.ts';
import type { NodeView, OwnChannel } from '../sharing/node-view.ts';
import type { GossipChannel } from '../sharing/ports.ts';
import { Snapshot } from '../sharing/snapshot.ts';
import type { Flow } from '../wire/codec.ts';
import type { ShortChannelId } from '../wire/short-channel-id.ts';
import { Belief, Grid, type Leaning, RESERVE } from './audit-belief.ts';
import { type AuditBalances, drawShare } from './audit-world.ts';
import type { Direction, Network } from './network.ts';
import type { Random } from './random.ts';

const WALL_MS = Date.UTC(2026, 0, 1);
/** At what amount the fees of both ends are compared: the cheaper side is the worn one. */
const COMPARED_AT_MSAT = 100_000_000;

export class RebalanceWorld {
  readonly network: Network;
  /** What the end 0 of each channel has, in millisatoshi. */
  readonly balances: Float64Array;
  readonly numberOf: ReadonlyMap<ShortChannelId, number>;
  readonly #kind: AuditBalances;
  readonly #hash = keyedHash(Buffer.alloc(32, 7));
  readonly #views = new Map<number, NodeView>();
  readonly #gossip = new Map<number, FriendGossip>();
  readonly #snapshots = new Map<number, Snapshot>();
  readonly #grids = new Map<string, Grid>();

  constructor(network: Network, kind: AuditBalances, random: Random) {
    this.network = network;
    this.#kind = kind;
    this.numberOf = new Map(network.shortChannelIds.map((id, channel) => [id, channel]));
    this.balances = Float64Array.from({ length: network.channelCount }, (_, channel) =>
      Math.round(network.capacity(channel) * drawShare(this.#leaning(channel), random)),
    );
  }

  /** The grid of the end 0 of a channel. */
  grid(channel: number): Grid {
    const capacitySat = this.network.capacity(channel) / 1000;
    const leaning = this.#leaning(channel);
    const key = `${capacitySat}|${leaning}`;
    let grid = this.#grids.get(key);
    if (grid === undefined) {
      grid = new Grid(capacitySat, leaning);
      this.#grids.set(key, grid);
    }
    return grid;
  }

  share(channel: number): number {
    return (this.balances[channel] ?? 0) / this.network.capacity(channel);
  }

  /** What the source of a direction can send over the channel, in millisatoshi. */
  spendable(channel: number, direction: Direction): number {
    const capacity = this.network.capacity(channel);
    const first = this.balances[channel] ?? 0;
    return Math.max(0, (direction === 0 ? first : capacity - first) - Math.round(capacity * RESERVE));
  }

  answer(friend: number, asker: number, flow: Flow, rungMsat: bigint): readonly ShortChannelId[] {
    const view = this.view(friend);
    let snapshot = this.#snapshots.get(friend);
    if (snapshot === undefined) {
      snapshot = new Snapshot({ view, minDepth: 1, omitPercent: 0, wallMs: WALL_MS, hash: this.#hash });
      this.#snapshots.set(friend, snapshot);
    }
    return snapshot.channelsFor(this.network.nodeId(asker), flow, rungMsat, view);
  }

  /** What an observer takes a node's ν to be who knows capacities and fees alone, and how far it may lie off. */
  guessedNu(node: number): { mean: number; sd: number } {
    let [ours, variance, total] = [0, 0, 0];
    for (const channel of this.network.channelsOf(node)) {
      const grid = this.grid(channel);
      const moments = new Belief(grid, 1).moments();
      const mean = this.network.directionFrom(channel, node) === 0 ? moments.mean : 1 - moments.mean;
      ours += mean * grid.capacitySat;
      variance += moments.variance * grid.capacitySat ** 2;
      total += grid.capacitySat;
    }
    return { mean: ours / total, sd: Math.sqrt(variance) / total };
  }

  view(node: number): NodeView {
    let view = this.#views.get(node);
    if (view === undefined) {
      const channels = Array.from(this.network.channelsOf(node), channel => this.#ownChannel(channel, node));
      view = { nodeId: this.network.nodeId(node), blockHeight: 1_000_000, channels };
      this.#views.set(node, view);
    }
    return view;
  }

  gossip(node: number): FriendGossip {
    let gossip = this.#gossip.get(node);
    if (gossip === undefined) {
      const [from, to] = [new Map<ShortChannelId, GossipChannel>(), new Map<ShortChannelId, GossipChannel>()];
      for (const channel of this.network.channelsOf(node)) {
        const away = this.network.directionFrom(channel, node);
        from.set(this.network.shortChannelId(channel), this.#gossipChannel(channel, away));
        to.set(this.network.shortChannelId(channel), this.#gossipChannel(channel, away === 0 ? 1 : 0));
      }
      gossip = { from, to };
      this.#gossip.set(node, gossip);
    }
    return gossip;
  }

  #leaning(channel: number): Leaning {
    if (this.#kind === 'anywhere') return 'anywhere';
    const lead =
      this.network.feeAt(channel, 0, COMPARED_AT_MSAT) - this.network.feeAt(channel, 1, COMPARED_AT_MSAT);
    return lead < 0 ? 'low' : lead > 0 ? 'high' : 'anywhere';
  }

  #limits(channel: number, direction: Direction) {
    return {
      minimumMsat: BigInt(this.network.htlcMinimum(channel, direction)),
      maximumMsat: BigInt(this.network.htlcMaximum(channel, direction)),
    };
  }

  #terms(channel: number, direction: Direction) {
    return {
      baseFeeMsat: BigInt(this.network.baseFee(channel, direction)),
      feePpm: BigInt(this.network.feePpm(channel, direction)),
      cltvExpiryDelta: this.network.cltvDelta(channel, direction),
    };
  }

  #gossipChannel(channel: number, direction: Direction): GossipChannel {
    return {
      shortChannelId: this.network.shortChannelId(channel),
      source: this.network.nodeId(this.network.source(channel, direction)),
      destination: this.network.nodeId(this.network.destination(channel, direction)),
      direction,
      active: true,
      capacityMsat: BigInt(this.network.capacity(channel)),
      limits: this.#limits(channel, direction),
      terms: this.#terms(channel, direction),
    };
  }

  #ownChannel(channel: number, node: number): OwnChannel {
    const away = this.network.directionFrom(channel, node);
    const back = away === 0 ? 1 : 0;
    const first = this.balances[channel] ?? 0;
    const capacity = this.network.capacity(channel);
    return {
      peerId: this.network.nodeId(this.network.peer(channel, node)),
      shortChannelId: this.network.shortChannelId(channel),
      state: 'normal',
      isPublic: true,
      peerConnected: true,
      usable: true,
      toUsMsat: BigInt(away === 0 ? first : capacity - first),
      totalMsat: BigInt(capacity),
      spendableMsat: BigInt(this.spendable(channel, away)),
      receivableMsat: BigInt(this.spendable(channel, back)),
      localLimits: this.#limits(channel, away),
      remoteLimits: this.#limits(channel, back),
      remoteTerms: this.#terms(channel, back),
    };
  }
}
