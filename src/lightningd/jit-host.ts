/**
 * Joins just-in-time routing to the node that it runs on, once `init` has said which that is.
 *
 * It disables itself, with the reason, where balancesharing is not there, and where nobody asked for it: lightningd
 * starts every executable of a folder in its plugins folder, and who clones this repository there for the one
 * plugin shall not find the other spending money.
 */
import { randomUUID } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { ChannelBook } from '../jit/channel-book.ts';
import { Earnings } from '../jit/earnings.ts';
import { Filler } from '../jit/filler.ts';
import { JustInTime } from '../jit/just-in-time.ts';
import { Ledger } from '../jit/ledger.ts';
import * as answers from './answers.ts';
import { systemClock } from './clock.ts';
import { ErrorCode, RpcError } from './errors.ts';
import type { JitSources } from './foafjit.ts';
import { ChannelReader } from './jit-channels.ts';
import { createCircles } from './jit-circles.ts';
import { createNews, NEWS_TOPICS, readForward } from './jit-news.ts';
import { type JitOptions, MODE_OPTION } from './jit-options.ts';
import { JitStore } from './jit-store.ts';
import { createLogger, type Logger } from './logger.ts';
import { parseNodeId } from './parameters.ts';
import type { Configuration, Disable, Plugin } from './plugin.ts';
import { type Rpc, RpcClient } from './rpc-client.ts';
import { socketPath } from './socket-path.ts';

/** What no notification tells, such as a changed fee, is read again after this. */
const READ_ALL_MS = 600_000;
/** A channel is reestablished a moment after its peer has connected, which nothing tells. */
const REESTABLISHED_MS = 2_000;
const NEEDED = ['foafcircles', 'foafrebalance'];

/** @param entry the plugin's own file */
export function hostJit(plugin: Plugin, options: JitOptions, entry: string): () => JitSources {
  let running: Running | undefined;
  plugin.onInit = async (configuration: Configuration): Promise<Disable | undefined> => {
    const rpc = new RpcClient(socketPath(configuration), 'jitrouting');
    const reason = (await absence(rpc)) ?? (await unasked(rpc, entry, configuration));
    if (reason !== undefined) {
      rpc.close();
      return { disable: reason };
    }
    const logger = createLogger((message, level) => plugin.log(message, level));
    running = await connect(rpc, options, logger);
    return undefined;
  };
  plugin.addHeldHook(
    'htlc_accepted',
    (params, hold) => {
      const forward = running === undefined ? undefined : readForward(params);
      return forward === undefined ? undefined : running?.sources.jit.decide(forward, hold);
    },
    () => options.holdMs.value,
  );
  for (const topic of NEWS_TOPICS) plugin.subscribe(topic, params => running?.news[topic](params));
  for (const topic of ['connect', 'disconnect', 'channel_state_changed']) {
    plugin.subscribe(topic, params => running?.onChange(topic, peerOf(topic, params)));
  }
  return () => {
    if (running === undefined) throw new Error('lightningd called before init');
    return running.sources;
  };
}

interface Running {
  readonly sources: JitSources;
  readonly news: ReturnType<typeof createNews>;
  onChange(topic: string, peerId: string): void;
}

async function connect(rpc: Rpc, options: JitOptions, logger: Logger): Promise<Running> {
  const clock = systemClock;
  const book = new ChannelBook();
  const earnings = new Earnings();
  const ledger = new Ledger(earnings, options.allowances, clock);
  const store = new JitStore({ rpc, clock, logger, ledger, earnings });
  const reader = new ChannelReader(rpc, book);
  const warn = (error: unknown) => logger.warn(`our channels could not be read: ${String(error)}`);
  const readAll = async () => {
    await reader.readAll().catch(warn);
    clock.after(READ_ALL_MS, readAll);
  };
  await store.load();
  await readAll();
  const log = (message: string) => logger.warn(message);
  const filler = new Filler({
    book,
    earnings,
    ledger,
    isLedgerReady: () => store.isReady,
    bookings: store,
    circles: createCircles(rpc, logger),
    clock,
    newId: randomUUID,
    log,
  });
  const jit = new JustInTime({
    settings: options.settings,
    book,
    earnings,
    filler,
    node: { readPeer: peerId => reader.readPeer(peerId), denied: () => denied(rpc) },
    clock,
    log,
  });
  return {
    sources: {
      jit,
      ledger,
      earnings,
      clock,
      isLedgerReady: () => store.isReady,
      settings: options.settings,
      allowances: options.allowances,
    },
    news: createNews({ jit, book, onEnded: () => store.earned() }),
    onChange: (topic, peerId) => {
      // Strangers come and go as they please.
      const isOurs = topic === 'channel_state_changed' || book.ofPeer(peerId).length > 0;
      if (parseNodeId(peerId) === undefined || !isOurs) return;
      const read = () => {
        reader.readPeer(peerId).catch(warn);
      };
      read();
      if (topic === 'connect') clock.after(REESTABLISHED_MS, read);
    },
  };
}

/** Why there are no circles, if there are none. */
async function absence(rpc: Rpc): Promise<string | undefined> {
  for (const command of NEEDED) {
    try {
      const answer = await rpc.call('help', { command });
      const { help } = answers.readAnswer('help', answers.help, answer);
      if (command === 'foafrebalance' && !help.some(({ command: usage }) => usage.includes('[ask]'))) {
        return 'this balancesharing is too old: its foafrebalance has no parameter ask';
      }
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      return error.code === ErrorCode.methodNotFound
        ? `needs the plugin balancesharing, started before it: there is no command ${command}`
        : `help ${command} failed: ${error.message}`;
    }
  }
  return undefined;
}

/** Why it looks as if nobody had asked for us, if it does. */
async function unasked(rpc: Rpc, entry: string, { startup }: Configuration): Promise<string | undefined> {
  // Somebody has said `plugin start`.
  if (!startup) return undefined;
  const configs = await listConfigs(rpc, MODE_OPTION);
  if ((configs[MODE_OPTION]?.source ?? 'default') !== 'default') return undefined;
  for (const name of ['plugin', 'important-plugin']) {
    const named = (await listConfigs(rpc, name))[name]?.values_str ?? [];
    if (named.some(path => realPath(path) === realPath(entry))) return undefined;
  }
  return `nobody asked for it by name: set ${MODE_OPTION}=passive or ${MODE_OPTION}=active to use it`;
}

async function listConfigs(rpc: Rpc, config: string) {
  try {
    const answer = await rpc.call('listconfigs', { config });
    return answers.readAnswer('listconfigs', answers.listconfigs, answer).configs;
  } catch (error) {
    // There is no such option. What else goes wrong must not look as if nothing was set: nobody would be denied.
    if (error instanceof RpcError && error.code === ErrorCode.invalidParams) return {};
    throw error;
  }
}

/** Whom balancesharing is told to leave alone. Read when somebody is about to be held for, never for every HTLC. */
async function denied(rpc: Rpc): Promise<ReadonlySet<string>> {
  const value = (await listConfigs(rpc, 'foaf-deny'))['foaf-deny']?.value_str ?? '';
  return new Set(value.split(',').map(text => text.trim().toLowerCase()));
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}

/** `{"disconnect": {"id": …}}`; `channel_state_changed` says `peer_id`. */
function peerOf(topic: string, params: unknown): string {
  const body = fieldsOf(fieldsOf(params)[topic] ?? params);
  return String(body['id'] ?? body['peer_id']);
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
