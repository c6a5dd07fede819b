/**
 * Which peers have never spoken the protocol, and when to try them again.
 *
 * Hazard: most peers will never have the plugin, and each of them would cost every call its whole timeout. So a peer
 * that did not answer is left alone for a wait that doubles; but one that has ever spoken is always asked, since
 * silence is also how a friend says no.
 */

/** The wait after the first silence, and the longest: our own choice, since it costs nobody but us. */
const FIRST_WAIT_MS = 600_000;
const LONGEST_WAIT_MS = 86_400_000;

interface Silence {
  readonly waitMs: number;
  /** Monotonic milliseconds. */
  readonly askAgainAtMs: number;
}

/** A silence and whose it is. */
export interface SilentPeer extends Silence {
  readonly peerId: string;
}

export class SilentPeers {
  readonly #speaks = new Set<string>();
  readonly #silent = new Map<string, Silence>();
  readonly #onChange: () => void;

  /** @param onChange told when there is something new to remember */
  constructor(onChange: () => void = () => {}) {
    this.#onChange = onChange;
  }

  /** What has to survive a restart. */
  state(): { readonly speaks: string[]; readonly silent: SilentPeer[] } {
    return {
      speaks: [...this.#speaks],
      silent: [...this.#silent].map(([peerId, silence]) => ({ peerId, ...silence })),
    };
  }

  /** Takes up a state. A clock that was set meanwhile makes no wait longer than it was. */
  restore(speaks: readonly string[], silent: readonly SilentPeer[], nowMs: number): void {
    for (const peerId of speaks) this.#speaks.add(peerId);
    for (const { peerId, waitMs, askAgainAtMs } of silent) {
      this.#silent.set(peerId, { waitMs, askAgainAtMs: Math.min(askAgainAtMs, nowMs + waitMs) });
    }
  }

  /** Whether a peer has ever spoken. */
  hasSpoken(peerId: string): boolean {
    return this.#speaks.has(peerId);
  }

  /** A valid message of type 347 came from a peer with whom we have a channel. */
  spoke(peerId: string): void {
    if (this.#speaks.has(peerId)) return;
    this.#speaks.add(peerId);
    this.#silent.delete(peerId);
    this.#onChange();
  }

  /** A peer did not answer in time. */
  wasSilent(peerId: string, nowMs: number): void {
    const before = this.#silent.get(peerId);
    // Several calls may have waited for the same silence.
    if (this.#speaks.has(peerId) || (before !== undefined && nowMs < before.askAgainAtMs)) return;
    const waitMs = before === undefined ? FIRST_WAIT_MS : Math.min(2 * before.waitMs, LONGEST_WAIT_MS);
    this.#silent.set(peerId, { waitMs, askAgainAtMs: nowMs + waitMs });
    this.#onChange();
  }

  /** Why a peer is not to be asked yet, in words; `undefined` when it is. */
  refuse(peerId: string, nowMs: number): string | undefined {
    const silence = this.#silent.get(peerId);
    if (silence === undefined || nowMs >= silence.askAgainAtMs) return undefined;
    const minutes = Math.ceil((silence.askAgainAtMs - nowMs) / 60_000);
    return `never spoke: asked again in ${minutes} min, or when named in peers`;
  }
}
