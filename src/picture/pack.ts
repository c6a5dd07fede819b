/**
 * The facts as a short text for the page.
 *
 * Hazard: half a million offers, whose node and channel ids are as random as a friend likes, must neither make the file
 * too large nor keep the plugin from its hooks. So the work is done in slices, and where the budget does not suffice
 * each friend's smallest offers lose their short channel ids first, and then go, which the page says: no friend can
 * crowd out another's.
 */
import { Readable } from 'node:stream';
import { type Breaks, Pace } from '../circles/pace.ts';
import { difference, ID_BYTES, packColumn, SHORT_ID_BYTES } from './columns.ts';
import { type Header, makeOffers, type NodeIndex, type OfferFact, type PictureFacts } from './picture.ts';

/** How much of each friend is kept: so many of its largest offers, with the ids of so many. */
interface Detail {
  readonly withIds: number;
  readonly offers: number;
}

const ALL = Number.POSITIVE_INFINITY;
/** How far below the budget is aimed, and by how much less is tried where that was too much. */
const AIM = 0.97;
const LESS = 0.8;
const IDS_AT_ONCE = 1_000;

/** The text, in pieces: put together it is one of some megabytes, which takes a while each time. */
export interface Packed {
  readonly pieces: readonly string[];
  readonly length: number;
}

interface Row {
  readonly offer: OfferFact;
  other: NodeIndex;
  /** Its place among the friend's offers, the largest first. */
  rank: number;
}

interface Friend {
  readonly index: NodeIndex;
  /** As they were given: answer by answer, then by channel, which deflates well. */
  readonly rows: Row[];
  /** Answer by answer, then by node, which deflates best without channels. */
  byNode?: readonly Row[];
}

interface Gathered {
  readonly header: Omit<Header, 'leftOut'>;
  readonly ids: readonly string[];
  readonly friends: readonly Friend[];
  /** How many of the nodes are named, from the first on, when so many of each friend's offers are kept. */
  readonly nodesUpTo: readonly number[];
}

/**
 * @param budget the most characters that the text may have; it is kept as long as what is not an offer fits into it
 * @param breaks lets others run in between
 * @returns base64 of a deflated stream; put together, `unpack` reads it
 */
export async function pack(facts: PictureFacts, budget: number, breaks: Breaks): Promise<Packed> {
  const pace = new Pace(breaks);
  const gathered = await gather(facts, pace);
  const textOf = (detail: Detail) => deflated(encode(gathered, detail, pace), pace);
  const whole = await textOf({ withIds: ALL, offers: ALL });
  if (whole.length <= budget) return whole;
  const withoutIds = await textOf({ withIds: 0, offers: ALL });
  const most = gathered.nodesUpTo.length - 1;
  if (withoutIds.length <= budget) {
    const share = (budget - withoutIds.length) / (whole.length - withoutIds.length);
    return (
      (await largestWithin(most * share, budget, withIds => textOf({ withIds, offers: ALL }))) ?? withoutIds
    );
  }
  const share = budget / withoutIds.length;
  const some = await largestWithin(most * share, budget, offers => textOf({ withIds: 0, offers }));
  return some ?? (await textOf({ withIds: 0, offers: 0 }));
}

/** Sizes grow about as the counts do: hardly ever is more than the first one tried. */
async function largestWithin(
  estimate: number,
  budget: number,
  textOf: (count: number) => Promise<Packed>,
): Promise<Packed | undefined> {
  for (let count = Math.floor(estimate * AIM); count > 0; count = Math.floor(count * LESS)) {
    const text = await textOf(count);
    if (text.length <= budget) return text;
  }
  return undefined;
}

/** Deflate works in other threads; what it makes is turned into text piece by piece. */
async function deflated(bytes: AsyncIterable<Uint8Array>, pace: Pace): Promise<Packed> {
  const pieces: string[] = [];
  let length = 0;
  const add = (piece: string) => {
    pieces.push(piece);
    length += piece.length;
  };
  let rest = Buffer.alloc(0);
  // Loaded only now: at the start they would cost every node milliseconds and megabytes.
  const [{ pipeline }, { createDeflateRaw }] = await Promise.all([
    import('node:stream/promises'),
    import('node:zlib'),
  ]);
  await pipeline(Readable.from(bytes), createDeflateRaw(), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      if (pace.dueNow()) await pace.rest();
      const all = Buffer.concat([rest, chunk]);
      // Three bytes are four characters: where a piece ends in between it would end in padding.
      const whole = all.length - (all.length % 3);
      add(all.toString('base64', 0, whole));
      rest = all.subarray(whole);
    }
  });
  add(rest.toString('base64'));
  return { pieces, length };
}

/**
 * Numbers the nodes: ours, the friends, those of circles and changes, then the other ends of the friends' largest offers,
 * of their second largest, and so on. So the nodes that are left when the smallest offers go are the first ones.
 */
async function gather(facts: PictureFacts, pace: Pace): Promise<Gathered> {
  const { drawnAtMs, network, noCircle } = facts;
  const indices = new Map<string, NodeIndex>();
  const indexOf = (id: string): NodeIndex => {
    const known = indices.get(id);
    if (known !== undefined) return known;
    indices.set(id, indices.size);
    return indices.size - 1;
  };
  indexOf(facts.nodeId);
  const channels = facts.channels.map(({ peerId, ...rest }) => ({ friend: indexOf(peerId), ...rest }));
  const friendCount = indices.size - 1;
  const circles = facts.circles.map(circle => ({
    ...circle,
    hops: circle.hops.map(hop => ({ ...hop, to: indexOf(hop.to) })),
  }));
  const changes = facts.changes.map(change =>
    change.kind === 'learned' ? { ...change, from: indexOf(change.from) } : change,
  );
  const friends = new Map<string, Friend>();
  for (const offer of facts.offers) {
    if (pace.due()) await pace.rest();
    const index = indices.get(offer.peerId) ?? 0;
    if (index === 0 || index > friendCount) continue;
    const row = { offer, other: 0, rank: 0 };
    const friend = friends.get(offer.peerId);
    if (friend === undefined) friends.set(offer.peerId, { index, rows: [row] });
    else friend.rows.push(row);
  }
  const nodesUpTo = await rank([...friends.values()], indexOf, () => indices.size, pace);
  const ids: string[] = [];
  const names: string[] = [];
  for (const id of indices.keys()) {
    if (pace.due()) await pace.rest();
    ids.push(id);
    names.push(facts.names.get(id) ?? '');
  }
  const header = { drawnAtMs, network, names, friendCount, channels, circles, changes };
  return {
    header: noCircle === undefined ? header : { ...header, noCircle },
    ids,
    friends: [...friends.values()],
    nodesUpTo,
  };
}

/** Ranks each friend's offers and numbers their other ends, rank by rank. Returns how many nodes there are after each. */
async function rank(
  friends: readonly Friend[],
  indexOf: (id: string) => NodeIndex,
  count: () => number,
  pace: Pace,
): Promise<number[]> {
  const ranked: (readonly Row[])[] = [];
  for (const { rows } of friends) {
    if (pace.dueNow()) await pace.rest();
    ranked.push(
      rows.toSorted((a, b) => b.offer.amountSat - a.offer.amountSat || a.offer.ageS - b.offer.ageS),
    );
  }
  const most = ranked.reduce((length, rows) => Math.max(length, rows.length), 0);
  const nodesUpTo: number[] = [];
  for (let place = 0; place <= most; place++) {
    for (const rows of place === 0 ? [] : ranked) {
      if (pace.due()) await pace.rest();
      const row = rows[place - 1];
      if (row === undefined) continue;
      row.rank = place - 1;
      row.other = indexOf(row.offer.otherId);
    }
    nodesUpTo.push(count());
  }
  return nodesUpTo;
}

async function* encode(gathered: Gathered, detail: Detail, pace: Pace): AsyncGenerator<Uint8Array> {
  const { header, friends, nodesUpTo } = gathered;
  const total = friends.reduce((sum, { rows }) => sum + rows.length, 0);
  const kept = friends.reduce((sum, { rows }) => sum + Math.min(rows.length, detail.offers), 0);
  const columns = makeOffers(() => new Float64Array(kept));
  let at = 0;
  let withIds = 0;
  let before = { other: 0, block: 0 };
  for (const friend of friends) {
    if (pace.dueNow()) await pace.rest();
    for (const { offer, other, rank } of inFileOrder(friend, detail)) {
      const isWithId = rank < detail.withIds;
      const block = isWithId ? Number(offer.shortChannelId >> 40n) : 0;
      columns.friend[at] = friend.index;
      columns.other[at] = difference(other, before.other);
      columns.flow[at] = offer.flow;
      columns.amountSat[at] = offer.amountSat;
      columns.ageS[at] = offer.ageS;
      columns.block[at] = difference(block, before.block);
      if (isWithId) {
        columns.transaction[at] = Number((offer.shortChannelId >> 16n) & 0xff_ffffn);
        columns.output[at] = Number(offer.shortChannelId & 0xffffn);
        withIds++;
      }
      before = { other, block };
      at++;
    }
  }
  const nodesOf = (offers: number) => nodesUpTo[Math.min(offers, nodesUpTo.length - 1)] ?? 0;
  const ids = gathered.ids.slice(0, nodesOf(detail.offers));
  const wholeIds = nodesOf(detail.withIds);
  const text = Buffer.from(
    JSON.stringify({
      ...header,
      names: header.names.slice(0, ids.length),
      leftOut: { offers: total - kept, shortChannelIds: kept - withIds },
    } satisfies Header),
  );
  yield* packColumn([text.length, ids.length]);
  yield text;
  for (let from = 0; from < ids.length; from += IDS_AT_ONCE) {
    if (pace.dueNow()) await pace.rest();
    yield bytesOf(ids.slice(from, from + IDS_AT_ONCE), wholeIds - from);
  }
  for (const values of Object.values(columns)) {
    for (const piece of packColumn(values)) {
      if (pace.dueNow()) await pace.rest();
      yield piece;
    }
  }
}

/** @param whole of how many, from the first on, all bytes are kept */
function bytesOf(ids: readonly string[], whole: number): Uint8Array {
  const all = new Uint8Array(ids.length * ID_BYTES);
  for (const [index, id] of ids.entries()) {
    const bytes = Buffer.from(id, 'hex');
    all.set(index < whole ? bytes : bytes.subarray(0, SHORT_ID_BYTES), index * ID_BYTES);
  }
  return all;
}

/** Those with short channel ids, then those without. */
function inFileOrder(friend: Friend, { withIds, offers }: Detail): readonly Row[] {
  const { rows } = friend;
  if (withIds >= rows.length) return rows;
  friend.byNode ??= rows.toSorted(
    (a, b) => a.offer.flow - b.offer.flow || a.offer.ageS - b.offer.ageS || a.other - b.other,
  );
  return [
    ...rows.filter(row => row.rank < withIds),
    ...friend.byNode.filter(row => row.rank >= withIds && row.rank < offers),
  ];
}
