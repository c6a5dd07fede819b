/** What happened between us and each friend, for the operator's eyes only: nothing is decided by it. */

/** Of how many replies the round-trip times are kept. */
const ROUND_TRIPS = 15;

export interface PeerRecord {
  /** Monotonic milliseconds; `undefined` when it never happened in this process. */
  readonly lastAskedMs: number | undefined;
  readonly lastHeardMs: number | undefined;
  /** The median from query to reply, in milliseconds, of the last replies. */
  readonly roundTripMs: number | undefined;
}

interface Entry {
  lastAskedMs?: number;
  lastHeardMs?: number;
  readonly roundTripsMs: number[];
}

/** Callers see to it that only friends are noted, so that strangers leave nothing behind. */
export class PeerLog {
  readonly #entries = new Map<string, Entry>();

  asked(peerId: string, nowMs: number): void {
    this.#entry(peerId).lastAskedMs = nowMs;
  }

  /** A valid message of type 347 came. */
  heard(peerId: string, nowMs: number): void {
    this.#entry(peerId).lastHeardMs = nowMs;
  }

  replied(peerId: string, roundTripMs: number): void {
    const { roundTripsMs } = this.#entry(peerId);
    roundTripsMs.push(roundTripMs);
    if (roundTripsMs.length > ROUND_TRIPS) roundTripsMs.shift();
  }

  of(peerId: string): PeerRecord {
    const entry = this.#entries.get(peerId);
    const sorted = entry?.roundTripsMs.toSorted((a, b) => a - b) ?? [];
    return {
      lastAskedMs: entry?.lastAskedMs,
      lastHeardMs: entry?.lastHeardMs,
      roundTripMs: sorted[Math.floor(sorted.length / 2)],
    };
  }

  #entry(peerId: string): Entry {
    let entry = this.#entries.get(peerId);
    if (entry === undefined) {
      entry = { roundTripsMs: [] };
      this.#entries.set(peerId, entry);
    }
    return entry;
  }
}
