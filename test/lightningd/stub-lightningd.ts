/**
 * A stand-in for lightningd around one real process of the plugin: it starts the executable as lightningd does, speaks
 * JSON-RPC over its stdin and stdout, and has an RPC socket whose answers the test sets.
 *
 * It is as strict as lightningd where that kills: whatever is on stdout and is neither a log line at a known level nor
 * the one answer to a request of ours fails the test, and so does a plugin that ends before it is told to.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type RpcMethod, StubRpc } from './stub-rpc.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { Watch } from './watch.ts';

/** The repository's own executable. */
export const ENTRY = fileURLToPath(new URL('../../balancesharing.ts', import.meta.url));

/** What the manifest declares. */
const TOPICS = ['foaf_answered', 'foaf_learned'];
const LOG_LEVELS: readonly unknown[] = ['debug', 'info', 'unusual', 'broken'];

export interface StubOptions {
  /** @default the repository's balancesharing.ts */
  readonly entry?: string;
  readonly args?: readonly string[];
  /** @default lightningd's folder */
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** What the RPC socket answers. */
  readonly methods?: Readonly<Record<string, RpcMethod>>;
}

export interface Reply {
  readonly id: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface InitOptions {
  readonly options?: object;
  readonly network?: string;
}

/** What has to be gone when the test process is, however it ends. */
const open = new Set<StubLightningd>();
process.on('exit', () => {
  for (const stub of open) stub.clear();
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** The environment of a test without what belongs to the test runner, and this Node first on PATH. */
export function cleanEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_PATH: _path, NODE_TEST_CONTEXT: _context, ...env } = process.env;
  return { ...env, PATH: [dirname(process.execPath), env['PATH'] ?? ''].join(delimiter) };
}

export class StubLightningd {
  /** lightningd's folder: the RPC socket lies in it. */
  readonly folder: string;
  readonly rpc: StubRpc;
  readonly process: ChildProcess;
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Every answer in the order in which they came. */
  readonly replies: Reply[] = [];
  /** Log lines as `level message`. */
  readonly log: string[] = [];
  /** What the callers of commands were told while they waited. */
  readonly progress: string[] = [];
  /** Notifications for other plugins, in the order in which they came. */
  readonly notifications: { readonly topic: string; readonly params: unknown }[] = [];
  readonly #watch = new Watch();
  /** Requests without an answer, by the JSON of their ids. */
  readonly #unanswered = new Set<string>();
  readonly #answers = new Map<string, Reply>();
  readonly #violations: string[] = [];
  #stderr = '';
  #exit: Exit | undefined;
  #mayEnd = false;
  #lastId = 0;

  /** Starts a plugin; it is stopped, and everything that was wrong fails the test, when the test ends. */
  static async start(
    test: { after(stop: () => Promise<void>): void },
    options: StubOptions = {},
  ): Promise<StubLightningd> {
    const stub = new StubLightningd(options);
    test.after(() => stub.stop());
    await stub.rpc.listen();
    return stub;
  }

  private constructor({ entry = ENTRY, args = [], cwd, env, methods = {} }: StubOptions) {
    this.folder = temporaryFolder();
    open.add(this);
    this.rpc = new StubRpc(join(this.folder, 'lightning-rpc'), methods);
    const child = spawn(entry, args, {
      cwd: cwd ?? this.folder,
      env: env ?? cleanEnvironment(),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.process = child;
    this.stdin = child.stdin;
    this.stdout = child.stdout;
    // Writing to a plugin that has ended fails: what the test waits for says why.
    child.stdin.on('error', () => {});
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    let unfinished = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (unfinished + text).split('\n');
      unfinished = lines.pop() ?? '';
      for (const line of lines) this.#take(line);
      this.#watch.changed();
    });
    child.on('error', error => this.#watch.fail(error));
    child.on('close', (code, signal) => {
      if (unfinished !== '') this.#violate(`half a line on stdout: ${unfinished.slice(0, 200)}`);
      this.#exit = { code, signal };
      this.#watch.changed();
      this.#watch.fail(new Error(`the plugin ended with ${code ?? signal}; stderr: ${this.#stderr}`));
    });
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** Writes to the plugin's stdin as it is. */
  write(data: string | Uint8Array): void {
    this.stdin.write(data);
  }

  /** A request with that id is written otherwise: its answer is no surprise. */
  expect(id: unknown): void {
    this.#unanswered.add(JSON.stringify(id));
  }

  /** Waits until that many answers have come, all in all. */
  answered(count: number): Promise<true> {
    return this.#watch.until(`${count} answers`, () => (this.replies.length >= count ? true : undefined));
  }

  /** Waits until that many notifications for other plugins have come, all in all. */
  notified(count: number): Promise<true> {
    return this.#watch.until(`${count} notifications`, () =>
      this.notifications.length >= count ? true : undefined,
    );
  }

  /** The answer to an expected request. */
  answerTo(id: unknown): Promise<Reply> {
    const key = JSON.stringify(id);
    return this.#watch.until(`the answer to ${key}`, () => this.#answers.get(key));
  }

  /** Sends a request; lightningd's ids are strings such as this one. */
  request(
    method: string,
    params: unknown = {},
    id: unknown = `cln:${method}#${++this.#lastId}`,
  ): Promise<Reply> {
    this.expect(id);
    this.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n\n`);
    return this.answerTo(id);
  }

  /** The result of a request that succeeds. */
  async call(method: string, params: unknown = {}): Promise<unknown> {
    const { error, result } = await this.request(method, params);
    assert.equal(error, undefined, `${method} failed: ${error?.message}`);
    return result;
  }

  /** The error of a request that does not. */
  async refusal(method: string, params: unknown = {}): Promise<NonNullable<Reply['error']>> {
    const { error, result } = await this.request(method, params);
    assert.ok(error !== undefined, `${method} succeeded: ${JSON.stringify(result)}`);
    return error;
  }

  notify(method: string, params: unknown): void {
    this.write(`${JSON.stringify({ jsonrpc: '2.0', method, params })}\n\n`);
  }

  /** Hands the plugin a message of a peer; hooks must let lightningd continue. */
  async deliver(peerId: string, payload: string): Promise<void> {
    assert.deepEqual(await this.call('custommsg', { payload, peer_id: peerId }), { result: 'continue' });
  }

  /** Asks for the manifest, then says `init`, as lightningd does at the start. Returns what `init` is answered. */
  async init({ options = {}, network = 'regtest' }: InitOptions = {}): Promise<unknown> {
    await this.call('getmanifest', { 'allow-deprecated-apis': false });
    const configuration = {
      'lightning-dir': this.folder,
      'rpc-file': 'lightning-rpc',
      startup: true,
      network,
      feature_set: {
        init: '800898880a8a59a1',
        node: '808898880a8a59a1',
        channel: '',
        invoice: '02000002024100',
      },
    };
    return this.call('init', { options, configuration });
  }

  /** `init`, and what the plugin reads by itself after it has been asked for. */
  async ready(init?: InitOptions): Promise<this> {
    assert.deepEqual(await this.init(init), {});
    await Promise.all([this.rpc.called('getinfo'), this.rpc.called('listpeerchannels')]);
    return this;
  }

  logged(pattern: RegExp): Promise<string> {
    return this.#watch.until(`a log line like ${pattern}`, () => this.log.find(line => pattern.test(line)));
  }

  /** The plugin is expected to end by now: waits for it. */
  ended(): Promise<Exit> {
    this.#mayEnd = true;
    return this.#watch.until("the plugin's end", () => this.#exit);
  }

  /** Closes stdin, as a lightningd that stops does, waits for the plugin's end and reports all that was wrong. */
  async stop(): Promise<void> {
    try {
      if (this.#exit !== undefined && !this.#mayEnd) this.#violate(`the plugin ended early: ${this.#stderr}`);
      if (this.#exit === undefined) {
        this.stdin.end();
        this.stdout.resume();
        const exit = await this.ended();
        if (exit.code !== 0)
          this.#violate(`status ${exit.code ?? exit.signal} at stdin's end: ${this.#stderr}`);
      }
    } finally {
      this.process.kill('SIGKILL');
      await this.rpc.close();
      this.clear();
    }
    assert.deepEqual(this.#violations, []);
  }

  /** At once, for when the test process itself ends. */
  clear(): void {
    open.delete(this);
    this.process.kill('SIGKILL');
    rmSync(this.folder, { recursive: true, force: true });
  }

  #violate(what: string): void {
    this.#violations.push(what);
    this.#watch.fail(new Error(what));
  }

  #take(line: string): void {
    if (line === '') return;
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      message = undefined;
    }
    if (typeof message !== 'object' || message === null) {
      this.#violate(`no JSON-RPC on stdout: ${line.slice(0, 200)}`);
    } else if ('method' in message) this.#takeNotification(message);
    else this.#takeReply(message as Reply, line);
  }

  #takeNotification(message: { method?: unknown; id?: unknown; params?: unknown }): void {
    const topic = TOPICS.find(declared => declared === message.method);
    if (topic !== undefined && message.id === undefined) {
      this.notifications.push({ topic, params: message.params });
      return;
    }
    const { id } = (message.params ?? {}) as { id?: unknown };
    if (message.method === 'message' && this.#unanswered.has(JSON.stringify(id))) {
      this.progress.push(String((message.params as { message?: unknown }).message));
      return;
    }
    const { level, message: text, ...rest } = (message.params ?? {}) as Record<string, unknown>;
    const isLog = message.method === 'log' && message.id === undefined && Object.keys(rest).length === 0;
    if (!isLog || !LOG_LEVELS.includes(level) || typeof text !== 'string') {
      this.#violate(`no log line: ${JSON.stringify(message).slice(0, 200)}`);
    } else this.log.push(`${level} ${text}`);
  }

  #takeReply(reply: Reply, line: string): void {
    const key = JSON.stringify(reply.id);
    if (!this.#unanswered.delete(key))
      this.#violate(`an answer that nobody asked for: ${line.slice(0, 200)}`);
    if ('result' in reply === 'error' in reply) {
      this.#violate(`neither a result nor an error: ${line.slice(0, 200)}`);
    }
    this.replies.push(reply);
    this.#answers.set(key, reply);
  }
}
