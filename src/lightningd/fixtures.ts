/**
 * Regtest without channels: `funds.json` (what `listfunds` prints) and `channels.json` (`listchannels`) in place of our
 * own channels and gossip.
 *
 * Hazard: made-up balances must never be told by a node that holds money, so files are looked at on regtest only. And
 * a file that was misread would make a tester believe what is not there, so a broken one disables the plugin.
 */
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { messageOf } from '../error-message.ts';
import type { NodeView, OwnChannel } from '../sharing/node-view.ts';
import type { GossipChannels, GossipSource } from '../sharing/ports.ts';
import type { Flow } from '../wire/codec.ts';
import { blockHeightOf, formatShortChannelId, type ShortChannelId } from '../wire/short-channel-id.ts';
import * as answers from './answers.ts';
import { toGossip } from './gossip-reader.ts';
import { JsonFramer, parseFrame } from './json-framer.ts';
import { fromFunds } from './node-channels.ts';
import type { Rpc } from './rpc-client.ts';

const FUNDS = 'funds.json';
const CHANNELS = 'channels.json';
/** Every channel of the files counts as this deep: the largest `foaf-min-depth`. */
const DEPTH = 10_000;

/** What disables the plugin: the file, the place in it, and what is wrong there. */
export class FixtureError extends Error {
  override readonly name = 'FixtureError';
}

type Funds = v.InferOutput<typeof answers.listfunds>['channels'];
type Listed = v.InferOutput<typeof answers.listchannels>['channels'];

/** One pair of files, read. */
export class Fixtures implements GossipSource {
  /** The node whose channels funds.json lists: it stands for whoever loaded the files. */
  readonly standIn: string;
  readonly channels: readonly OwnChannel[];
  readonly #gossip: Readonly<Record<Flow, GossipChannels>>;

  /** @throws FixtureError when the two files do not fit together */
  constructor(funds: Funds, listed: Listed) {
    this.standIn = standInOf(funds, listed);
    const from = listed.filter(({ source }) => source === this.standIn);
    const to = listed.filter(({ destination }) => destination === this.standIn);
    this.channels = fromFunds(funds, from, to);
    this.#gossip = { 1: toGossip(from, this.standIn), 0: toGossip(to, this.standIn) };
  }

  /** Whoever replies is judged as if it were the stand-in. */
  async read(_peerId: string, flow: Flow): Promise<GossipChannels> {
    return this.#gossip[flow];
  }

  /** With files nobody's word on the channels of others can be told from a lie. */
  async endsOf(): Promise<undefined> {
    return undefined;
  }

  /** How to read a node that has these channels, and every connected peer as a friend. */
  view(rpc: Rpc): () => Promise<NodeView> {
    const blocks = this.channels.map(({ shortChannelId }) => blockHeightOf(shortChannelId ?? 0n));
    const blockHeight = Math.max(0, ...blocks) + DEPTH;
    return async () => {
      const [info, peers] = await Promise.all([rpc.call('getinfo'), rpc.call('listpeers')]);
      const connected = answers
        .readAnswer('listpeers', answers.listpeers, peers)
        .peers.filter(peer => peer.connected);
      return {
        nodeId: answers.readAnswer('getinfo', answers.getinfo, info).id,
        blockHeight,
        channels: this.channels,
        guests: new Set(connected.map(peer => peer.id)),
      };
    };
  }
}

/**
 * Finds out whether to use files, and reads them.
 *
 * @param folder where the plugin's own file lies
 * @param option `foaf-fixtures`: another folder, or empty
 * @param warn told, in words, that files beside the plugin are not used
 * @returns `undefined` when there are none to use
 * @throws FixtureError
 */
export async function findFixtures(
  folder: string,
  option: string,
  network: string,
  warn: (message: string) => void,
): Promise<Fixtures | undefined> {
  const isRegtest = network === 'regtest';
  if (option !== '') {
    if (!isRegtest) throw new FixtureError(`foaf-fixtures: for regtest only, this is ${network}`);
    return loadFixtures(option);
  }
  const found = await Promise.all([FUNDS, CHANNELS].map(name => exists(join(folder, name))));
  if (!found.includes(true)) return undefined;
  if (isRegtest) return loadFixtures(folder);
  warn(`ignored ${FUNDS} and ${CHANNELS} in ${folder}: they are for regtest only, this is ${network}`);
  return undefined;
}

/** @throws FixtureError with the file, the place and the reason */
export async function loadFixtures(folder: string): Promise<Fixtures> {
  const funds = await readFixture(join(folder, FUNDS), answers.listfunds);
  const listed = await readFixture(join(folder, CHANNELS), answers.listchannels);
  return new Fixtures(funds.channels, listed.channels);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

async function readFixture<T>(path: string, schema: v.GenericSchema<unknown, T>): Promise<T> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw new FixtureError(`${path}: cannot be read: ${error.code ?? error.message}`);
  });
  const result = v.safeParse(schema, parseJson(path, bytes), { abortEarly: true });
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new FixtureError(`${path}: ${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`);
}

function parseJson(path: string, bytes: Buffer): unknown {
  let parsed: unknown;
  try {
    parsed = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    // The reason quotes the file, which may hold anything; the log is read line by line.
    const reason = messageOf(error).replace(/\s+/g, ' ');
    throw new FixtureError(`${path}: no JSON: ${reason}`);
  }
  // Once more, with integers beyond 2^53 kept whole.
  const [frame] = new JsonFramer().push(bytes);
  return frame === undefined ? parsed : parseFrame(frame);
}

/** The node at the other end of every channel in funds.json that channels.json knows. */
function standInOf(funds: Funds, listed: Listed): string {
  const ends = new Map<ShortChannelId, readonly string[]>();
  for (const [index, { short_channel_id, source, destination }] of listed.entries()) {
    const known = ends.get(short_channel_id) ?? [source, destination];
    if (source === destination || !known.includes(source) || !known.includes(destination)) {
      const place = `${CHANNELS}: channels.${index} (${formatShortChannelId(short_channel_id)})`;
      throw new FixtureError(`${place}: its ends are not those of its other direction`);
    }
    ends.set(short_channel_id, known);
  }
  const seen = new Set<ShortChannelId>();
  let standIn: string | undefined;
  for (const [index, { peer_id, short_channel_id }] of funds.entries()) {
    const pair = short_channel_id === undefined ? undefined : ends.get(short_channel_id);
    if (short_channel_id === undefined || pair === undefined) continue;
    const place = `${FUNDS}: channels.${index} (${formatShortChannelId(short_channel_id)})`;
    if (seen.has(short_channel_id)) throw new FixtureError(`${place}: stands there twice`);
    seen.add(short_channel_id);
    if (!pair.includes(peer_id)) throw new FixtureError(`${place}: peer_id is no end of it in ${CHANNELS}`);
    const other = pair.find(end => end !== peer_id);
    if (standIn !== undefined && other !== standIn) {
      throw new FixtureError(
        `${place}: in ${CHANNELS} it is a channel of ${other}, those before are of ${standIn}`,
      );
    }
    standIn = other;
  }
  if (standIn === undefined) throw new FixtureError(`${FUNDS}: none of its channels is in ${CHANNELS}`);
  return standIn;
}
