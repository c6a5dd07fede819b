/**
 * Networks of real nodes for tests: one bitcoind and some lightningd in a temporary folder, on loopback only.
 *
 *     await using network = await RegtestNetwork.start({ nodes: [{}, { plugin }, {}] });
 *     const [scid] = await network.openChannels([{ from: 0, to: 1, amountSat: 1_000_000 }]);
 *
 * Nothing stays behind, however the test process ends: see sandbox.ts.
 */
import { randomUUID } from 'node:crypto';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Bitcoind } from './bitcoind.ts';
import {
  channelPeers,
  fund,
  inRounds,
  knows,
  type Opening,
  untilReestablished,
  untilUsable,
} from './channels.ts';
import { GossipCourier } from './gossip.ts';
import { type NodeOptions, RegtestNode } from './node.ts';
import { freePorts } from './ports.ts';
import { RpcFailure } from './rpc.ts';
import { Sandbox } from './sandbox.ts';

export type { Bitcoind } from './bitcoind.ts';
export type { CliOutcome, NodeOptions, RegtestNode } from './node.ts';

export { RpcFailure };

const PROGRAMS = ['lightningd', 'lightning-cli', 'bitcoind', 'bitcoin-cli'];
/** A channel is announced when its funding is this deep (BOLT 7). */
const ANNOUNCE_DEPTH = 6;
const BLOCK_TIMEOUT_S = 60;
const GOSSIP_TIMEOUT_MS = 60_000;
const PAY_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

export interface NetworkOptions {
  nodes: readonly NodeOptions[];
}

/** A channel to open, between nodes given by their place in the network. */
export interface ChannelOptions {
  from: number;
  to: number;
  amountSat: number;
  /** How much of it is `to`'s from the beginning; 0 by default. */
  pushSat?: number;
  /** Whether the network hears of it; true by default. */
  announce?: boolean;
}

function isOnPath(program: string): boolean {
  const { PATH = '' } = process.env;
  return PATH.split(delimiter).some(folder => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** Why the real-node tests cannot run here, or undefined if they can: each program they need is on PATH. */
export function missingPrograms(): string | undefined {
  const missing = PROGRAMS.filter(program => !isOnPath(program));
  return missing.length === 0 ? undefined : `not on PATH: ${missing.join(', ')}`;
}

/** lightningd's "disconnected during connection". */
const CROSSED = 402;
const CONNECT_ATTEMPTS = 5;

/**
 * Asks again and again until there is an answer. Only for what no event tells of.
 *
 * @param description what is waited for, for the message.
 * @throws Error after `timeoutMs` milliseconds (default 30 s), and whatever `poll` throws.
 */
export async function waitFor<Answer>(
  description: string,
  poll: () => Promise<Answer | undefined>,
  timeoutMs = 30_000,
): Promise<Answer> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await poll();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain for ${description}`);
    await delay(POLL_MS);
  }
}

export class RegtestNetwork {
  readonly nodes: readonly RegtestNode[];
  readonly bitcoind: Bitcoind;
  readonly #sandbox: Sandbox;
  readonly #courier = new GossipCourier();
  readonly #funded = new Set<RegtestNode>();
  #stopping: Promise<void> | undefined;

  private constructor(sandbox: Sandbox, bitcoind: Bitcoind, nodes: readonly RegtestNode[]) {
    this.#sandbox = sandbox;
    this.bitcoind = bitcoind;
    this.nodes = nodes;
  }

  /**
   * Starts bitcoind and all nodes; they are neither connected nor funded yet.
   *
   * @throws Error, with the log's end of what did not come up; everything is cleared up then.
   */
  static async start(options: NetworkOptions): Promise<RegtestNetwork> {
    const sandbox = new Sandbox();
    try {
      const bitcoind = new Bitcoind(sandbox);
      const [ports] = await Promise.all([freePorts(options.nodes.length), bitcoind.start()]);
      const bitcoindArgs = bitcoind.lightningdArgs;
      const nodes = options.nodes.map(
        (nodeOptions, index) =>
          new RegtestNode({ sandbox, index, port: ports[index] ?? 0, bitcoindArgs }, nodeOptions),
      );
      await Promise.all(nodes.map(node => node.start()));
      return new RegtestNetwork(sandbox, bitcoind, nodes);
    } catch (error) {
      await sandbox.destroy();
      throw error;
    }
  }

  /** The folder with all that belongs to this network. */
  get directory(): string {
    return this.#sandbox.directory;
  }

  /** The node at that place, counted from 0. @throws RangeError if there is none. */
  node(index: number): RegtestNode {
    const node = this.nodes[index];
    if (!node) throw new RangeError(`no node ${index} in a network of ${this.nodes.length}`);
    return node;
  }

  /** Mines `blocks` blocks and waits until every running node has seen them. */
  async mine(blocks: number): Promise<void> {
    const blockheight = await this.bitcoind.generate(blocks);
    const wait = { blockheight, timeout: BLOCK_TIMEOUT_S };
    const timeoutMs = (BLOCK_TIMEOUT_S + 5) * 1000;
    await Promise.all(this.#running().map(node => node.rpc('waitblockheight', wait, { timeoutMs })));
  }

  /** Connects node `from` to node `to`. Does nothing if they are. */
  async connect(from: number, to: number): Promise<void> {
    await this.#connect(this.node(from), this.node(to));
  }

  /**
   * Opens channels, all at once, and connects the nodes for it where they are not yet. Each node's own wallet gets a
   * bitcoin, the first time.
   *
   * When this returns, each channel is usable by both sides, which know each other's fees; unless `announce` is
   * false, every running node knows both its directions.
   *
   * @returns the short channel ids, in the order of `channels`.
   * @throws Error if that does not come about within a minute, RpcFailure if lightningd does not want such a channel.
   */
  async openChannels(channels: readonly ChannelOptions[]): Promise<string[]> {
    const openings = channels.map(
      ({ from, to, amountSat, pushSat = 0, announce = true }): Opening => ({
        from: this.node(from),
        to: this.node(to),
        amountSat,
        pushSat,
        announce,
      }),
    );
    const rounds = inRounds(openings);
    // The first round has each pair once: two nodes that call each other at the same time may lose both connections.
    await Promise.all((rounds[0] ?? []).map(({ from, to }) => this.#connect(from, to)));
    const ids = new Map<Opening, string>();
    for (const round of rounds) {
      const poor = this.#running().filter(node => !this.#funded.has(node));
      for (const [opening, id] of await fund(this.bitcoind, round, poor)) ids.set(opening, id);
      for (const node of poor) this.#funded.add(node);
    }
    await this.mine(ANNOUNCE_DEPTH);
    const scids = await Promise.all(
      openings.map(async opening => {
        const { from, to } = opening;
        const id = ids.get(opening) ?? '';
        const [scid] = await Promise.all([untilUsable(from, to, id), untilUsable(to, from, id)]);
        return scid;
      }),
    );
    await this.#untilAllKnow(scids.filter((_, index) => openings[index]?.announce));
    return scids;
  }

  /**
   * Connects a node, after its restart, with the running nodes that it has channels with, and waits until the
   * channels are usable again. It would do so by itself, only later.
   *
   * @throws Error if that does not come about within half a minute.
   */
  async reconnect(index: number): Promise<void> {
    const node = this.node(index);
    const others = this.#running().filter(other => other !== node);
    await Promise.all(
      (await channelPeers(node, others)).map(async peer => {
        await this.#connect(node, peer);
        await Promise.all([untilReestablished(node, peer), untilReestablished(peer, node)]);
      }),
    );
  }

  /**
   * Pays `amountMsat` millisatoshis from one node to another by an invoice.
   *
   * @returns what `xpay` answered.
   * @throws RpcFailure with pay's codes (2xx).
   */
  async pay(from: number, to: number, amountMsat: number): Promise<Record<string, unknown>> {
    const invoice = { amount_msat: amountMsat, label: randomUUID(), description: 'test' };
    const { bolt11 } = await this.node(to).rpc<{ bolt11: string }>('invoice', invoice);
    return await this.node(from).rpc('xpay', { invstring: bolt11 }, { timeoutMs: PAY_TIMEOUT_MS });
  }

  /** Tells every running node at once what the others know from gossip by now; by themselves they take seconds. */
  async shareGossip(): Promise<void> {
    await this.#courier.carry(this.#running());
  }

  /**
   * Stops everything and removes the folder.
   *
   * @throws Error if a node had died, did not stop in time, or left processes behind; everything is cleared up then
   * all the same.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(): Promise<void> {
    const failures = this.nodes.flatMap(node => node.failure ?? []);
    for (const outcome of await Promise.allSettled(this.nodes.map(node => node.stop()))) {
      if (outcome.status === 'rejected') failures.push(outcome.reason);
    }
    await this.bitcoind.kill();
    await this.#sandbox.destroy();
    if (failures.length > 1)
      throw new AggregateError(failures, failures.map(failure => failure.message).join('\n'));
    if (failures[0]) throw failures[0];
  }

  #running(): RegtestNode[] {
    // One that has died is asked, too: it answers with the reason.
    return this.nodes.filter(node => node.isRunning() || node.failure);
  }

  async #connect(from: RegtestNode, { id, port }: RegtestNode): Promise<void> {
    // A node that was restarted calls its peers by itself too: two calls that cross may end one another (402). Whoever
    // calls again finds the connection of the other, or makes one.
    for (let attempt = 1; ; attempt++) {
      try {
        await from.rpc('connect', { id, host: '127.0.0.1', port });
        return;
      } catch (error) {
        if (!(error instanceof RpcFailure && error.code === CROSSED) || attempt === CONNECT_ATTEMPTS)
          throw error;
      }
    }
  }

  /** Waits until every running node knows both directions of the channels. Nothing tells of that, so it polls. */
  async #untilAllKnow(scids: readonly string[]): Promise<void> {
    if (scids.length === 0) return;
    await waitFor(
      `every node to hear of the channels ${scids.join(', ')}`,
      async () => {
        await this.shareGossip();
        const known = await Promise.all(this.#running().map(node => knows(node, scids)));
        return known.every(Boolean) ? true : undefined;
      },
      GOSSIP_TIMEOUT_MS,
    );
  }
}
