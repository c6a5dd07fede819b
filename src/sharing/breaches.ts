/**
 * Friends that broke the protocol, and for how long they are ignored (docs/protocol.md, "Believing").
 *
 * Hazard: whoever floods us or lies outright must cost us less and less; but a bug of a friend's is no reason to lose
 * a channel over. So it is never disconnected, it gets another chance after a while that doubles, and old breaches are
 * forgotten. Strangers leave nothing behind here: callers note friends only.
 */
import { SlidingWindow } from './sliding-window.ts';

/** More messages of type 347 than this in `FLOOD_WINDOW_MS` are a breach (docs/protocol.md, "Believing"). */
const FLOOD_MESSAGES = 20;
const FLOOD_WINDOW_MS = 10_000;
/** How long the first breach is punished, and the longest: our own choice, as with peers that never spoke. */
const FIRST_WAIT_MS = 600_000;
const LONGEST_WAIT_MS = 86_400_000;
/** After this long without a breach a peer is as good as new: our own choice. */
const FORGIVEN_AFTER_MS = 7 * 86_400_000;

/** `channel of others`: a channel that the gossip knows and the peer is not an end of. */
export const BREACHES = ['malformed message', 'flood', 'channel of others'] as const;
export type Breach = (typeof BREACHES)[number];

/** What a peer has done and how long it is ignored. */
export interface Strikes {
  readonly strikes: number;
  readonly lastBreach: Breach;
  /** Monotonic milliseconds. */
  readonly lastAtMs: number;
  readonly ignoredUntilMs: number;
}

/** Strikes and whose they are. */
export interface PeerStrikes extends Strikes {
  readonly peerId: string;
}

export class Breaches {
  readonly #strikes = new Map<string, Strikes>();
  readonly #messages = new SlidingWindow(FLOOD_MESSAGES, FLOOD_WINDOW_MS);
  readonly #onChange: () => void;
  #excusedUntilMs = Number.NEGATIVE_INFINITY;

  /** @param onChange told when there is something new to remember */
  constructor(onChange: () => void = () => {}) {
    this.#onChange = onChange;
  }

  /** What has to survive a restart. */
  state(): PeerStrikes[] {
    return [...this.#strikes].map(([peerId, strikes]) => ({ peerId, ...strikes }));
  }

  /** Takes up a state. A clock that was set meanwhile makes no wait longer than the longest. */
  restore(state: readonly PeerStrikes[], nowMs: number): void {
    for (const { peerId, strikes, lastBreach, lastAtMs, ignoredUntilMs } of state) {
      this.#strikes.set(peerId, {
        strikes,
        lastBreach,
        lastAtMs: Math.min(lastAtMs, nowMs),
        ignoredUntilMs: Math.min(ignoredUntilMs, nowMs + LONGEST_WAIT_MS),
      });
    }
  }

  /**
   * Counts a message of type 347 that a friend sent.
   *
   * @returns whether it is one too many, which is a breach
   */
  countMessage(peerId: string, nowMs: number): boolean {
    if (nowMs < this.#excusedUntilMs || this.#messages.tryTake(peerId, nowMs)) return false;
    this.strike(peerId, 'flood', nowMs);
    return true;
  }

  /** We ourselves stood still, as a suspended machine does: what comes now was sent over a longer time. */
  excuse(nowMs: number): void {
    this.#excusedUntilMs = nowMs + FLOOD_WINDOW_MS;
  }

  /** Notes a breach of a friend's. While it is ignored nothing more is noted. */
  strike(peerId: string, breach: Breach, nowMs: number): void {
    if (this.isIgnored(peerId, nowMs)) return;
    const strikes = (this.of(peerId, nowMs)?.strikes ?? 0) + 1;
    const waitMs = Math.min(FIRST_WAIT_MS * 2 ** (strikes - 1), LONGEST_WAIT_MS);
    this.#strikes.set(peerId, {
      strikes,
      lastBreach: breach,
      lastAtMs: nowMs,
      ignoredUntilMs: nowMs + waitMs,
    });
    this.#onChange();
  }

  isIgnored(peerId: string, nowMs: number): boolean {
    const strikes = this.#strikes.get(peerId);
    return strikes !== undefined && nowMs < strikes.ignoredUntilMs;
  }

  /** What is held against a peer; `undefined` when nothing is. */
  of(peerId: string, nowMs: number): Strikes | undefined {
    const strikes = this.#strikes.get(peerId);
    if (strikes === undefined || nowMs < strikes.ignoredUntilMs + FORGIVEN_AFTER_MS) return strikes;
    this.#strikes.delete(peerId);
    return undefined;
  }

  /** Why a peer is not to be asked, in words; `undefined` when it may be. */
  refuse(peerId: string, nowMs: number): string | undefined {
    const strikes = this.#strikes.get(peerId);
    if (strikes === undefined || nowMs >= strikes.ignoredUntilMs) return undefined;
    const minutes = Math.ceil((strikes.ignoredUntilMs - nowMs) / 60_000);
    return `ignored for ${minutes} min after a breach of the protocol: ${strikes.lastBreach}`;
  }
}
