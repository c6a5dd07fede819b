/** One lightningd. */
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Daemon, Log } from './daemon.ts';
import { ConnectionLost, RpcConnection, RpcFailure } from './rpc.ts';
import type { Sandbox } from './sandbox.ts';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 20_000;
const RPC_TIMEOUT_MS = 30_000;
const LOG_TIMEOUT_MS = 30_000;
/** How long the plugins may live on after their lightningd: they have nothing left to do. */
const CHILDREN_TIMEOUT_MS = 5000;
/** How long a death may take that has already closed the RPC connection: a crash writes a backtrace first. */
const DYING_MS = 3000;

/** Not needed by any test, and each costs every node a process and its start. */
const UNUSED_PLUGINS = [
  'autoclean',
  'bookkeeper',
  'cln-bwatch',
  'cln-grpc',
  'cln-lsps-client',
  'cln-lsps-service',
  'cln-renepay',
  'clnrest',
  'exposesecret',
  'funder',
  'recklessrpc',
  'sql',
  'wss-proxy',
];

export interface NodeOptions {
  /** Absolute path of a plugin, given as `--plugin=…`. */
  plugin?: string | undefined;
  /** More arguments for lightningd, after ours, so that they win. */
  extraArgs?: readonly string[];
}

/** What a node needs to know of the network it is in. */
export interface NodeSite {
  readonly sandbox: Sandbox;
  /** Its place in the network, counted from 0. */
  readonly index: number;
  readonly port: number;
  readonly bitcoindArgs: readonly string[];
}

export interface CliOutcome {
  stdout: string;
  stderr: string;
  code: number;
}

export class RegtestNode {
  /** What messages call it. */
  readonly name: string;
  /** `--lightning-dir`; the plugins' working directory is the folder `regtest` in it. */
  readonly directory: string;
  /** The socket of its JSON-RPC. */
  readonly rpcPath: string;
  readonly port: number;
  readonly #site: NodeSite;
  readonly #log: Log;
  readonly #connection: RpcConnection;
  #options: NodeOptions;
  #daemon: Daemon | undefined;
  #id = '';

  constructor(site: NodeSite, options: NodeOptions) {
    this.#site = site;
    this.#options = options;
    this.name = `node ${site.index}`;
    this.#log = new Log(this.name);
    this.port = site.port;
    this.directory = join(site.sandbox.directory, String(site.index));
    this.rpcPath = join(this.directory, 'regtest', 'lightning-rpc');
    this.#connection = new RpcConnection(this.rpcPath);
    mkdirSync(this.directory);
  }

  /** Its public key, in hex. */
  get id(): string {
    return this.#id;
  }

  /** Number of lines logged so far, over all runs: where {@link waitForLog} may begin. */
  get logLength(): number {
    return this.#log.length;
  }

  /** The process's id in its latest run, which is the id of its process group, too. */
  get pid(): number | undefined {
    return this.#daemon?.pid;
  }

  isRunning(): boolean {
    return this.#daemon?.isRunning ?? false;
  }

  /** Whether it has died though nobody stopped or killed it; then why. */
  get failure(): Error | undefined {
    return this.#daemon?.failure;
  }

  /**
   * Starts lightningd, on the same folder and port as before, and waits until it answers and has seen all blocks.
   *
   * @param options other plugin or arguments than before.
   * @throws Error, with the log's end, if it does not come up within a minute.
   */
  async start(options: NodeOptions = this.#options): Promise<void> {
    if (this.isRunning()) throw new Error(`${this.name} runs already`);
    this.#options = options;
    const from = this.#log.length;
    this.#daemon = new Daemon(this.#site.sandbox, 'lightningd', this.#args(options), this.#log);
    await this.waitForLog(/Server started with public key/, { from, timeoutMs: START_TIMEOUT_MS });
    this.#id = await this.askUntil(/blockheight/i, async () => {
      const info = await this.rpc<{ id: string; warning_lightningd_sync?: string }>('getinfo');
      return info.warning_lightningd_sync === undefined ? info.id : undefined;
    });
  }

  /**
   * Stops lightningd and waits until it and its plugins are gone. Does nothing if it does not run.
   *
   * @throws Error if it takes more than 20 s, fails on the way, or leaves processes behind 5 s after its end. They
   * are killed then.
   */
  async stop(): Promise<void> {
    const daemon = this.#daemon;
    if (!daemon?.isRunning) return;
    daemon.expectEnd();
    // Its answer is of no interest: whether lightningd ends is seen below. It may be too young, or too ill, to listen.
    this.#connection.call('stop', {}, STOP_TIMEOUT_MS).catch(() => daemon.terminate());
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>(resolve => {
      timer = setTimeout(() => resolve(undefined), STOP_TIMEOUT_MS);
    });
    const how = await Promise.race([daemon.ended, late]);
    clearTimeout(timer);
    this.#connection.close();
    if (how === undefined) {
      await this.kill();
      throw this.#log.error(`did not stop within ${STOP_TIMEOUT_MS} ms`);
    }
    if (!(await daemon.childrenEnd(CHILDREN_TIMEOUT_MS))) {
      await this.kill();
      throw this.#log.error('left processes behind');
    }
    if (how !== 'exit code 0') throw this.#log.error(`stopped with ${how}`);
  }

  /** Kills lightningd and all its plugins at once (SIGKILL), as a power cut would, and waits until they are gone. */
  async kill(): Promise<void> {
    this.#daemon?.kill();
    this.#connection.close();
    await this.#daemon?.ended;
    await this.#daemon?.childrenEnd(CHILDREN_TIMEOUT_MS);
  }

  /**
   * Calls lightningd over its socket.
   *
   * @param params by name (an object) or by position (an array).
   * @returns the result; integers above 2^53 in it have lost their last digits.
   * @throws RpcFailure if lightningd answers an error, Error after `timeoutMs` (default 30 s), or, with the log's
   * end, if lightningd has died.
   */
  async rpc<Result extends object = Record<string, unknown>>(
    method: string,
    params: object = {},
    { timeoutMs = RPC_TIMEOUT_MS }: { timeoutMs?: number } = {},
  ): Promise<Result> {
    const daemon = this.#daemon;
    if (daemon?.failure) throw daemon.failure;
    if (!daemon?.isRunning) throw new Error(`${method}: ${this.name} does not run`);
    try {
      return (await this.#connection.call(method, params, timeoutMs)) as Result;
    } catch (error) {
      if (error instanceof RpcFailure) throw error;
      if (error instanceof ConnectionLost) await this.#throwIfDying(daemon);
      throw new Error(`${this.name}: ${(error as Error).message}`);
    }
  }

  /** Runs the real lightning-cli against this node. Never throws because of what the program answers. */
  cli(...args: readonly string[]): Promise<CliOutcome> {
    return new Promise((resolve, reject) => {
      const ours = ['--network=regtest', `--lightning-dir=${this.directory}`];
      const limits = { timeout: 2 * RPC_TIMEOUT_MS, maxBuffer: 1 << 28 };
      execFile('lightning-cli', [...ours, ...args], limits, (error, stdout, stderr) => {
        if (error && typeof error.code !== 'number') reject(error);
        else resolve({ stdout, stderr, code: Number(error?.code ?? 0) });
      });
    });
  }

  /**
   * Waits for a line of the log; one already written counts.
   *
   * @param from the first line looked at, see {@link logLength}; 0 by default.
   * @param timeoutMs 30 s by default.
   * @throws Error, with the log's end, when the time is up or lightningd has ended.
   */
  waitForLog(
    pattern: RegExp,
    { from = 0, timeoutMs = LOG_TIMEOUT_MS }: { from?: number; timeoutMs?: number } = {},
  ): Promise<string> {
    return this.#log.waitFor(pattern, from, timeoutMs);
  }

  /**
   * Asks again after each log line that matches until there is an answer; it is asked at least once.
   *
   * @throws Error like {@link waitForLog} if `timeoutMs` milliseconds pass between two such lines.
   */
  async askUntil<Answer>(
    pattern: RegExp,
    ask: () => Promise<Answer | undefined>,
    timeoutMs = LOG_TIMEOUT_MS,
  ): Promise<Answer> {
    for (;;) {
      const from = this.#log.length;
      const answer = await ask();
      if (answer !== undefined) return answer;
      await this.waitForLog(pattern, { from, timeoutMs });
    }
  }

  /** What lightningd and its plugins have written to their outputs, over all runs, from line `from` on. */
  logText(from = 0): string {
    return this.#log.text(from);
  }

  async #throwIfDying(daemon: Daemon): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const alive = new Promise(resolve => {
      timer = setTimeout(resolve, DYING_MS);
    });
    await Promise.race([daemon.ended, alive]);
    clearTimeout(timer);
    if (daemon.failure) throw daemon.failure;
  }

  #args(options: NodeOptions): string[] {
    return [
      '--network=regtest',
      `--lightning-dir=${this.directory}`,
      `--alias=node${this.#site.index}`,
      `--addr=127.0.0.1:${this.port}`,
      '--announce-addr-discovered=false',
      '--disable-dns',
      '--log-level=debug', // To the output, which we read: a line there is an event.
      '--allow-deprecated-apis=false',
      '--developer',
      '--dev-fast-gossip',
      '--dev-fast-reconnect',
      '--dev-bitcoind-poll=1',
      '--dev-no-version-checks',
      '--rescan=1', // The chain is young, and nobody reorganises it.
      ...this.#site.bitcoindArgs,
      ...UNUSED_PLUGINS.map(plugin => `--disable-plugin=${plugin}`),
      ...(options.plugin === undefined ? [] : [`--plugin=${options.plugin}`]),
      ...(options.extraArgs ?? []),
    ];
  }
}
