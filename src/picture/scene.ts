/**
 * What is drawn, and where: nodes and lines for the part of the picture that is shown.
 *
 * Hazard: 500 friends offer half a million channels. Where there are many, offers are drawn as one stroke each way for
 * a friend, as long as they are large, and one by one only for the friend that is chosen.
 */
import type { Shown } from './filter.ts';
import { arcBetween, at, besideLine, meanAngle, type Point, placeOuter, RING, ringOf } from './layout.ts';
import type { CircleFact, NodeIndex, Picture } from './picture.ts';

/** With more friends than this a friend's channels are one bar, and names are written outwards. */
const FEW_FRIENDS = 40;
/** Up to so many offers are drawn one by one; and so many of the friend that is chosen, the largest. */
const FEW_OFFERS = 120;
const CHOSEN_OFFERS = 24;
/** Arrows have words beside them where there are at most so many. */
const FEW_ARROWS = 30;
/** How far an aggregated stroke reaches, for the largest. */
const STROKE = 80;
/** Where names begin that are written beyond them. */
const TAG = RING + STROKE + 20;

export type Order = 'share' | 'capacity' | 'offers' | 'name';

export type Chosen =
  | { readonly kind: 'friend'; readonly friend: NodeIndex }
  | { readonly kind: 'circle'; readonly circle: CircleFact<NodeIndex> };

export interface SceneNode {
  readonly id: string;
  readonly kind: 'us' | 'friend' | 'outer';
  readonly node: NodeIndex;
  readonly position: Point;
  readonly size: number;
  readonly angle: number;
  readonly isFaded: boolean;
  readonly isUsable: boolean;
  /** Whether its name is written outwards, as a tag. */
  readonly hasTag: boolean;
}

/** A name that is written outwards from a point. */
export interface SceneTag {
  readonly kind: 'tag';
  readonly node: NodeIndex;
  readonly from: Point;
  readonly angle: number;
  readonly size: number;
  readonly isFaded: boolean;
}

/** A straight line that belongs to one friend: how a balance lies, or the sum of what is offered one way. */
export interface SceneBar {
  readonly kind: 'balance' | 'stroke';
  readonly node: NodeIndex;
  readonly from: Point;
  readonly to: Point;
  readonly width: number;
  readonly isFaded: boolean;
  /** Ours of a channel, 0 to 1. */
  readonly share?: number;
  /** The way the amount would flow, seen from us. */
  readonly flow?: 0 | 1;
  readonly amountSat?: number;
  /** How many offers it stands for. */
  readonly count?: number;
}

export interface SceneLine {
  readonly id: string;
  readonly kind: 'offer' | 'hop';
  readonly source: string;
  readonly target: string;
  readonly width: number;
  readonly isFaded: boolean;
  /** The way the amount would flow, seen from us. */
  readonly flow?: 0 | 1;
  readonly amountSat?: number;
  readonly ageS?: number;
  readonly hop?: number;
  readonly bend?: ReturnType<typeof besideLine>;
}

export interface Scene {
  readonly nodes: readonly SceneNode[];
  readonly lines: readonly SceneLine[];
  readonly bars: readonly SceneBar[];
  readonly tags: readonly SceneTag[];
  /** How many friends are drawn, and whether each of their offers is. */
  readonly friends: number;
  readonly isEachOffer: boolean;
  readonly hasWords: boolean;
}

export interface Balance {
  readonly oursSat: number;
  readonly totalSat: number;
  readonly isUsable: boolean;
}

/** All channels with each friend together, by node. */
export function balancesOf(picture: Picture): ReadonlyMap<NodeIndex, Balance> {
  const balances = new Map<NodeIndex, Balance>();
  for (const { friend, oursSat, totalSat, isUsable } of picture.channels) {
    const sum = balances.get(friend);
    balances.set(friend, {
      oursSat: oursSat + (sum?.oursSat ?? 0),
      totalSat: totalSat + (sum?.totalSat ?? 0),
      isUsable: isUsable || (sum?.isUsable ?? false),
    });
  }
  return balances;
}

export function sceneOf(picture: Picture, shown: Shown, order: Order, chosen: Chosen | undefined): Scene {
  return new Drawing(picture, shown, order, chosen).scene();
}

class Drawing {
  readonly #picture: Picture;
  readonly #shown: Shown;
  readonly #chosen: Chosen | undefined;
  readonly #balances: ReadonlyMap<NodeIndex, Balance>;
  readonly #friends: readonly NodeIndex[];
  readonly #angles = new Map<NodeIndex, number>();
  readonly #nodes: SceneNode[] = [];
  readonly #lines: SceneLine[] = [];
  readonly #bars: SceneBar[] = [];
  readonly #tags: SceneTag[] = [];
  /** By ends and flow, so that the next one has a lane of its own. */
  readonly #lanes = new Map<string, number>();
  readonly #pitch: number;

  constructor(picture: Picture, shown: Shown, order: Order, chosen: Chosen | undefined) {
    this.#picture = picture;
    this.#shown = shown;
    this.#chosen = chosen;
    this.#balances = balancesOf(picture);
    this.#friends = this.#ordered(order);
    const ring = ringOf(this.#friends.length);
    this.#pitch = ring.pitch;
    for (const [place, friend] of this.#friends.entries()) this.#angles.set(friend, ring.angleOf(place));
  }

  scene(): Scene {
    const { offers } = this.#shown;
    const friends = this.#friends.length;
    const isEachOffer = offers.length <= FEW_OFFERS && friends <= FEW_FRIENDS;
    const drawn = this.#drawnOffers(isEachOffer);
    const hasStrokes = !isEachOffer && this.#circle === undefined;
    this.#addFriends(hasStrokes);
    this.#addOuter(drawn);
    if (hasStrokes) this.#addStrokes();
    for (const row of drawn) this.#addOffer(row);
    this.#addHops();
    const hasWords = drawn.length <= FEW_ARROWS;
    const [nodes, lines, bars, tags] = [this.#nodes, this.#lines, this.#bars, this.#tags];
    return { nodes, lines, bars, tags, friends, isEachOffer, hasWords };
  }

  get #circle(): CircleFact<NodeIndex> | undefined {
    return this.#chosen?.kind === 'circle' ? this.#chosen.circle : undefined;
  }

  /** Whether something else is chosen, so that this stands back. */
  #isFaded(nodes: readonly NodeIndex[]): boolean {
    if (this.#chosen === undefined) return false;
    if (this.#chosen.kind === 'friend') return !nodes.includes(this.#chosen.friend);
    return true;
  }

  /** Those shown; among many, of a circle only those that it goes through. */
  #ordered(order: Order): NodeIndex[] {
    const { friendCount, offers, nodes } = this.#picture;
    let friends = [...this.#shown.friends];
    const circle = this.#circle;
    if (circle !== undefined) {
      const through = circle.hops.map(({ to }) => to).filter(to => to > 0 && to <= friendCount);
      friends = friends.length > FEW_FRIENDS ? through : [...new Set([...friends, ...through])];
    }
    const balance = (friend: NodeIndex) => this.#balances.get(friend) ?? { oursSat: 0, totalSat: 0 };
    const count = new Map<NodeIndex, number>();
    if (order === 'offers') {
      for (const row of this.#shown.offers) {
        const friend = offers.friend[row] ?? 0;
        count.set(friend, (count.get(friend) ?? 0) + 1);
      }
    }
    const keyOf: Record<Order, (friend: NodeIndex) => number> = {
      share: friend => -balance(friend).oursSat / (balance(friend).totalSat || 1),
      capacity: friend => -balance(friend).totalSat,
      offers: friend => -(count.get(friend) ?? 0),
      name: () => 0,
    };
    const nameOf = (friend: NodeIndex) => (nodes[friend]?.name || nodes[friend]?.id || '').toLowerCase();
    return friends
      .map(friend => ({ friend, key: keyOf[order](friend), name: nameOf(friend) }))
      .sort((a, b) => a.key - b.key || (a.name < b.name ? -1 : 1))
      .map(({ friend }) => friend);
  }

  #drawnOffers(isEachOffer: boolean): readonly number[] {
    const { friend, amountSat } = this.#picture.offers;
    if (isEachOffer) return this.#shown.offers;
    const chosen = this.#chosen;
    if (chosen?.kind !== 'friend') return [];
    return this.#shown.offers
      .filter(row => friend[row] === chosen.friend)
      .sort((a, b) => (amountSat[b] ?? 0) - (amountSat[a] ?? 0))
      .slice(0, CHOSEN_OFFERS);
  }

  /** What a friend's dot measures. */
  get #size(): number {
    return Math.min(22, this.#pitch * 0.9);
  }

  /** @param hasTags whether names are written outwards, beyond what stands there for offers */
  #addFriends(hasTags: boolean): void {
    const isFew = this.#friends.length <= FEW_FRIENDS;
    const hub = isFew ? 84 : 132;
    this.#nodes.push(node('us', 'us', 0, { x: 0, y: 0 }, 2 * hub));
    // What a bar has where the ring of bars is narrowest, at the hub, and a bit more: towards the ring there is room.
    const width = Math.min(15, this.#pitch * (isFew ? 0.3 : 0.46));
    const size = this.#size;
    for (const friend of this.#friends) {
      const angle = this.#angles.get(friend) ?? 0;
      const sum = this.#balances.get(friend) ?? { oursSat: 0, totalSat: 0, isUsable: false };
      const isFaded = this.#isFaded([friend]) && !this.#isThrough(friend);
      this.#nodes.push({
        ...node(idOf(friend), 'friend', friend, at(angle, RING), size),
        angle,
        isFaded,
        isUsable: sum.isUsable,
        hasTag: hasTags,
      });
      if (hasTags) this.#addTag(friend, angle, TAG, Math.min(13, this.#pitch * 0.86), isFaded);
      const bars = isFew ? this.#picture.channels.filter(channel => channel.friend === friend) : [sum];
      for (const [index, { oursSat, totalSat }] of bars.entries()) {
        const beside = at(angle + Math.PI / 2, (index - (bars.length - 1) / 2) * (width + 3));
        this.#bars.push({
          kind: 'balance',
          node: friend,
          from: plus(at(angle, hub), beside),
          to: plus(at(angle, RING - size / 2), beside),
          width,
          isFaded,
          share: totalSat === 0 ? 0 : oursSat / totalSat,
        });
      }
    }
  }

  #addTag(index: NodeIndex, angle: number, radius: number, size: number, isFaded: boolean): void {
    this.#tags.push({ kind: 'tag', node: index, from: at(angle, radius), angle, size, isFaded });
  }

  #isThrough(node: NodeIndex): boolean {
    return this.#circle?.hops.some(({ to }) => to === node) ?? false;
  }

  /** Friends' friends, each towards those that it is drawn with. */
  #addOuter(drawn: readonly number[]): void {
    const wanted = new Map<NodeIndex, number[]>();
    const want = (outer: NodeIndex, beside: readonly NodeIndex[]) => {
      if (outer === 0 || this.#angles.has(outer)) return;
      const angles = beside.flatMap(friend => this.#angles.get(friend) ?? []);
      wanted.set(outer, [...(wanted.get(outer) ?? []), ...angles]);
    };
    const { friend, other } = this.#picture.offers;
    for (const row of drawn) want(other[row] ?? 0, [friend[row] ?? 0]);
    const through = this.#circle?.hops.map(({ to }) => to) ?? [];
    for (const to of through) want(to, through);
    const outer = [...wanted.keys()];
    const { angles, radius, isMany } = placeOuter(outer.map(index => meanAngle(wanted.get(index) ?? [])));
    for (const [place, index] of outer.entries()) {
      const angle = angles[place] ?? 0;
      const isFaded = this.#circle !== undefined && !this.#isThrough(index);
      this.#nodes.push({
        ...node(idOf(index), 'outer', index, at(angle, radius), isMany ? 9 : 14),
        angle,
        hasTag: isMany,
        isFaded,
      });
      if (isMany) this.#addTag(index, angle, radius + 10, 12, isFaded);
    }
  }

  /** For each friend and way one stroke, longer the more is offered. */
  #addStrokes(): void {
    const { friend, flow, amountSat } = this.#picture.offers;
    const sums = new Map<NodeIndex, [SumOfOffers, SumOfOffers]>();
    for (const row of this.#shown.offers) {
      const index = friend[row] ?? 0;
      let both = sums.get(index);
      if (both === undefined) {
        both = [noOffers(), noOffers()];
        sums.set(index, both);
      }
      const sum = both[flow[row] === 1 ? 1 : 0];
      sum.amountSat += amountSat[row] ?? 0;
      sum.count++;
    }
    const largest = Math.max(1, ...[...sums.values()].flat().map(sum => sum.amountSat));
    for (const [index, both] of sums) {
      const angle = this.#angles.get(index);
      if (angle === undefined) continue;
      if (this.#chosen?.kind === 'friend' && this.#chosen.friend === index) continue;
      for (const way of [0, 1] as const) {
        const { amountSat: sum, count } = both[way];
        if (count === 0) continue;
        // Side by side, each a quarter of the friend's room from its middle; between the friend and its name.
        const beside = angle + ((way === 1 ? 1 : -1) * this.#pitch) / RING / 4;
        const reach = STROKE * (0.1 + 0.9 * Math.sqrt(sum / largest));
        const near = at(beside, RING + this.#size / 2);
        const far = at(beside, RING + this.#size / 2 + reach);
        this.#bars.push({
          kind: 'stroke',
          node: index,
          from: way === 1 ? near : far,
          to: way === 1 ? far : near,
          width: Math.min(9, this.#pitch * 0.36),
          isFaded: this.#isFaded([index]),
          flow: way,
          amountSat: sum,
          count,
        });
      }
    }
  }

  #addOffer(row: number): void {
    const { friend, other, flow, amountSat, ageS } = this.#picture.offers;
    const [from = 0, to = 0] = [friend[row], other[row]];
    if (!this.#angles.has(from)) return;
    const way = flow[row] === 1 ? 1 : 0;
    const [source, target] = way === 1 ? [from, to] : [to, from];
    this.#lines.push({
      id: `offer${row}`,
      kind: 'offer',
      source: idOf(source),
      target: idOf(target),
      width: 2,
      isFaded: this.#isFaded([from, to]),
      flow: way,
      amountSat: amountSat[row] ?? 0,
      ageS: ageS[row] ?? 0,
      ...this.#bendOf(source, target),
    });
  }

  #addHops(): void {
    const circle = this.#circle;
    if (circle === undefined) return;
    let source = 0;
    for (const [index, { to, amountSat }] of circle.hops.entries()) {
      this.#lines.push({
        id: `hop${index}`,
        kind: 'hop',
        source: idOf(source),
        target: idOf(to),
        width: 5,
        isFaded: false,
        hop: index + 1,
        amountSat,
        ...this.#bendOf(source, to),
      });
      source = to;
    }
  }

  /** Between two friends around the ring. */
  #bendOf(source: NodeIndex, target: NodeIndex): Pick<SceneLine, 'bend'> {
    const [from, to] = [this.#angles.get(source), this.#angles.get(target)];
    if (from === undefined || to === undefined) return {};
    const ends = source < target ? `${source} ${target}` : `${target} ${source}`;
    const lane = this.#lanes.get(ends) ?? 0;
    this.#lanes.set(ends, lane + 1);
    return { bend: besideLine(at(from, RING), at(to, RING), arcBetween(from, to, lane)) };
  }
}

interface SumOfOffers {
  amountSat: number;
  count: number;
}

function noOffers(): SumOfOffers {
  return { amountSat: 0, count: 0 };
}

function idOf(index: NodeIndex): string {
  return index === 0 ? 'us' : `n${index}`;
}

function plus(a: Point, b: Point): Point {
  return { x: a.x + b.x, y: a.y + b.y };
}

function node(
  id: string,
  kind: SceneNode['kind'],
  index: NodeIndex,
  position: Point,
  size: number,
): SceneNode {
  return { id, kind, node: index, position, size, angle: 0, isFaded: false, isUsable: true, hasTag: false };
}
