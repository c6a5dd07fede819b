/**
 * What all nodes of the paper's network would tell their friends now, by src/sharing/eligibility.ts itself, and their own
 * channels as the plugin's modules read them.
 *
 * Hazard: a hub's channels change with every second circle, and to judge all of them anew each time takes most of a run.
 * ν never changes by circles, so only channels that moved are judged again.
 */
import { isEligible, type Margin, marginFrom, type Side, sidesOf } from '../sharing/eligibility.ts';
import type { NodeView, OwnChannel } from '../sharing/node-view.ts';
import { RUNGS_MSAT } from '../sharing/rungs.ts';
import type { Flow } from '../wire/codec.ts';
import { at } from './network.ts';
import { back, channelOf, leavingFrom, type PaperNetwork } from './paper-network.ts';
import type { PaperRun } from './paper-run.ts';
import type { Random } from './random.ts';

/** The highest that a short channel id can tell: all channels are deep. */
const BLOCK_HEIGHT = 0xffffff;
const U32_RANGE = 2 ** 32;
/** Nothing costs anything in the paper's network. */
const TERMS = { baseFeeMsat: 0n, feePpm: 0n, cltvExpiryDelta: 0 };

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

export class Offers {
  readonly #network: PaperNetwork;
  readonly #run: PaperRun;
  readonly #target: 'nu' | 'half';
  /** By directed channel, as its source has it. */
  readonly #channels: Mutable<OwnChannel>[];
  readonly #margins: { readonly above: Margin; readonly below: Margin }[];
  /** By node: its channels, and ours and total of all. */
  readonly #views: NodeView[];
  readonly #ours: bigint[];
  readonly #totals: bigint[];
  readonly #bySource: Float64Array;
  readonly #byDestination: Float64Array;

  /**
   * @param random draws the margins
   * @param target what channels are to come to: ν as shipped, or one half
   */
  constructor(run: PaperRun, random: Random, target: 'nu' | 'half' = 'nu') {
    const { network } = run;
    this.#run = run;
    this.#target = target;
    this.#network = network;
    const edges = Array.from(network.source.keys());
    const margin = () => marginFrom(random.below(U32_RANGE));
    this.#margins = edges.map(() => ({ above: margin(), below: margin() }));
    this.#channels = edges.map(edge => this.#channelAt(edge));
    const own = Array.from({ length: network.nodeCount }, (_, node) => [...leavingFrom(network, node)]);
    this.#views = own.map((list, node) => ({
      nodeId: nodeId(node),
      blockHeight: BLOCK_HEIGHT,
      channels: list.map(edge => this.channel(edge)),
    }));
    const sum = (list: readonly number[], key: 'toUsMsat' | 'totalMsat') =>
      list.reduce((total, edge) => total + this.channel(edge)[key], 0n);
    this.#ours = own.map(list => sum(list, 'toUsMsat'));
    this.#totals = own.map(list => sum(list, 'totalMsat'));
    this.#bySource = new Float64Array(edges.length);
    this.#byDestination = new Float64Array(edges.length);
    for (const edge of edges) this.#judge(edge);
  }

  /** The largest rung at which its source offers a directed channel (flow 1), in millisatoshi; 0 for none. */
  bySource(edge: number): number {
    return at(this.#bySource, edge);
  }

  /** The largest rung at which its destination offers it (flow 0). */
  byDestination(edge: number): number {
    return at(this.#byDestination, edge);
  }

  view(node: number): NodeView {
    const view = this.#views[node];
    if (view === undefined) throw new RangeError(`no node ${node}`);
    return view;
  }

  /** A directed channel as its source has it. */
  channel(edge: number): OwnChannel {
    return this.#mutable(edge);
  }

  /** Takes up what a circle has moved. */
  refresh(circle: readonly number[]): void {
    const both = circle.flatMap(edge => [edge, back(edge)]);
    for (const edge of both) this.#fill(this.#mutable(edge), edge);
    for (const edge of both) this.#judge(edge);
  }

  /** What its source says of a directed channel (flow 1) and of the way back (flow 0). */
  #judge(edge: number): void {
    const node = at(this.#network.source, edge);
    const side = this.#sideOf(edge, node);
    this.#bySource[edge] = this.#largest(edge, side, 1);
    this.#byDestination[back(edge)] = this.#largest(edge, side, 0);
  }

  /** The eligibility rule on this channel and all others of the node together, which gives it the same ν as all one by one. */
  #sideOf(edge: number, node: number): Side | undefined {
    const channel = this.channel(edge);
    const all = this.#totals[node] ?? 0n;
    const ours = this.#target === 'half' ? all / 2n : (this.#ours[node] ?? 0n);
    const toUsMsat = ours - channel.toUsMsat;
    const totalMsat = all - channel.totalMsat;
    const others: OwnChannel = { ...channel, peerId: 'others', toUsMsat, totalMsat };
    const view = { nodeId: nodeId(node), blockHeight: BLOCK_HEIGHT, channels: [channel, others] };
    return sidesOf(view, 0, (_, side) => this.#margins[edge]?.[side] ?? 0n).get(channel.peerId);
  }

  #largest(edge: number, side: Side | undefined, flow: Flow): number {
    if (side !== (flow === 1 ? 'above' : 'below')) return 0;
    const channel = this.channel(edge);
    let least = 0;
    let most = RUNGS_MSAT.length;
    // Whoever says yes to a rung says yes to every one below: limits are none here.
    while (least < most) {
      const middle = (least + most) >> 1;
      const rung = RUNGS_MSAT[middle] ?? 0n;
      if (isEligible(channel, side, flow, rung, BLOCK_HEIGHT)) least = middle + 1;
      else most = middle;
    }
    return Number(RUNGS_MSAT[least - 1] ?? 0n);
  }

  #channelAt(edge: number): Mutable<OwnChannel> {
    const { capacity, source } = this.#network;
    const totalMsat = BigInt(at(capacity, channelOf(edge)));
    const limits = { minimumMsat: 0n, maximumMsat: totalMsat };
    const channel: Mutable<OwnChannel> = {
      peerId: nodeId(at(source, back(edge))),
      shortChannelId: BigInt(channelOf(edge)),
      state: 'normal',
      isPublic: true,
      peerConnected: true,
      usable: true,
      toUsMsat: 0n,
      totalMsat,
      spendableMsat: 0n,
      receivableMsat: 0n,
      localLimits: limits,
      remoteLimits: limits,
      remoteTerms: TERMS,
    };
    this.#fill(channel, edge);
    return channel;
  }

  #fill(channel: Mutable<OwnChannel>, edge: number): void {
    const ours = BigInt(at(this.#run.holdings, edge));
    channel.toUsMsat = ours;
    channel.spendableMsat = ours;
    channel.receivableMsat = channel.totalMsat - ours;
  }

  #mutable(edge: number): Mutable<OwnChannel> {
    const channel = this.#channels[edge];
    if (channel === undefined) throw new RangeError(`no directed channel ${edge}`);
    return channel;
  }
}

/** Sorted like the numbers. */
function nodeId(node: number): string {
  return `02${node.toString(16).padStart(64, '0')}`;
}
