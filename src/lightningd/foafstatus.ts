/** The command `foafstatus`: who speaks, what is known and how old, what came and went, and what is set. */
import type { Knowledge } from '../knowledge/knowledge.ts';
import type { Recent } from '../rebalance/rebalancer.ts';
import type { AnswerSettings } from '../sharing/answerer.ts';
import type { Breaches } from '../sharing/breaches.ts';
import { friendsOf } from '../sharing/node-view.ts';
import type { PeerLog } from '../sharing/peer-log.ts';
import type { ChannelSource, Clock } from '../sharing/ports.ts';
import type { QuestionBudget } from '../sharing/question-budget.ts';
import type { SilentPeers } from '../sharing/silent-peers.ts';
import { type CommandSchema, parameterNames } from './command-schema.ts';
import { asCommandError } from './errors.ts';
import { bindParameters, invalidParameter, parseNodeId, shown } from './parameters.ts';
import schema from './schemas/foafstatus.json' with { type: 'json' };

export const FOAFSTATUS: CommandSchema = schema;
const NAME = FOAFSTATUS.rpc;

/** How old the view of who is a friend may be. */
const VIEW_MAX_AGE_MS = 60_000;

export interface StatusSources {
  readonly channels: ChannelSource;
  readonly clock: Clock;
  readonly knowledge: Knowledge;
  readonly peerLog: PeerLog;
  readonly silentPeers: SilentPeers;
  readonly budget: QuestionBudget;
  readonly breaches: Breaches;
  /** The askrene layer; `undefined` without one. */
  readonly layer: () => { readonly name: string; readonly entries: number } | undefined;
  /** The last rebalances, the oldest first. */
  readonly recent: readonly Recent[];
  /** How many messages came to what end. */
  readonly received: ReadonlyMap<string, number>;
  /** How many queries and replies lightningd took. */
  readonly sent: ReadonlyMap<string, number>;
  readonly settings: () => AnswerSettings & OtherSettings;
}

interface OtherSettings {
  readonly cacheTtlMs: number;
  readonly timeoutS: number;
  readonly refreshMinutes: number;
  readonly maxFeePpm: number;
  readonly maxDelay: number;
  readonly layer: string;
}

/** @throws CommandError -32602 when `peer` is no node id */
export function parseFoafstatus(params: unknown): { readonly peer: string | undefined } {
  const { peer } = bindParameters(NAME, parameterNames(FOAFSTATUS), params);
  if (peer === undefined) return { peer: undefined };
  const id = parseNodeId(peer);
  if (id === undefined) throw invalidParameter(NAME, 'peer', `must be a node id, got ${shown(peer)}`);
  return { peer: id };
}

/** @throws CommandError -32602 for a bad parameter or a peer that is no friend, else when lightningd cannot be asked */
export async function foafstatus(sources: StatusSources, params: unknown): Promise<object> {
  const { peer } = parseFoafstatus(params);
  const { channels, clock, settings, knowledge, received, sent } = sources;
  const view = await channels.read(VIEW_MAX_AGE_MS).catch((error: unknown) => {
    throw asCommandError(error);
  });
  const friends = friendsOf(view);
  if (peer !== undefined && !friends.includes(peer)) {
    throw invalidParameter(NAME, 'peer', `must be a connected peer with an active channel, got ${peer}`);
  }
  const nowMs = clock.monotonicMs();
  const { share, allow, deny, minDepth, answerTtlMs, questionBudget, omitPercent } = settings();
  const { cacheTtlMs, timeoutS, refreshMinutes, layer: layerName, maxFeePpm, maxDelay } = settings();
  const layer = sources.layer();
  const {
    friends: spokenOf,
    words,
    channels: entries,
    marked,
    oldestMs,
    newestMs,
  } = knowledge.summary(nowMs - cacheTtlMs);
  return {
    id: view.nodeId,
    peers: (peer === undefined ? friends : [peer]).map(peerId => peerReport(sources, peerId, nowMs)),
    knowledge: {
      friends: spokenOf,
      answers: words,
      channels: entries,
      marked_channels: marked,
      ...ageOf('oldest_age_ms', oldestMs, nowMs),
      ...ageOf('newest_age_ms', newestMs, nowMs),
    },
    ...(layer === undefined ? {} : { layer }),
    rebalances: sources.recent.map(recentReport),
    counters: { sent: Object.fromEntries(sent), received: Object.fromEntries(received) },
    settings: {
      'foaf-share': share,
      'foaf-allow': [...allow].join(','),
      'foaf-deny': [...deny].join(','),
      'foaf-min-depth': minDepth,
      'foaf-answer-ttl': answerTtlMs / 1000,
      'foaf-question-budget': questionBudget,
      'foaf-omit-percent': omitPercent,
      'foaf-timeout': timeoutS,
      'foaf-cache-ttl': cacheTtlMs / 1000,
      'foaf-refresh': refreshMinutes,
      'foaf-layer': layerName,
      'foaf-maxfeeppm': maxFeePpm,
      'foaf-maxdelay': maxDelay,
    },
    ...(share === 'none' ? { warning_not_sharing: 'foaf-share is none: nobody is answered' } : {}),
    ...(friends.length === 0
      ? { warning_no_friends: 'no connected peer has an active channel with us: there is nobody to ask' }
      : {}),
    ...(cacheTtlMs < 2 * answerTtlMs
      ? {
          warning_cache_ttl:
            'foaf-cache-ttl is below twice foaf-answer-ttl: word expires soon after it was heard',
        }
      : {}),
  };
}

function peerReport(sources: StatusSources, peerId: string, nowMs: number): object {
  const { peerLog, silentPeers, budget, breaches, knowledge } = sources;
  const { lastAskedMs, lastHeardMs, roundTripMs } = peerLog.of(peerId);
  const reason = breaches.refuse(peerId, nowMs) ?? silentPeers.refuse(peerId, nowMs);
  const held = breaches.of(peerId, nowMs);
  const { kept, failed } = knowledge.records.of(peerId);
  return {
    peer_id: peerId,
    speaks: silentPeers.hasSpoken(peerId),
    ...ageOf('last_asked_age_ms', lastAskedMs, nowMs),
    ...ageOf('last_heard_age_ms', lastHeardMs, nowMs),
    ...(roundTripMs === undefined ? {} : { round_trip_ms: Math.round(roundTripMs) }),
    ...(reason === undefined ? {} : { skipped: reason }),
    strikes: held?.strikes ?? 0,
    ...(held === undefined ? {} : { last_breach: held.lastBreach }),
    offers_kept: Math.round(kept),
    offers_failed: Math.round(failed),
    questions_in_last_hour: budget.spentInLastHour(peerId, nowMs),
  };
}

function recentReport({ atWallMs, status, amountMsat, feeMsat, attempts }: Recent): object {
  return {
    at: Math.floor(atWallMs / 1000),
    status,
    amount_msat: amountMsat,
    ...(feeMsat === undefined ? {} : { fee_msat: feeMsat }),
    attempts,
  };
}

function ageOf(name: string, atMs: number | undefined, nowMs: number): object {
  return atMs === undefined ? {} : { [name]: Math.round(nowMs - atMs) };
}
