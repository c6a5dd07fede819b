/**
 * Balances that move while nobody looks: what friends said a while ago is then no longer true.
 *
 * Each channel moves at a moment of its own, to a balance drawn like its first one. That it may move again within the
 * minutes of a case is left out: that changes what is true, not how much of it is known.
 */
import { type BalanceKind, type Balances, drawBalances } from './balances.ts';
import { at, type Network } from './network.ts';
import type { Random } from './random.ts';

/** The share of balances that move in a minute (the project's working assumption, src/knowledge/friend-records.ts). */
const MOVED_PER_MINUTE = 0.01;
const MINUTE_MS = 60_000;

export class MovingBalances {
  readonly #first: Balances;
  readonly #later: Balances;
  readonly #movesAtMs: Float64Array;

  constructor(network: Network, kind: BalanceKind, random: Random) {
    this.#first = drawBalances(network, kind, random.fork('first'));
    this.#later = drawBalances(network, kind, random.fork('later'));
    const chance = random.fork('moves');
    const rate = -Math.log(1 - MOVED_PER_MINUTE) / MINUTE_MS;
    this.#movesAtMs = Float64Array.from(this.#first, () => -Math.log(1 - chance.real()) / rate);
  }

  /** What the end `0` of a channel has `atMs` milliseconds after the beginning. */
  at(channel: number, atMs: number): number {
    return at(at(this.#movesAtMs, channel) <= atMs ? this.#later : this.#first, channel);
  }
}
