/**
 * Our own node, read when it has to be.
 *
 * Hazard: on a large node one reading is megabytes of JSON, and strangers' questions set readings off. So a reading is
 * shared by all who want one while it is under way, remembered, and made anew only when it is too old for its reader
 * or a notification says that something changed.
 */
import type { NodeView } from '../sharing/node-view.ts';
import type { ChannelSource, Clock } from '../sharing/ports.ts';
import type { ShortChannelId } from '../wire/short-channel-id.ts';

/** No notification says when a channel is reestablished, which takes a moment after its peer has connected. */
const UNSETTLED_MAX_AGE_MS = 1_000;

interface Reading {
  readonly view: Promise<NodeView>;
  /** How many changes there had been when it began. */
  readonly changes: number;
}

export class ViewReader implements ChannelSource {
  readonly #fetch: () => Promise<NodeView>;
  readonly #clock: Clock;
  #latest: { readonly view: NodeView; readonly readAtMs: number; readonly maxAgeMs: number } | undefined;
  #friends: ReadonlySet<string> = new Set();
  #ours: ReadonlySet<ShortChannelId> = new Set();
  #underWay: Reading | undefined;
  /** Waits for the one under way, which began before something changed. */
  #next: Promise<NodeView> | undefined;
  /** Grows with each invalidation: a reading that began before one is not remembered as fresh. */
  #changes = 0;

  /** @param fetch one reading of the node */
  constructor(fetch: () => Promise<NodeView>, clock: Clock) {
    this.#fetch = fetch;
    this.#clock = clock;
  }

  isFriend(peerId: string): boolean {
    return this.#friends.has(peerId);
  }

  /** Whether the newest reading has a channel of ours with that id. */
  isOurs(shortChannelId: ShortChannelId): boolean {
    return this.#ours.has(shortChannelId);
  }

  read(maxAgeMs: number): Promise<NodeView> {
    const latest = this.#latest;
    if (latest !== undefined && maxAgeMs > 0) {
      const ageMs = this.#clock.monotonicMs() - latest.readAtMs;
      if (ageMs <= Math.min(maxAgeMs, latest.maxAgeMs)) return Promise.resolve(latest.view);
    }
    const underWay = this.#underWay;
    if (underWay === undefined) return this.#start();
    if (underWay.changes === this.#changes) return underWay.view;
    const readAgain = () => {
      this.#next = undefined;
      return this.read(0);
    };
    this.#next ??= underWay.view.then(readAgain, readAgain);
    return this.#next;
  }

  /** A channel or a connection has changed: the next reader reads anew. */
  invalidate(): void {
    this.#changes++;
    if (this.#latest !== undefined) this.#latest = { ...this.#latest, readAtMs: Number.NEGATIVE_INFINITY };
  }

  #start(): Promise<NodeView> {
    const changes = this.#changes;
    const view = this.#readAnew(changes).finally(() => {
      this.#underWay = undefined;
    });
    this.#underWay = { view, changes };
    return view;
  }

  async #readAnew(changes: number): Promise<NodeView> {
    // Its age is that of the balances in it: from before they were asked for.
    const readAtMs = this.#clock.monotonicMs();
    const view = await this.#fetch();
    // To begin opening a channel costs a stranger nothing: only one that is in use makes a friend.
    const inUse = view.channels.filter(channel => channel.state !== 'other');
    this.#friends = view.guests ?? new Set(inUse.map(channel => channel.peerId));
    this.#ours = new Set(view.channels.map(channel => channel.shortChannelId ?? 0n));
    this.#latest = {
      view,
      readAtMs: changes === this.#changes ? readAtMs : Number.NEGATIVE_INFINITY,
      maxAgeMs: isSettled(view) ? Number.POSITIVE_INFINITY : UNSETTLED_MAX_AGE_MS,
    };
    return view;
  }
}

function isSettled(view: NodeView): boolean {
  return view.channels.every(
    channel => channel.usable || !channel.peerConnected || channel.state !== 'normal',
  );
}
