/** Chance that is the same each time: mulberry32 (Tommy Ettinger, public domain). */

export interface Random {
  /** 0 to 1, without 1. */
  real(): number;
  /** @throws RangeError when there is nothing to pick */
  pick<T>(list: readonly T[]): T;
  shuffle<T>(list: readonly T[]): T[];
}

export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const real = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const pick = <T>(list: readonly T[]): T => {
    const picked = list[Math.floor(real() * list.length)];
    if (picked === undefined) throw new RangeError('nothing to pick from');
    return picked;
  };
  const shuffle = <T>(list: readonly T[]): T[] =>
    list
      .map(each => ({ each, place: real() }))
      .sort((a, b) => a.place - b.place)
      .map(({ each }) => each);
  return { real, pick, shuffle };
}
