/**
 * What the cases of just-in-time routing on real nodes have in common: a payer, us, a friend and a recipient.
 *
 *     payer → us → recipient      our channel with the recipient is all its own
 *             us → friend → recipient → us     the circle that fills it
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { assertAsSchema } from '../schemas.ts';
import { PLUGIN } from './friends.ts';
import { type NodeOptions, RegtestNetwork, type RegtestNode, RpcFailure, waitFor } from './harness.ts';

export const JIT_PLUGIN = fileURLToPath(new URL('../../jitrouting.ts', import.meta.url));
export const HOLDER = fileURLToPath(new URL('holder.ts', import.meta.url));
export const AMOUNT_MSAT = 100_000_000;
/** We ask 1,000 ppm, so a forward of 100,000 sat earns 100 sat; the others 1 msat and 10 ppm. */
const FEE_MSAT = 100_000;
export const FEES = ['--fee-base=0', '--fee-per-satoshi=1000'];
/** The longest. */
export const LONG_HOLD_MS = 30_000;
const FINAL_DELAY = 40;
const OUR_DELAY = 6;

export interface JitStatus {
  mode: string;
  held: number;
  circles_under_way: number;
  enough: number;
  outcomes: Record<string, number>;
  week: {
    earned_msat: number;
    spent_msat: number;
    channels: { short_channel_id: string; spent_msat: number; remaining_msat: number }[];
  };
}

export interface Cast {
  readonly network: RegtestNetwork;
  readonly payer: RegtestNode;
  readonly us: RegtestNode;
  readonly friend: RegtestNode;
  readonly recipient: RegtestNode;
  /** Short channel ids. */
  readonly toUs: string;
  readonly toFriend: string;
  readonly toRecipient: string;
}

export interface CastOptions {
  /** More arguments for our lightningd. */
  readonly ours?: readonly string[];
  readonly friend?: NodeOptions;
  /** Of the friend's channel with the recipient, what is the recipient's. */
  readonly friendLacksSat?: number;
  /** Whether the recipient has a second, larger channel with us. */
  readonly sibling?: boolean;
}

/** Arguments that start just-in-time routing with the node. Unless told otherwise it holds longer than a busy machine needs. */
export function jitArgs(mode: string, holdMs = LONG_HOLD_MS): string[] {
  return [...FEES, `--plugin=${JIT_PLUGIN}`, `--foaf-jit=${mode}`, `--foaf-jit-hold-ms=${holdMs}`];
}

export async function startCast({
  ours = FEES,
  friend = {},
  friendLacksSat = 0,
  sibling = false,
}: CastOptions): Promise<Cast> {
  const network = await RegtestNetwork.start({
    nodes: [{}, { plugin: PLUGIN, extraArgs: ours }, friend, {}],
  });
  try {
    const [toUs = '', toFriend = '', , toRecipient = ''] = await network.openChannels([
      { from: 0, to: 1, amountSat: 4_000_000 },
      { from: 1, to: 2, amountSat: 4_000_000 },
      { from: 2, to: 3, amountSat: 4_000_000, pushSat: friendLacksSat },
      { from: 3, to: 1, amountSat: 4_000_000 },
      ...(sibling ? [{ from: 3, to: 1, amountSat: 8_000_000 }] : []),
    ]);
    return {
      network,
      payer: network.node(0),
      us: network.node(1),
      friend: network.node(2),
      recipient: network.node(3),
      toUs,
      toFriend,
      toRecipient,
    };
  } catch (error) {
    await network.stop().catch(() => {});
    throw error;
  }
}

/** Pays from the payer over us to the recipient and nowhere else; what `waitsendpay` answers. */
export async function payThroughUs(
  { payer, us, recipient, toUs, toRecipient }: Cast,
  amountMsat = AMOUNT_MSAT,
): Promise<Payment> {
  const { bolt11, payment_hash, payment_secret } = await recipient.rpc<{
    bolt11: string;
    payment_hash: string;
    payment_secret: string;
  }>('invoice', {
    amount_msat: amountMsat,
    label: randomUUID(),
    description: 'test',
    cltv: FINAL_DELAY,
  });
  const route = [
    {
      id: us.id,
      channel: toUs,
      direction: payer.id < us.id ? 0 : 1,
      amount_msat: amountMsat + Math.ceil((amountMsat * FEE_MSAT) / AMOUNT_MSAT),
      delay: FINAL_DELAY + OUR_DELAY,
    },
    {
      id: recipient.id,
      channel: toRecipient,
      direction: us.id < recipient.id ? 0 : 1,
      amount_msat: amountMsat,
      delay: FINAL_DELAY,
    },
  ];
  await payer.rpc('sendpay', { route, payment_hash, payment_secret, bolt11 });
  return {
    hash: payment_hash,
    end: payer
      .rpc<{ status: string }>('waitsendpay', { payment_hash, timeout: 60 }, { timeoutMs: 70_000 })
      .then(({ status }) => status)
      .catch((error: unknown) => {
        assert.ok(error instanceof RpcFailure, String(error));
        const { failcodename } = (error.data ?? {}) as { failcodename?: string };
        return failcodename ?? error.message;
      }),
  };
}

export interface Payment {
  readonly hash: string;
  /** `complete`, or what it failed of. */
  readonly end: Promise<string>;
}

export const NO_LIQUIDITY = 'WIRE_TEMPORARY_CHANNEL_FAILURE';

export async function jitStatus(node: RegtestNode): Promise<JitStatus> {
  const status = await node.rpc<JitStatus>('foafjit');
  assertAsSchema('foafjit', 'response', status);
  return status;
}

/** Waits until no circle is under way any more: nobody tells of that. */
export function untilQuiet(node: RegtestNode): Promise<JitStatus> {
  return waitFor('the circles to end', async () => {
    const status = await jitStatus(node);
    return status.circles_under_way === 0 && status.held === 0 ? status : undefined;
  });
}

/** Waits until a forward has come to that end. */
export function untilCounted(node: RegtestNode, outcome: string): Promise<JitStatus> {
  return waitFor(`an outcome ${outcome}`, async () => {
    const status = await jitStatus(node);
    return status.outcomes[outcome] === undefined ? undefined : status;
  });
}

/** Waits until a channel's peer is gone in our lightningd's eyes: it notices some time after the peer has ended. */
export async function untilGone(node: RegtestNode, id: string): Promise<void> {
  await waitFor('the peer to be gone', async () => {
    const { channels } = await node.rpc<{
      channels: { short_channel_id: string; peer_connected: boolean }[];
    }>('listpeerchannels');
    const isGone = channels.some(each => each.short_channel_id === id && !each.peer_connected);
    return isGone ? true : undefined;
  });
}

/** What is ours of a channel. */
export async function balance(node: RegtestNode, id: string): Promise<number> {
  const { channels } = await node.rpc<{ channels: { short_channel_id: string; to_us_msat: number }[] }>(
    'listpeerchannels',
  );
  return (
    channels.find(({ short_channel_id }) => short_channel_id === id)?.to_us_msat ??
    assert.fail(`no channel ${id}`)
  );
}

/** The bookings in lightningd's datastore. */
export async function bookings(
  node: RegtestNode,
): Promise<{ channel: string; at: number; fee_msat: string }[]> {
  const { datastore } = await node.rpc<{ datastore: { string: string }[] }>('listdatastore', {
    key: ['jitrouting', 'bookings'],
  });
  return datastore.map(({ string }) => JSON.parse(string));
}

/** The process of the plugin in its latest run. */
export function jitPid(node: RegtestNode): number {
  const starts = [...node.logText().matchAll(/started\((\d+)\) \S*\/jitrouting\.ts/g)];
  const pid = Number(starts.at(-1)?.[1]);
  assert.ok(pid > 0, 'lightningd did not log the start of the plugin');
  return pid;
}

/** The node lives. What else a log says when plugins come to an end is lightningd's own way. */
export function assertUnharmed(node: RegtestNode): void {
  assert.equal(node.failure, undefined);
  assert.equal(node.logText().match(/FATAL SIGNAL|BROKEN|deprecated/gi), null);
}
