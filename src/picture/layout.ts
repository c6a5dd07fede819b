/** Where nodes stand: we in the middle, friends on a ring around us, their friends beyond it. Angles grow clockwise from the top. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Friends stand on a circle of this radius, whatever their number. */
export const RING = 300;
/** With fewer friends the ring is shared as among so many, so that two do not stand opposite each other. */
const LEAST_SLOTS = 3;
/** Friends' friends stand on this circle, or a larger one if they are many. */
const OUTER = RING + 190;
/** From so many on their names are written outwards, and need no more of the circle than a line of text. */
const MANY_OUTER = 10;
const OUTER_SPACING = { few: 110, many: 17 };
const TURN = 2 * Math.PI;

export interface Ring {
  readonly angleOf: (place: number) => number;
  /** What one friend has along the ring. */
  readonly pitch: number;
}

export function ringOf(friends: number): Ring {
  const slots = Math.max(friends, LEAST_SLOTS);
  // Two or fewer stand on top, side by side.
  const shift = friends < LEAST_SLOTS ? (-(friends - 1) * TURN) / slots / 2 : 0;
  return { angleOf: place => shift + (place * TURN) / slots, pitch: (TURN * RING) / slots };
}

export function at(angle: number, radius: number): Point {
  return { x: radius * Math.sin(angle), y: -radius * Math.cos(angle) };
}

/** The middle of directions; of opposite ones the first. */
export function meanAngle(angles: readonly number[]): number {
  const x = angles.reduce((sum, angle) => sum + Math.sin(angle), 0);
  const y = angles.reduce((sum, angle) => sum + Math.cos(angle), 0);
  return Math.hypot(x, y) < 1e-6 ? (angles[0] ?? 0) : Math.atan2(x, y);
}

export interface Outer {
  readonly angles: readonly number[];
  readonly radius: number;
  /** Whether names are written outwards. */
  readonly isMany: boolean;
}

/** Places friends' friends as near as possible to where each would like to be, with room for a name between them. */
export function placeOuter(wanted: readonly number[]): Outer {
  const isMany = wanted.length >= MANY_OUTER;
  const spacing = isMany ? OUTER_SPACING.many : OUTER_SPACING.few;
  const radius = Math.max(OUTER, (wanted.length * spacing) / TURN);
  return { angles: spread(wanted, spacing / radius), radius, isMany };
}

/** Moves angles apart to at least `separation`, with the least change in all. Needs separation × count ≤ a turn. */
export function spread(wanted: readonly number[], separation: number): number[] {
  if (wanted.length < 2) return [...wanted];
  const sorted = wanted
    .map((angle, index) => ({ angle: ((angle % TURN) + TURN) % TURN, index }))
    .sort((a, b) => a.angle - b.angle);
  // The circle is cut open at its widest gap.
  let cut = 0;
  let widest = -1;
  for (const [place, { angle }] of sorted.entries()) {
    const before = sorted[(place - 1 + sorted.length) % sorted.length]?.angle ?? 0;
    const gap = (angle - before + TURN) % TURN || (place === 0 ? TURN : 0);
    if (gap > widest) [widest, cut] = [gap, place];
  }
  const opened = [
    ...sorted.slice(cut),
    ...sorted.slice(0, cut).map(one => ({ ...one, angle: one.angle + TURN })),
  ];
  // Pool adjacent violators: neighbours that are too close become one block around their mean.
  const blocks: { sum: number; size: number }[] = [];
  for (const [place, { angle }] of opened.entries()) {
    blocks.push({ sum: angle - place * separation, size: 1 });
    for (;;) {
      const [before, last] = [blocks.at(-2), blocks.at(-1)];
      if (before === undefined || last === undefined) break;
      if (before.sum / before.size <= last.sum / last.size) break;
      blocks.splice(-2, 2, { sum: before.sum + last.sum, size: before.size + last.size });
    }
  }
  const apart = blocks.flatMap(({ sum, size }) => new Array<number>(size).fill(sum / size));
  const placed = apart.map((angle, place) => angle + place * separation);
  const extent = (placed.at(-1) ?? 0) - (placed[0] ?? 0);
  const angles: number[] = new Array(wanted.length);
  for (const [place, { index }] of opened.entries()) {
    // Where the two ends meet across the cut, all share the turn evenly.
    const isEven = extent > TURN - separation;
    angles[index] = isEven ? (placed[0] ?? 0) + (place * TURN) / opened.length : (placed[place] ?? 0);
  }
  return angles;
}

/** The points that a curve between two friends bends through, outside the ring. `lane` keeps parallel ones apart. */
export function arcBetween(from: number, to: number, lane: number): Point[] {
  const turn = ((((to - from + Math.PI) % TURN) + TURN) % TURN) - Math.PI;
  const reach = Math.abs(turn) / Math.PI;
  const radius = RING * (1.12 + 0.3 * reach) + lane * 12;
  if (reach > 0.6) return [0.15, 0.5, 0.85].map(step => at(from + turn * step, radius));
  // A curve with one such point comes half as near to it as the straight line is far.
  return [at(from + turn / 2, 2 * radius - RING * Math.cos(turn / 2))];
}

/** Points as a curve's control points are told: how far along the line between its ends, and how far beside it. */
export function besideLine(from: Point, to: Point, points: readonly Point[]) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const length = Math.hypot(dx, dy) || 1;
  return {
    weights: points.map(({ x, y }) => ((x - from.x) * dx + (y - from.y) * dy) / length ** 2),
    distances: points.map(({ x, y }) => ((y - from.y) * dx - (x - from.x) * dy) / length),
  };
}
