/**
 * A plugin's process and the JSON-RPC on its stdio, from lightningd's side.
 *
 * Hazard guarded against: a plugin that says anything but proper JSON-RPC gets killed by a real node. Here every such
 * word, a second answer to one request included (which lightningd overlooks), ends the process and is told to the
 * owner, with the reason.
 */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';
import { JsonFramer } from '../lightningd/json-framer.ts';
import { jsonText } from '../lightningd/json-text.ts';
import { parseExactly } from './exact-json.ts';
import { isObject, Misconduct, shown } from './misconduct.ts';
import type { Sandbox } from './sandbox.ts';

/** How long a plugin may live on after its stdin has ended: nothing is left for it to do. */
const STOP_TIMEOUT_MS = 5000;
/** How much of stderr the reason for an unexpected end shows. */
const STDERR_TAIL_LINES = 10;

/** What a plugin answered: exactly one of the two. */
export type Answer = { readonly result: unknown } | { readonly error: PluginError };

/** As it came. */
export interface PluginError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

export interface PluginProcessInit {
  readonly sandbox: Sandbox;
  /** The plugin's executable. */
  readonly path: string;
  /** Its working directory. */
  readonly directory: string;
  /** Takes a notification of the plugin's. @throws Misconduct */
  readonly onNotification: (method: string, params: unknown) => void;
  readonly onStderr: (line: string) => void;
  /** Called once if the process ends, or is ended for misconduct, before anybody asked it to. */
  readonly onEnd: (reason: string) => void;
}

interface Pending {
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Misconduct) => void;
}

export class PluginProcess {
  readonly #init: PluginProcessInit;
  readonly #child: ChildProcessWithoutNullStreams;
  /** Resolves when it is gone and all it said has been read, with how it ended. */
  readonly #closed: Promise<string>;
  readonly #pending = new Map<string, Pending>();
  #stderr: string[] = [];
  #requests = 0;
  /** `over` from its own end or misconduct on: what it says then counts no more. */
  #state: 'running' | 'stopping' | 'over' = 'running';

  constructor(init: PluginProcessInit) {
    this.#init = init;
    const child = init.sandbox.spawn(init.path, [], init.directory);
    this.#child = child;
    this.#closed = new Promise(resolve => {
      child.once('error', error => resolve(error.message));
      child.once('close', (code, signal) => resolve(signal ?? `exit status ${code}`));
    });
    this.#closed.then(how => this.#over(`the plugin ended by itself: ${how}${this.#stderrTail()}`));
    child.stdin.on('error', () => {}); // It has ended, which is told elsewhere.
    const framer = new JsonFramer(() => this.misbehave('wrote to stdout what is no JSON'));
    child.stdout.on('data', (chunk: Buffer) => {
      try {
        for (const frame of framer.push(chunk)) this.#take(parseExactly(frame));
      } catch (error) {
        if (error instanceof Misconduct) this.misbehave(error.message);
        else if (error instanceof SyntaxError) this.misbehave(`wrote broken JSON: ${error.message}`);
        else throw error;
      }
    });
    createInterface({ input: child.stderr }).on('line', line => {
      this.#stderr = [...this.#stderr.slice(1 - STDERR_TAIL_LINES), line];
      init.onStderr(line);
    });
  }

  /** The process's id, which is its group's, too; undefined if it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  /**
   * Sends a request.
   *
   * @param clientId the JSON of the id of the client's request that is passed on; the id begins with it then
   * @throws Misconduct with the reason, if the process ends before it answers
   */
  request(method: string, params: unknown, clientId?: string): Promise<Answer> {
    this.#requests++;
    const ours = `cln:${method}#${this.#requests}`;
    const id = clientId === undefined ? ours : `${clientId}/${ours}`;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#write({ jsonrpc: '2.0', id, method, params });
    });
  }

  notify(method: string, params: object): void {
    this.#write({ jsonrpc: '2.0', method, params });
  }

  /** Ends the process for something that a real node does not survive. */
  misbehave(what: string): void {
    this.#over(`the plugin ${what}`);
    this.#init.sandbox.kill(this.#child);
  }

  /** Closes the plugin's stdin, which tells it to exit: its end is expected from now on. */
  endInput(): void {
    if (this.#state === 'running') this.#state = 'stopping';
    this.#child.stdin.end();
  }

  /**
   * Closes the plugin's stdin and waits for its end.
   *
   * @throws Error unless it exits with status 0 in time, or was over before; it is gone in any case
   */
  async stop(): Promise<void> {
    this.endInput();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>(resolve => {
      timer = setTimeout(() => {
        this.#init.sandbox.kill(this.#child);
        resolve(`still running ${STOP_TIMEOUT_MS} ms later`);
      }, STOP_TIMEOUT_MS);
    });
    const how = await Promise.race([this.#closed, late]);
    clearTimeout(timer);
    await this.#closed;
    if (this.#state === 'stopping' && how !== 'exit status 0')
      throw new Error(
        `the plugin must exit with status 0 when its stdin ends, but: ${how}${this.#stderrTail()}`,
      );
  }

  #over(reason: string): void {
    if (this.#state === 'running') {
      this.#state = 'over';
      this.#init.onEnd(reason);
    }
    const gone = new Misconduct(reason);
    for (const { reject } of this.#pending.values()) reject(gone);
    this.#pending.clear();
  }

  #take(message: unknown): void {
    if (this.#state === 'over') return;
    if (!isObject(message) || message['jsonrpc'] !== '2.0')
      throw new Misconduct(`wrote what is no JSON-RPC 2.0: ${shown(message)}`);
    const { id, method, params } = message;
    if (method !== undefined) {
      if (typeof method !== 'string' || id !== undefined)
        throw new Misconduct(`wrote what is no notification: ${shown(message)}`);
      this.#init.onNotification(method, params);
      return;
    }
    const pending = this.#pending.get(String(id));
    if (pending === undefined)
      throw new Misconduct(`answered what nobody asked, or a second time: ${shown(message)}`);
    this.#pending.delete(String(id));
    pending.resolve(answerIn(message));
  }

  #write(message: object): void {
    if (this.#child.stdin.writable) this.#child.stdin.write(`${jsonText(message)}\n\n`);
  }

  #stderrTail(): string {
    return this.#stderr.length === 0 ? '' : `; its stderr ends:\n${this.#stderr.join('\n')}`;
  }
}

function answerIn(message: Record<string, unknown>): Answer {
  const hasResult = 'result' in message;
  if (hasResult === 'error' in message)
    throw new Misconduct(`answered with neither or both of result and error: ${shown(message)}`);
  if (hasResult) return { result: message['result'] };
  const { error } = message;
  if (!isObject(error)) throw new Misconduct(`answered with an error that is no object: ${shown(error)}`);
  const { code, message: text, data } = error;
  if (typeof code !== 'number' || !Number.isInteger(code) || typeof text !== 'string')
    throw new Misconduct(`answered with an error that lacks a code or a message: ${shown(error)}`);
  return { error: { code, message: text, ...(data === undefined ? {} : { data }) } };
}
