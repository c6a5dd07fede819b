/**
 * One node of the stand-in network: the real plugin as a child process, a JSON-RPC socket, peers.
 *
 * It stops, with the reason in {@link DevNode.died}, over whatever a real node, or the plugin on it, does not survive.
 * It is harsher than lightningd, which only kills the plugin over most of it: here nobody can overlook it.
 */
import { createECDH } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { RpcConnectionError } from '../lightningd/errors.ts';
import { RpcClient } from '../lightningd/rpc-client.ts';
import { Layers } from './askrene.ts';
import { COMMAND_NAMES, serve } from './commands.ts';
import { Inflow, isMandatory, typeOf } from './custom-message.ts';
import { Datastore } from './datastore.ts';
import { HostedPlugin } from './hosted-plugin.ts';
import type { OptionValues } from './options.ts';
import { RpcServer } from './rpc-server.ts';
import type { Sandbox } from './sandbox.ts';
import { FEATURE_SET } from './shapes.ts';
import { type Resident, sha256, type World } from './world.ts';

/** The name of the RPC's socket. */
const RPC_FILE = 'lightning-rpc';

export interface NodeOptions {
  /** Lower-case letters and digits; also its alias. */
  readonly name: string;
  /** Absolute path of the plugin's executable; none by default. */
  readonly plugin?: string | undefined;
  /** The plugin's options, as on lightningd's command line. */
  readonly options?: OptionValues;
}

/** A line of the node's log. */
export interface LogLine {
  /** The plugin's level, or `stderr`, or `node` for what the node itself has to say. */
  readonly level: string;
  readonly message: string;
}

/** A call did not come to its end because the node has stopped. */
export class NodeDiedError extends Error {
  override readonly name = 'NodeDiedError';
}

export class DevNode implements Resident {
  readonly name: string;
  /** Its public key, the same for the same name. */
  readonly id: string;
  readonly port: number;
  /** What `init` calls `lightning-dir`: the plugin's working directory, with the RPC's socket. */
  readonly lightningDir: string;
  /** The socket of its JSON-RPC. */
  readonly rpcPath: string;
  readonly log: LogLine[] = [];
  /** Resolves when the node has stopped though nobody asked it to, with the reason. */
  readonly died: Promise<string>;
  readonly world: World;
  readonly datastore = new Datastore();
  readonly layers = new Layers();
  readonly #options: NodeOptions;
  readonly #sandbox: Sandbox;
  readonly #server = new RpcServer(request => serve(this, request));
  readonly #client: RpcClient;
  readonly #inflow = new Inflow((peerId, message) => this.#deliver(peerId, message));
  #plugin: HostedPlugin | undefined;
  #deathReason: string | undefined;
  #tellDeath: (reason: string) => void = () => {};
  #disabled: string | undefined;

  constructor(
    options: NodeOptions,
    { world, sandbox, port }: { world: World; sandbox: Sandbox; port: number },
  ) {
    this.name = options.name;
    this.#options = options;
    this.world = world;
    this.#sandbox = sandbox;
    this.port = port;
    const key = createECDH('secp256k1');
    key.setPrivateKey(Buffer.from(sha256(`devnet ${options.name}`), 'hex'));
    this.id = key.getPublicKey('hex', 'compressed');
    this.lightningDir = join(sandbox.directory, options.name, 'regtest');
    this.rpcPath = join(this.lightningDir, RPC_FILE);
    this.#client = new RpcClient(this.rpcPath, 'devnet');
    this.died = new Promise(resolve => {
      this.#tellDeath = resolve;
    });
    world.residents.set(this.id, this);
  }

  /** Why it has stopped though nobody asked it to. */
  get deathReason(): string | undefined {
    return this.#deathReason;
  }

  /** The plugin, if it has one that is not disabled. */
  get plugin(): HostedPlugin | undefined {
    return this.#plugin;
  }

  /** The plugin's process's id, which is its group's, too. */
  get pid(): number | undefined {
    return this.#plugin?.pid;
  }

  /** Why the plugin has disabled itself. */
  get disabled(): string | undefined {
    return this.#disabled;
  }

  /** Starts it. @throws Error with what the plugin did wrong */
  async start(): Promise<void> {
    mkdirSync(this.lightningDir, { recursive: true });
    await this.#server.listen(this.rpcPath);
    const { plugin, options = {} } = this.#options;
    if (plugin === undefined) return;
    try {
      await this.#startPlugin(plugin, options);
    } catch (error) {
      throw this.#error(error);
    }
  }

  async #startPlugin(path: string, options: OptionValues): Promise<void> {
    const started = await HostedPlugin.start({
      sandbox: this.#sandbox,
      path,
      directory: this.lightningDir,
      options,
      configuration: {
        'lightning-dir': this.lightningDir,
        'rpc-file': RPC_FILE,
        startup: true,
        network: 'regtest',
        feature_set: FEATURE_SET,
      },
      takenNames: COMMAND_NAMES,
      onLog: (level, message) => this.log.push({ level, message }),
      onStderr: message => this.log.push({ level: 'stderr', message }),
      onEnd: reason => this.die(reason),
    });
    if (typeof started === 'string') this.#disabled = started;
    else this.#plugin = started;
  }

  /**
   * Calls a command of the node or of its plugin over the socket.
   *
   * @param params by name (an object) or by position (an array)
   * @returns the result; integers of 16 digits and more in it are strings of their digits
   * @throws RpcError as it was answered, NodeDiedError if the node stops instead
   */
  async rpc<Result extends object = Record<string, unknown>>(
    method: string,
    params: object = {},
  ): Promise<Result> {
    try {
      return (await this.#client.call(method, params)) as Result;
    } catch (error) {
      if (!(error instanceof RpcConnectionError)) throw error;
      throw new NodeDiedError(`${this.name}: ${this.#deathReason ?? error.message}`);
    }
  }

  /** Stops at once, for a reason that it does not survive: peers lose it, calls under way fail. */
  die(reason: string): void {
    if (this.#deathReason !== undefined) return;
    this.#deathReason = reason;
    this.log.push({ level: 'node', message: `stopped: ${reason}` });
    this.world.leave(this.id);
    this.#server.close();
    this.#plugin?.endInput();
    this.#tellDeath(reason);
  }

  /** Stops it in order. @throws Error unless its plugin then exits in time and with status 0 */
  async stop(): Promise<void> {
    this.#client.close();
    this.#server.close();
    try {
      await this.#plugin?.stop();
    } catch (error) {
      throw this.#error(error);
    }
  }

  notify(topic: string, body: object): void {
    if (this.#deathReason === undefined) this.#plugin?.notify(topic, body);
  }

  receive(fromId: string, message: string): void {
    // It was on its way when the connection ended.
    if (!this.world.isConnected(this.id, fromId)) return;
    if (isMandatory(message)) {
      this.log.push({
        level: 'node',
        message: `${fromId}: invalid unknown even message ${message.slice(0, 4)}`,
      });
      this.world.disconnect(this.id, fromId);
      return;
    }
    this.#inflow.push(fromId, message);
  }

  disconnected(peerId: string): void {
    this.#inflow.drop(peerId);
  }

  #error(cause: unknown): Error {
    return new Error(`${this.name}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  }

  async #deliver(peerId: string, message: string): Promise<void> {
    if (this.#plugin?.wants(typeOf(message) ?? -1)) await this.#plugin.custommsg(peerId, message);
  }
}
