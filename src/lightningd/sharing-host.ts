/** Joins both sides of a conversation to the node that we run on, once `init` has said which that is. */
import { randomBytes, randomUUID } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { FINAL_DELAY } from '../circles/route.ts';
import { Knowledge, type Word } from '../knowledge/knowledge.ts';
import { wantedWords } from '../knowledge/layer-plan.ts';
import { Rebalancer } from '../rebalance/rebalancer.ts';
import { Answerer } from '../sharing/answerer.ts';
import { Asker } from '../sharing/asker.ts';
import { Breaches } from '../sharing/breaches.ts';
import { type KeyedHash, keyedHash } from '../sharing/keyed-hash.ts';
import { PeerLog } from '../sharing/peer-log.ts';
import type { Clock } from '../sharing/ports.ts';
import { QuestionBudget } from '../sharing/question-budget.ts';
import { startRefreshing } from '../sharing/refresher.ts';
import { SilentPeers } from '../sharing/silent-peers.ts';
import { SlidingWindow } from '../sharing/sliding-window.ts';
import { chainHashOf } from '../wire/chain-hash.ts';
import type { FoafReply } from '../wire/codec.ts';
import { formatShortChannelId } from '../wire/short-channel-id.ts';
import * as answers from './answers.ts';
import { AskreneLayer } from './askrene-layer.ts';
import { CircleFinder } from './circle-finder.ts';
import { systemClock } from './clock.ts';
import { RpcError, UnexpectedAnswerError } from './errors.ts';
import { FixtureError, type Fixtures, findFixtures } from './fixtures.ts';
import { Painter } from './foafgraph.ts';
import type { StatusSources } from './foafstatus.ts';
import { GossipReader } from './gossip-reader.ts';
import { createLogger, type Logger } from './logger.ts';
import { createMessenger } from './messenger.ts';
import { lightningdView } from './node-channels.ts';
import { NodeNames } from './node-names.ts';
import type { Options } from './options.ts';
import { PAYMENT_TOPICS, PaymentNews } from './payment-news.ts';
import { createPayments, LABEL_PREFIX } from './payments.ts';
import type { Configuration, Disable, Plugin } from './plugin.ts';
import { Receiver } from './receiver.ts';
import { type Rpc, RpcClient } from './rpc-client.ts';
import { socketPath } from './socket-path.ts';
import { Store } from './store.ts';
import { ViewReader } from './view-reader.ts';

/** What `makesecret` derives our key from. */
const SECRET_NAME = 'balancesharing';
/** Channels that have changed are read again after this, many changes in one reading. */
const READ_AFTER_CHANGE_MS = 1_000;
/** How many blocks may come before a circle's last HTLC does. */
const BLOCKS_MEANWHILE = 20;
const HEARTBEAT_MS = 1_000;
const STALL_MS = 2_000;
/** Where pictures go, beside lightningd's RPC socket. */
const PICTURE_FOLDER = 'foaf';
/** At most this many debug lines in a minute about messages dropped: of one friend, or of all strangers together. */
const DROP_LINES_PER_MINUTE = 20;

/** What we tell other plugins of: a reply that we sent, and a friend's word that we took up. */
export const NOTIFICATIONS = ['foaf_answered', 'foaf_learned'] as const;

export interface Sharing {
  readonly asker: Asker;
  readonly finder: CircleFinder;
  readonly rebalancer: Rebalancer;
  readonly clock: Clock;
  readonly painter: Painter;
  readonly status: StatusSources;
  /** Takes the parameters of one `custommsg` hook call. */
  receive(params: unknown): void;
  /** A channel or a connection with a peer has changed: lightningd's notification of that name. */
  onChange(topic: string, body: Readonly<Record<string, unknown>>): void;
  readonly payments: PaymentNews;
  readonly layer: AskreneLayer;
}

/**
 * Makes the plugin's `init` start both sides; until then what is returned throws.
 *
 * The plugin is disabled, with the reason, on a chain that we know no hash of, or by fixtures that cannot be used.
 *
 * @param folder where the plugin's own file lies: fixtures may lie beside it
 */
export function hostSharing(plugin: Plugin, options: Options, folder: string): () => Sharing {
  let sharing: Sharing | undefined;
  plugin.onInit = async (configuration: Configuration): Promise<Disable | undefined> => {
    const { network } = configuration;
    const chainHash = chainHashOf(network);
    if (chainHash === undefined) return { disable: `no chain hash is known for network ${network}` };
    const logger = createLogger((message, level) => plugin.log(message, level));
    try {
      const fixtures = await findFixtures(folder, options.fixtures.value, network, message =>
        logger.warn(message),
      );
      sharing = await connect({ plugin, options, configuration, chainHash, logger, fixtures, folder });
    } catch (error) {
      if (error instanceof FixtureError) return { disable: error.message };
      throw error;
    }
    return undefined;
  };
  for (const topic of ['connect', 'disconnect', 'channel_state_changed']) {
    plugin.subscribe(topic, params => sharing?.onChange(topic, bodyOf(topic, params)));
  }
  for (const topic of PAYMENT_TOPICS) {
    plugin.subscribe(topic, params => sharing?.payments.topics[topic](params));
  }
  plugin.onConfigChange = () => sharing?.layer.changed();
  return () => {
    if (sharing === undefined) throw new Error('lightningd called before init');
    return sharing;
  };
}

interface Circumstances {
  readonly plugin: Plugin;
  readonly options: Options;
  readonly configuration: Configuration;
  readonly chainHash: string;
  readonly logger: Logger;
  readonly fixtures: Fixtures | undefined;
  readonly folder: string;
}

async function connect({
  plugin,
  options,
  configuration,
  chainHash,
  logger,
  fixtures,
  folder,
}: Circumstances): Promise<Sharing> {
  // V8 would let garbage grow to several times of what is alive. On the command line the option would cost a third of the
  // start: V8's own cached code does not fit other options.
  setFlagsFromString('--heap-growing-percent=30');
  const clock = systemClock;
  const rpc = new RpcClient(socketPath(configuration), 'balancesharing');
  const channels = new ViewReader(fixtures?.view(rpc) ?? lightningdView(rpc), clock);
  if (fixtures !== undefined) {
    const { standIn, channels: own } = fixtures;
    logger.warn(
      `fixtures: ${own.length} channels of ${standIn} stand for ours, every connected peer is a friend`,
    );
  }
  const sent = new Map<string, number>();
  const send = createMessenger(rpc, sent);
  const silentPeers = new SilentPeers(() => store.changed());
  const budget = new QuestionBudget(() => store.changed());
  const breaches = new Breaches(() => store.changed());
  const store = new Store({ rpc, clock, logger, silentPeers, budget, breaches });
  await store.load();
  const gossip = fixtures ?? new GossipReader(rpc, clock);
  const peerLog = new PeerLog();
  const knowledge = new Knowledge();
  const saidSinceMs = () => clock.monotonicMs() - options.cacheTtl.value * 1000;
  const layer = new AskreneLayer({
    rpc,
    clock,
    logger,
    name: () => options.layer.value,
    wanted: () =>
      wantedWords(knowledge, saidSinceMs(), peerId => !breaches.isIgnored(peerId, clock.monotonicMs())),
  });
  const asker = new Asker({
    chainHash,
    channels,
    gossip,
    knowledge,
    silentPeers,
    peerLog,
    breaches,
    onLearned: (peerId, word) => {
      layer.changed();
      plugin.notify('foaf_learned', () => learned(peerId, word));
    },
    cacheTtlMs: () => options.cacheTtl.value * 1000,
    send,
    clock,
    newQueryId,
  });
  const answerer = new Answerer({
    chainHash,
    settings: () => options.answerSettings(configuration.network),
    hash: await secretHash(rpc, logger),
    channels,
    send,
    clock,
    budget,
    onAnswered: (peerId, reply) => plugin.notify('foaf_answered', () => answered(peerId, reply)),
  });
  const receiver = new Receiver({
    asker,
    answerer,
    isFriend: peerId => channels.isFriend(peerId),
    breaches,
    logger,
    logLimit: new SlidingWindow(DROP_LINES_PER_MINUTE, 60_000),
    monotonicMs: clock.monotonicMs,
  });
  const finalDelay = await finalDelayOf(rpc);
  const finder = new CircleFinder({ finalDelay, channels, gossip, knowledge, clock, saidSinceMs });
  const rebalancer = new Rebalancer({
    payments: createPayments(rpc, finalDelay),
    knowledge,
    view: () => channels.read(0),
    clock,
    newLabel: () => LABEL_PREFIX + randomUUID(),
    log: message => logger.warn(message),
    onNews: () => layer.changed(),
  });
  const painter = new Painter(
    {
      finder,
      knowledge,
      names: new NodeNames(rpc),
      recent: rebalancer.recent,
      clock,
      network: configuration.network,
      saidSinceMs,
      settings: () => options.circleSettings(),
    },
    folder,
    join(dirname(resolve(configuration.lightningDir, configuration.rpcFile)), PICTURE_FOLDER),
  );
  let isReadingSoon = false;
  /** A new friend is known as one without waiting for the first question. Strangers can set this off, so not often. */
  const readSoon = () => {
    if (isReadingSoon) return;
    isReadingSoon = true;
    clock.after(READ_AFTER_CHANGE_MS, () => {
      isReadingSoon = false;
      channels.read(0).catch((error: unknown) => logger.debug(`our channels could not be read: ${error}`));
    });
  };
  // So that the first messages find out who is a friend; whoever needs the channels reads again if this fails.
  channels.read(0).catch((error: unknown) => logger.warn(`our channels could not be read: ${String(error)}`));
  watchForStalls(clock, nowMs => breaches.excuse(nowMs));
  await layer.open();
  rebalancer.adopt();
  startRefreshing({
    clock,
    periodMs: () => options.refresh.value * 60_000,
    random: Math.random,
    ask: (flow, amountMsat) => {
      const timeoutMs = options.timeout.value * 1000;
      asker
        .ask({ flow, amountMsat, timeoutMs, fresh: true })
        .catch((error: unknown) => logger.warn(`friends could not be asked: ${String(error)}`));
    },
  });
  return {
    asker,
    finder,
    rebalancer,
    clock,
    painter,
    layer,
    payments: new PaymentNews({
      knowledge,
      clock,
      isOurs: id => channels.isOurs(id),
      onNews: () => layer.changed(),
    }),
    status: {
      channels,
      clock,
      knowledge,
      peerLog,
      silentPeers,
      budget,
      breaches,
      layer: () => layer.state,
      recent: rebalancer.recent,
      received: receiver.counters,
      sent,
      settings: () => ({
        ...options.answerSettings(configuration.network),
        cacheTtlMs: options.cacheTtl.value * 1000,
        ...options.circleSettings(),
        refreshMinutes: options.refresh.value,
        layer: options.layer.value,
      }),
    },
    receive: params => receiver.receive(params),
    onChange: (topic, body) => {
      const peerId = String(body['id'] ?? body['peer_id']);
      // Strangers come and go as they please: only with a channel does that change anything.
      const matters =
        topic === 'channel_state_changed' || channels.isFriend(peerId) || fixtures !== undefined;
      if (matters) channels.invalidate();
      if (body['new_state'] === 'CHANNELD_NORMAL') readSoon();
      if (topic === 'disconnect') asker.onDisconnect(peerId);
    },
  };
}

/** Says when this process stood still for longer than any work of ours takes: stopped, or its machine suspended. */
function watchForStalls(clock: Clock, onStall: (nowMs: number) => void): void {
  let lastMs = clock.monotonicMs();
  const beat = () => {
    const nowMs = clock.monotonicMs();
    if (nowMs - lastMs > HEARTBEAT_MS + STALL_MS) onStall(nowMs);
    lastMs = nowMs;
    clock.after(HEARTBEAT_MS, beat);
  };
  clock.after(HEARTBEAT_MS, beat);
}

function learned(peerId: string, { flow, amountMsat, timestampMs, channels }: Word): object {
  return {
    peer_id: peerId,
    direction: flow,
    amount_msat: amountMsat,
    timestamp: timestampMs,
    short_channel_ids: channels.map(channel => formatShortChannelId(channel.shortChannelId)),
  };
}

function answered(peerId: string, { flow, amountMsat, timestampMs, shortChannelIds }: FoafReply): object {
  return {
    peer_id: peerId,
    direction: flow,
    amount_msat: amountMsat,
    timestamp: timestampMs,
    short_channel_ids: shortChannelIds.map(formatShortChannelId),
  };
}

/** 64 random bits of a UUID's 122, whose randomness Node.js draws in advance: a draw of its own for each query took longer than its encoding. */
function newQueryId(): string {
  const uuid = randomUUID();
  return uuid.slice(0, 8) + uuid.slice(-8);
}

/** lightningd refuses an HTLC to itself that has less than its option `cltv-final` left, and blocks come meanwhile. */
async function finalDelayOf(rpc: Rpc): Promise<number> {
  try {
    const answer = await rpc.call('listconfigs', { config: 'cltv-final' });
    const cltvFinal = answers.readAnswer('listconfigs', answers.cltvFinal, answer);
    return Math.max(FINAL_DELAY, cltvFinal + BLOCKS_MEANWHILE);
  } catch (error) {
    if (error instanceof RpcError || error instanceof UnexpectedAnswerError) return FINAL_DELAY;
    throw error;
  }
}

/** Keyed by the node's own secret, so that a restart chooses the same way; before v0.11 there is no such call. */
async function secretHash(rpc: Rpc, logger: Logger): Promise<KeyedHash> {
  try {
    const answer = await rpc.call('makesecret', { string: SECRET_NAME });
    return keyedHash(Buffer.from(answers.readAnswer('makesecret', answers.makesecret, answer).secret, 'hex'));
  } catch (error) {
    if (!(error instanceof RpcError)) throw error;
    logger.warn(`makesecret failed, so margins change at every restart: ${error.message}`);
    return keyedHash(randomBytes(32));
  }
}

/** `{"disconnect": {"id": …}}`, without the wrapping before v24; `channel_state_changed` says `peer_id`. */
function bodyOf(topic: string, params: unknown): Record<string, unknown> {
  return fieldsOf(fieldsOf(params)[topic] ?? params);
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
