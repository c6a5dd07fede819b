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

export class SilentPeers {
  readonly #speaks = new Set<string>();
  readonly #silent = new Map<string, Silence>();

  /** A valid message of type 347 came from a peer with whom we have a channel. */
  spoke(peerId: string): void {
    this.#speaks.add(peerId);
    this.#silent.delete(peerId);
  }

  /** A peer did not answer in time. */
  wasSilent(peerId: string, nowMs: number): void {
    const before = this.#silent.get(peerId);
    // Several calls may have waited for the same silence.
    if (this.#speaks.has(peerId) || (before !== undefined && nowMs < before.askAgainAtMs)) return;
    const waitMs = before === undefined ? FIRST_WAIT_MS : Math.min(2 * before.waitMs, LONGEST_WAIT_MS);
    this.#silent.set(peerId, { waitMs, askAgainAtMs: nowMs + waitMs });
  }

  /** Why a peer is not to be asked yet, in words; `undefined` when it is. */
  refuse(peerId: string, nowMs: number): string | undefined {
    const silence = this.#silent.get(peerId);
    if (silence === undefined || nowMs >= silence.askAgainAtMs) return undefined;
    const minutes = Math.ceil((silence.askAgainAtMs - nowMs) / 60_000);
    return `never spoke: asked again in ${minutes} min, or when named in peers`;
  }
}
