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
/** From all to nothing. */
const DETAILS: readonly Detail[] = [
  ...[ALL, 768, 512, 384, 256, 192, 128, 96, 64, 32, 0].map(withIds => ({ withIds, offers: ALL })),
  ...[512, 256, 128, 64, 32, 16, 8, 0].map(offers => ({ withIds: 0, offers })),
];

const deflate = promisify(deflateRaw);

interface Row {
  readonly other: NodeIndex;
  readonly offer: OfferFact;
  /** Its place among the friend's offers, the largest first. */
  readonly rank: number;
}

interface Gathered {
  readonly header: Omit<Header, 'leftOut'>;
  readonly ids: readonly string[];
  /** By friend, the largest first. */
  readonly rows: ReadonlyMap<NodeIndex, readonly Row[]>;
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
  // By halving: less detail is never longer.
  let text = '';
  let fits = DETAILS.length - 1;
  for (let from = 1; from <= fits; ) {
    const middle = Math.floor((from + fits) / 2);
    const attempt = await textOf(DETAILS[middle] ?? { withIds: 0, offers: 0 });
    if (attempt.length <= budget || middle === DETAILS.length - 1) {
      text = attempt;
      fits = middle - 1;
    } else from = middle + 1;
  }
  return text;
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
  const ranked = await rankedByFriend(facts.offers, pace);
  const rows = new Map<NodeIndex, Row[]>();
  const nodesUpTo = [indices.size];
  const most = ranked.reduce((length, [, offers]) => Math.max(length, offers.length), 0);
  for (let rank = 0; rank < most; rank++) {
    for (const [peerId, offers] of ranked) {
      if (pace.due()) await pace.rest();
      const friend = indices.get(peerId) ?? 0;
      const offer = offers[rank];
      if (offer === undefined || friend === 0 || friend > friendCount) continue;
      const row = { other: indexOf(offer.otherId), offer, rank };
      const list = rows.get(friend);
      if (list === undefined) rows.set(friend, [row]);
      else list.push(row);
    }
    nodesUpTo.push(indices.size);
  }
  const ids = [...indices.keys()];
  const names = ids.map(id => facts.names.get(id) ?? '');
  const header = { drawnAtMs, network, names, friendCount, channels, circles, changes };
  return { header: noCircle === undefined ? header : { ...header, noCircle }, ids, rows, nodesUpTo };
}

/** Each friend's offers, the largest first. */
async function rankedByFriend(
  offers: readonly OfferFact[],
  pace: Pace,
): Promise<readonly (readonly [peerId: string, offers: readonly OfferFact[]])[]> {
  const byFriend = new Map<string, OfferFact[]>();
  for (const offer of offers) {
    if (pace.due()) await pace.rest();
    const list = byFriend.get(offer.peerId);
    if (list === undefined) byFriend.set(offer.peerId, [offer]);
    else list.push(offer);
  }
  for (const list of byFriend.values()) {
    if (pace.dueNow()) await pace.rest();
    list.sort((a, b) => b.amountSat - a.amountSat || a.ageS - b.ageS);
  }
  return [...byFriend];
}

async function encode(gathered: Gathered, detail: Detail, pace: Pace): Promise<Uint8Array> {
  const { header, rows, nodesUpTo } = gathered;
  const total = [...rows.values()].reduce((sum, list) => sum + list.length, 0);
  const kept = [...rows.values()].reduce((sum, list) => sum + Math.min(list.length, detail.offers), 0);
  const columns = makeOffers(() => new Float64Array(kept));
  let at = 0;
  let withIds = 0;
  for (const [friendIndex, list] of rows) {
    if (pace.dueNow()) await pace.rest();
    for (const row of inFileOrder(list.slice(0, detail.offers), detail)) {
      const { offer } = row;
      columns.friend[at] = friendIndex;
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

/** Neighbours alike, so that they deflate well: answer by answer, then by channel, and without channels by node. */
function inFileOrder(rows: readonly Row[], detail: Detail): Row[] {
  const keyOf = ({ rank, offer, other }: Row) =>
    rank < detail.withIds ? Number(offer.shortChannelId) : -1 / (other + 1);
  return rows
    .map(row => ({ row, key: keyOf(row) }))
    .sort(
      ({ row: { offer: a }, key }, { row: { offer: b }, key: other }) =>
        a.flow - b.flow || a.ageS - b.ageS || key - other,
    )
    .map(({ row }) => row);
}
