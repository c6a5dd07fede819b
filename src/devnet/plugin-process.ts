/**
 * A plugin's process and the JSON-RPC on its stdio, as lightningd's side of it.
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
export type Answer = { readonly result: unknown } | { readonly error: unknown };

export interface PluginProcessInit {
  readonly sandbox: Sandbox;
  /** The plugin's executable. */
  readonly path: string;
  /** Its working directory. */
  readonly directory: string;
  /** Takes a notification of the plugin's. @throws Misconduct */
  readonly onNotification: (method: string, params: unknown) => void;
  readonly onStderr: (line: string) => void;
  /** Called once if the process ends although {@link PluginProcess.stop} was not called. */
  readonly onEnd: (reason: string) => void;
}

export class PluginProcess {
  readonly #init: PluginProcessInit;
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #pending = new Map<string, (answer: Answer) => void>();
  readonly #stderr: string[] = [];
  readonly #closed: Promise<string>;
  #requests = 0;
  #ending = false;

  constructor(init: PluginProcessInit) {
    this.#init = init;
    const child = init.sandbox.spawn(init.path, [], init.directory);
    this.#child = child;
    this.#closed = new Promise(resolve => {
      child.once('error', error => resolve(error.message));
      child.once('close', (code, signal) => resolve(signal ?? `exit status ${code}`));
    });
    this.#closed.then(how => this.#end(`the plugin ended by itself (${how})${this.#stderrTail()}`));
    child.stdin.on('error', () => {}); // It has ended, which is told elsewhere.
    const framer = new JsonFramer(() => this.misbehave('wrote to stdout what is no JSON'));
    child.stdout.on('data', (chunk: Buffer) => {
      try {
        for (const frame of framer.push(chunk)) this.#take(parseExactly(frame));
      } catch (error) {
        if (!(error instanceof Misconduct || error instanceof SyntaxError)) throw error;
        this.misbehave(error instanceof Misconduct ? error.message : `wrote broken JSON: ${error.message}`);
      }
    });
    createInterface({ input: child.stderr }).on('line', line => {
      this.#stderr.push(line);
      init.onStderr(line);
    });
  }

  /**
   * Sends a request. It stays pending for ever if the process ends.
   *
   * @param clientId the JSON of the id of a client's request that is passed on, which real ids begin with
   */
  request(method: string, params: unknown, clientId?: string): Promise<Answer> {
    this.#requests++;
    const ours = `cln:${method}#${this.#requests}`;
    const id = clientId === undefined ? ours : `${clientId}/${ours}`;
    return new Promise(resolve => {
      this.#pending.set(id, resolve);
      this.#write({ jsonrpc: '2.0', id, method, params });
    });
  }

  notify(method: string, params: object): void {
    this.#write({ jsonrpc: '2.0', method, params });
  }

  /** Ends the process for something that a real node does not survive. */
  misbehave(what: string): void {
    this.#end(`the plugin ${what}`);
    this.#init.sandbox.kill(this.#child);
  }

  /** Closes the plugin's stdin, which tells it to exit. Its end is expected from now on. */
  endInput(): void {
    this.#ending = true;
    this.#child.stdin.end();
  }

  /**
   * Closes the plugin's stdin and waits for its end.
   *
   * @throws Error unless it exits with status 0 in time; it is gone then all the same
   */
  async stop(): Promise<void> {
    if (this.#ending && this.#child.killed) return;
    this.endInput();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>(resolve => {
      timer = setTimeout(() => resolve(undefined), STOP_TIMEOUT_MS);
    });
    const how = await Promise.race([this.#closed, late]);
    clearTimeout(timer);
    if (how === 'exit status 0') return;
    this.#init.sandbox.kill(this.#child);
    await this.#closed;
    throw new Error(
      how === undefined
        ? `the plugin did not exit within ${STOP_TIMEOUT_MS} ms of the end of its stdin`
        : `the plugin ended with ${how} when its stdin ended${this.#stderrTail()}`,
    );
  }

  #end(reason: string): void {
    if (this.#ending) return;
    this.#ending = true;
    this.#init.onEnd(reason);
  }

  #take(message: unknown): void {
    // Its words after the one that ended it count no more.
    if (this.#ending && this.#child.stdin.destroyed) return;
    if (!isObject(message) || message['jsonrpc'] !== '2.0')
      throw new Misconduct(`wrote what is no JSON-RPC 2.0: ${shown(message)}`);
    const { id, method, params } = message;
    if (method !== undefined) {
      if (typeof method !== 'string' || id !== undefined)
        throw new Misconduct(`sent what is no notification: ${shown(message)}`);
      this.#init.onNotification(method, params);
      return;
    }
    const resolve = typeof id === 'string' ? this.#pending.get(id) : undefined;
    if (resolve === undefined || typeof id !== 'string')
      throw new Misconduct(`answered what nobody asked, or a second time: ${shown(message)}`);
    this.#pending.delete(id);
    resolve(answerIn(message));
  }

  #write(message: object): void {
    if (this.#child.stdin.writable) this.#child.stdin.write(`${jsonText(message)}\n\n`);
  }

  #stderrTail(): string {
    const tail = this.#stderr.slice(-STDERR_TAIL_LINES);
    return tail.length === 0 ? '' : `; its stderr ends:\n${tail.join('\n')}`;
  }
}

function answerIn(message: Record<string, unknown>): Answer {
  const hasResult = 'result' in message;
  if (hasResult === 'error' in message)
    throw new Misconduct(`answered with neither or both of result and error: ${shown(message)}`);
  if (hasResult) return { result: message['result'] };
  const { error } = message;
  if (!isObject(error) || !Number.isInteger(error['code']) || typeof error['message'] !== 'string')
    throw new Misconduct(`answered with an error that lacks a code or a message: ${shown(error)}`);
  return { error };
}
