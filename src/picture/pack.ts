/**
 * The facts as one short text for the page.
 *
 * Hazard: half a million offers, whose node and channel ids are as random as a friend likes, must neither make the file
 * too large nor keep the plugin from its hooks. So the work is done in slices, and where the budget does not suffice
 * each friend's smallest offers lose their short channel ids first, and then go, which the page says: no friend can
 * crowd out another's.
 */
import { promisify } from 'node:util';
import { deflateRaw } from 'node:zlib';
import { type Breaks, Pace } from '../circles/pace.ts';
import { ID_BYTES, packColumn, packOfferColumn, SHORT_ID_BYTES } from './columns.ts';
import {
  type Header,
  makeOffers,
  type NodeIndex,
  type OfferColumn,
  type OfferFact,
  type PictureFacts,
} from './picture.ts';

/** How much of each friend is kept: so many of its largest offers, with the ids of so many. */
interface Detail {
  readonly withIds: number;
  readonly offers: number;
}

const ALL = Number.POSITIVE_INFINITY;
/** How far below the budget is aimed, and by how much less is tried where that was too much. */
const AIM = 0.97;
const LESS = 0.8;

const deflate = promisify(deflateRaw);

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
 * @returns base64 of a deflated stream, for `unpack`
 */
export async function pack(facts: PictureFacts, budget: number, breaks: Breaks): Promise<string> {
  const pace = new Pace(breaks);
  const gathered = await gather(facts, pace);
  const textOf = async (detail: Detail) => {
    const bytes = await deflate(await encode(gathered, detail, pace));
    return bytes.toString('base64');
  };
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
  textOf: (count: number) => Promise<string>,
): Promise<string | undefined> {
  for (let count = Math.floor(estimate * AIM); count > 0; count = Math.floor(count * LESS)) {
    const text = await textOf(count);
    if (text.length <= budget) return text;
  }
  return undefined;
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
  const ids = [...indices.keys()];
  const names = ids.map(id => facts.names.get(id) ?? '');
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

async function encode(gathered: Gathered, detail: Detail, pace: Pace): Promise<Uint8Array> {
  const { header, friends, nodesUpTo } = gathered;
  const total = friends.reduce((sum, { rows }) => sum + rows.length, 0);
  const kept = friends.reduce((sum, { rows }) => sum + Math.min(rows.length, detail.offers), 0);
  const columns = makeOffers(() => new Float64Array(kept));
  let at = 0;
  let withIds = 0;
  for (const friend of friends) {
    if (pace.dueNow()) await pace.rest();
    for (const row of inFileOrder(friend, detail)) {
      const { offer } = row;
      columns.friend[at] = friend.index;
      columns.other[at] = row.other;
      columns.flow[at] = offer.flow;
      columns.amountSat[at] = offer.amountSat;
      columns.ageS[at] = offer.ageS;
      if (row.rank < detail.withIds) {
        columns.block[at] = Number(offer.shortChannelId >> 40n);
        columns.transaction[at] = Number((offer.shortChannelId >> 16n) & 0xff_ffffn);
        columns.output[at] = Number(offer.shortChannelId & 0xffffn);
        withIds++;
      }
      at++;
    }
  }
  const nodesOf = (offers: number) => nodesUpTo[Math.min(offers, nodesUpTo.length - 1)] ?? 0;
  const ids = gathered.ids.slice(0, nodesOf(detail.offers));
  const wholeIds = nodesOf(detail.withIds);
  const idBytes = new Uint8Array(ids.length * ID_BYTES);
  for (const [index, id] of ids.entries()) {
    if (pace.due()) await pace.rest();
    const bytes = Buffer.from(id, 'hex');
    idBytes.set(index < wholeIds ? bytes : bytes.subarray(0, SHORT_ID_BYTES), index * ID_BYTES);
  }
  const text = Buffer.from(
    JSON.stringify({
      ...header,
      names: header.names.slice(0, ids.length),
      leftOut: { offers: total - kept, shortChannelIds: kept - withIds },
    } satisfies Header),
  );
  const parts: Uint8Array[] = [packColumn([text.length, ids.length]), text, idBytes];
  for (const [name, values] of Object.entries(columns)) {
    await pace.rest();
    parts.push(packOfferColumn(name as OfferColumn, values));
  }
  return Buffer.concat(parts);
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
