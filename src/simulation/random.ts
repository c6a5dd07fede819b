/**
 * Chance that is the same on every machine: xoroshiro128+ of `pure-rand`, seeded by a hash of a path of names.
 *
 * Hazard: experiments that draw from one stream disturb one another: a draw more in one, and all after it differ. So
 * each takes a fork by name, and forks depend on the names that lead to them alone, not on what was drawn before.
 */
import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator';

export class Random {
  readonly #path: string;
  readonly #generator: RandomGenerator;

  /** @param seed any whole number, or the path that a worker was told */
  constructor(seed: number | string) {
    this.#path = String(seed);
    this.#generator = xoroshiro128plusFromState(hashOf(this.#path));
  }

  /** What makes the same generator again, in another thread too. */
  get path(): string {
    return this.#path;
  }

  /** A generator of its own. The same names give the same one, whatever was drawn from this one. */
  fork(name: string | number): Random {
    return new Random(`${this.#path}/${name}`);
  }

  /** 0 to 1, without 1. */
  real(): number {
    return uniformFloat64(this.#generator);
  }

  /** A whole number from 0 on and below `n`, which is 1 or more. */
  below(n: number): number {
    return uniformInt(this.#generator, 0, n - 1);
  }

  /** @throws RangeError when there is nothing to pick */
  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError('nothing to pick from');
    return list[this.below(list.length)] as T;
  }

  /** A new list in any order, each as likely (Fisher and Yates). */
  shuffle<T>(list: readonly T[]): T[] {
    const shuffled = [...list];
    for (let last = shuffled.length - 1; last > 0; last--) {
      const other = this.below(last + 1);
      [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
    }
    return shuffled;
  }
}

/** The state must not be all zeros; a hash is not. */
function hashOf(path: string): [number, number, number, number] {
  const digest = createHash('sha256').update(path).digest();
  return [digest.readInt32LE(0), digest.readInt32LE(4), digest.readInt32LE(8), digest.readInt32LE(12)];
}
