/**
 * A stand-in lightning network: nodes that host the real plugin executable over stdio as lightningd does, without
 * lightningd, bitcoind or a chain. For the demo, and for tests that need several nodes and no real one.
 *
 *     await using network = await Devnet.start({ nodes: [{ name: 'alice', plugin }, { name: 'bob', plugin }] });
 *     const [channel] = network.openChannels([{ from: 'alice', to: 'bob', amountSat: 1_000_000 }]);
 *     await network.node('alice').rpc('foafbalance', ['out', 50_000]);
 *
 * Hazard: a stand-in that forgives what a real node does not lets mistakes through to real money. It answers in the
 * shapes of v26.06, and stops over what a real node, or the plugin on one, does not survive (see node.ts). What it
 * does not have: payments over several hops, fees taken, HTLCs in flight, delays of gossip.
 *
 * Nothing stays behind, however this process ends: see sandbox.ts.
 */
import type { Channel } from './channel.ts';
import { DevNode, type NodeOptions } from './node.ts';
import { Sandbox } from './sandbox.ts';
import { World } from './world.ts';

export { DevNode, type LogLine, NodeDiedError, type NodeOptions } from './node.ts';

/** lightningd's usual port, the first node's; nobody listens there. */
const FIRST_PORT = 9735;

export interface DevnetOptions {
  readonly nodes: readonly NodeOptions[];
}

/** A channel to open, between nodes given by their names. */
export interface ChannelOptions {
  readonly from: string;
  readonly to: string;
  readonly amountSat: number;
  /** How much of it is `to`'s from the beginning. @default 0 */
  readonly pushSat?: number;
  /** Whether the network hears of it. @default true */
  readonly announce?: boolean;
}

export class Devnet {
  readonly nodes: readonly DevNode[];
  readonly #sandbox: Sandbox;
  readonly #world: World;
  #stopping: Promise<void> | undefined;

  private constructor(sandbox: Sandbox, world: World, nodes: readonly DevNode[]) {
    this.#sandbox = sandbox;
    this.#world = world;
    this.nodes = nodes;
  }

  /**
   * Starts all nodes with their plugins; they are neither connected nor have they channels.
   *
   * @throws Error with what a plugin did wrong; everything is cleared up then
   */
  static async start({ nodes: options }: DevnetOptions): Promise<Devnet> {
    const sandbox = new Sandbox();
    const world = new World();
    const nodes = options.map(
      (node, index) => new DevNode(node, { world, sandbox, port: FIRST_PORT + index }),
    );
    const network = new Devnet(sandbox, world, nodes);
    try {
      await Promise.all(nodes.map(node => node.start()));
      return network;
    } catch (error) {
      await network.stop().catch(() => {}); // What was wrong first is what to tell.
      throw error;
    }
  }

  /** The folder with all that belongs to this network. */
  get directory(): string {
    return this.#sandbox.directory;
  }

  /** How many blocks there are. */
  get height(): number {
    return this.#world.height;
  }

  /** @throws RangeError if there is none of that name */
  node(name: string): DevNode {
    const node = this.nodes.find(candidate => candidate.name === name);
    if (node === undefined) throw new RangeError(`no node ${name}`);
    return node;
  }

  /**
   * Opens channels, all in one block, and mines until they are announced. Peers are connected for it.
   *
   * @returns the short channel ids, in the order of `channels`
   */
  openChannels(channels: readonly ChannelOptions[]): string[] {
    const openings = channels.map(({ from, to, amountSat, pushSat = 0, announce = true }) => {
      if (from === to || pushSat > amountSat)
        throw new RangeError(
          `no such channel can be: ${from} to ${to}, ${pushSat} of ${amountSat} sat pushed`,
        );
      return {
        from: this.#living(from),
        to: this.#living(to),
        amountMsat: BigInt(amountSat) * 1000n,
        pushMsat: BigInt(pushSat) * 1000n,
        announce,
      };
    });
    return this.#world.open(openings).map(({ shortChannelId }) => shortChannelId);
  }

  /** Connects two nodes; does nothing if they are. `from` is the one that calls. */
  connect(from: string, to: string): void {
    this.#world.connect(this.#living(from), this.#living(to));
  }

  /** Ends the connection of two nodes; unlike real ones, they stay so until {@link connect}. */
  disconnect(one: string, other: string): void {
    this.#world.disconnect(this.node(one).id, this.node(other).id);
  }

  /**
   * Moves a balance along one channel, as a payment over it would.
   *
   * @throws RangeError if the payer cannot spend so much there
   */
  pay(shortChannelId: string, payer: string, amountMsat: number | bigint): void {
    this.#world.channel(shortChannelId).pay(this.#living(payer).id, BigInt(amountMsat));
  }

  /** Closes a channel, mutually. Its closing transaction is in the next block that is mined. */
  closeChannel(shortChannelId: string, closer: string): void {
    const channel: Channel = this.#world.channel(shortChannelId);
    const { id } = this.#living(closer);
    if (!channel.hasEnd(id) || channel.state !== 'CHANNELD_NORMAL')
      throw new RangeError(`${closer} cannot close ${shortChannelId}, which is ${channel.state}`);
    this.#world.close(channel, id);
  }

  /** Mines blocks, which all nodes see at once. */
  mine(blocks: number): void {
    this.#world.mine(blocks);
  }

  /**
   * Stops all nodes and removes the folder.
   *
   * @throws Error if a node had died, or a plugin did not exit in time and with status 0; everything is cleared up
   * then all the same
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(): Promise<void> {
    const failures = this.nodes.flatMap(({ name, deathReason }) =>
      deathReason === undefined ? [] : [`${name}: ${deathReason}`],
    );
    for (const outcome of await Promise.allSettled(this.nodes.map(node => node.stop()))) {
      if (outcome.status === 'rejected') failures.push(outcome.reason.message);
    }
    await this.#sandbox.destroy();
    if (failures.length > 0) throw new Error(failures.join('\n'));
  }

  #living(name: string): DevNode {
    const node = this.node(name);
    if (node.deathReason !== undefined) throw new Error(`${name} has stopped: ${node.deathReason}`);
    return node;
  }
}
