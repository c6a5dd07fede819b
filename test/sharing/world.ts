/** A node and a clock that tests own. */
import type { NodeView, OwnChannel } from '../../src/sharing/node-view.ts';
import type { ChannelSource, Clock, GossipChannel } from '../../src/sharing/ports.ts';
import { parseShortChannelId, type ShortChannelId } from '../../src/wire/short-channel-id.ts';

export const US = nodeId(0);
export const BLOCK_HEIGHT = 1000;

/** The node id with a number: sorted like the numbers. */
export function nodeId(number: number): string {
  return `02${number.toString(16).padStart(64, '0')}`;
}

/** @throws RangeError when the text is none */
export function scid(text: string): ShortChannelId {
  const id = parseShortChannelId(text);
  if (id === undefined) throw new RangeError(text);
  return id;
}

const SAT = 1000n;
const TERMS = { baseFeeMsat: 1000n, feePpm: 10n, cltvExpiryDelta: 34 };

/** A public channel of 1,000,000 sat with peer `peer`, deep and usable, of which `ours` sat are ours. */
export function channel(
  peer: number,
  id: string,
  ours: number,
  changes: Partial<OwnChannel> = {},
): OwnChannel {
  const toUsMsat = BigInt(ours) * SAT;
  const totalMsat = changes.totalMsat ?? 1_000_000n * SAT;
  const limits = { minimumMsat: 0n, maximumMsat: totalMsat };
  return {
    peerId: nodeId(peer),
    shortChannelId: scid(id),
    state: 'normal',
    isPublic: true,
    peerConnected: true,
    usable: true,
    toUsMsat,
    totalMsat,
    spendableMsat: toUsMsat,
    receivableMsat: totalMsat - toUsMsat,
    localLimits: limits,
    remoteLimits: limits,
    remoteTerms: TERMS,
    ...changes,
  };
}

export function view(channels: readonly OwnChannel[], blockHeight = BLOCK_HEIGHT): NodeView {
  return { nodeId: US, blockHeight, channels };
}

/** What `listchannels` would say of a channel from one node to another. */
export function gossip(
  id: string,
  source: number,
  destination: number,
  changes: Partial<GossipChannel> = {},
): [ShortChannelId, GossipChannel] {
  return [
    scid(id),
    {
      shortChannelId: scid(id),
      source: nodeId(source),
      destination: nodeId(destination),
      direction: source < destination ? 0 : 1,
      active: true,
      capacityMsat: 1_000_000n * SAT,
      limits: { minimumMsat: 0n, maximumMsat: 990_000n * SAT },
      terms: TERMS,
      ...changes,
    },
  ];
}

/** Time stands still until `advance`. */
export class ManualClock implements Clock {
  /** 2026-11-22T06:08:07.123Z. */
  wall = 1_795_327_687_123;
  now = 5_000_000;
  #timers: { at: number; action: () => void }[] = [];

  wallMs(): number {
    return this.wall;
  }

  monotonicMs(): number {
    return this.now;
  }

  after(delayMs: number, action: () => void): () => void {
    const timer = { at: this.now + delayMs, action };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter(other => other !== timer);
    };
  }

  /** Lets time pass and due timers fire, then lets everything that they set off settle. */
  async advance(ms: number): Promise<void> {
    this.wall += ms;
    this.now += ms;
    const due = this.#timers.filter(timer => timer.at <= this.now);
    this.#timers = this.#timers.filter(timer => timer.at > this.now);
    for (const { action } of due) action();
    await settled();
  }
}

/** Every promise that can go on without time or input has gone on. */
export async function settled(): Promise<void> {
  await new Promise(resolve => setImmediate(resolve));
}

/** A channel source whose view the test sets; a function as view is called at each reading. */
export class FakeChannels implements ChannelSource {
  view: NodeView;
  reads = 0;
  /** When set, readings wait for it. */
  gate: Promise<void> | undefined;
  failure: Error | undefined;

  constructor(channels: readonly OwnChannel[]) {
    this.view = view(channels);
  }

  async read(_maxAgeMs: number): Promise<NodeView> {
    this.reads++;
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
    return this.view;
  }

  isFriend(peerId: string): boolean {
    return this.view.channels.some(channel => channel.peerId === peerId);
  }
}
