/**
 * The plugin's side of lightningd's stdio: clightningjs' `Plugin` with its interface kept and its transport replaced.
 *
 * Hazard: lightningd aborts when a hook gets any answer but a proper one, stalls a peer while a hook waits, and kills
 * a plugin that writes anything else than JSON-RPC to stdout. clightningjs loses requests that are split across reads,
 * mixes up the ids of requests that arrive together, dies of a hook that throws and never answers what it does not
 * know. Here a hook is answered before its handler runs, and nothing a handler does can change that; every request
 * gets exactly one answer, with its own id; and one writer owns stdout. A hook that has to wait for something is of a
 * kind of its own: held-hook.ts sees to it that it is answered once, by a deadline at the latest.
 */
import ClightningjsPlugin from 'clightningjs';
import { messageOf } from '../error-message.ts';
import * as answers from './answers.ts';
import { systemClock } from './clock.ts';
import { CommandError, ErrorCode } from './errors.ts';
import { type HeldHandler, HeldHook } from './held-hook.ts';
import { type JsonFrame, JsonFramer } from './json-framer.ts';
import { jsonText } from './json-text.ts';
import { LineWriter } from './line-writer.ts';
import { type Option, type OptionDefault, type OptionExtras, OptionRegistry } from './option-registry.ts';
import { bindParameters } from './parameters.ts';

/**
 * What a hook is answered, as text since there are many. Seen on v26.06.6: whatever other `result` for `custommsg`, or an
 * error to any hook, aborts lightningd.
 */
const CONTINUE = '"result":{"result":"continue"}';
/** Log lines and notifications that come while this many lines wait for lightningd are dropped; answers never are. */
const MAX_LOG_BACKLOG = 1000;
/** How long notifications for other plugins are gathered. */
const NEWS_AFTER_MS = 100;

export type LogLevel = 'debug' | 'info' | 'unusual' | 'broken';

export interface MethodExtras {
  /** Checks the parameters as the method would, without doing anything, for lightningd's `check`. @throws CommandError */
  readonly check?: (params: unknown) => void;
}

export interface HookExtras {
  /** Only these message types are delivered: honoured since v25.12, ignored before. */
  readonly filters?: readonly number[];
}

/** What lightningd says in `init`. */
export interface Configuration {
  readonly lightningDir: string;
  readonly rpcFile: string;
  readonly network: string;
  /** Whether the plugin started with the node. */
  readonly startup: boolean;
}

/** Given back by `onInit` to bow out: the reason that lightningd logs. */
export interface Disable {
  readonly disable: string;
}

const SILENT: CallContext = { progress: () => {} };

interface Request {
  readonly method: string;
  readonly params: unknown;
  /** As it came; `undefined` in a notification. */
  readonly id: unknown;
}

/** What a command's callback gets besides its parameters. */
export interface CallContext {
  /** Tells the caller how it goes: `lightning-cli -N info` shows it. */
  progress(message: string): void;
}

type HookHandler = (params: unknown) => void;

export class Plugin extends ClightningjsPlugin {
  readonly #writer: LineWriter;
  readonly #options = new OptionRegistry();
  readonly #hooks = new Map<string, { readonly handler: HookHandler; readonly extras: HookExtras }>();
  readonly #heldHooks = new Map<string, HeldHook>();
  readonly #callbacks = new Map<string, (params: unknown, context: CallContext) => unknown>();
  readonly #methodExtras = new Map<string, MethodExtras>();
  readonly #topics: readonly string[];
  #droppedLogLines = 0;
  /** Notifications for other plugins that wait. */
  #news: { readonly topic: string; readonly body: () => object }[] = [];
  /** Whether the 2020 autoreload stands between lightningd and us. */
  #isWrapped = false;
  /** `init` under way or done. */
  #init: Promise<unknown> | undefined;
  #isReady = false;
  /** stdin has ended: nobody waits for anything any more. */
  #isLeaving = false;

  /** @param customNotifications the topics that we emit for other plugins: undeclared ones are dropped */
  constructor({ dynamic = true, customNotifications = [] as readonly string[] } = {}) {
    super({ dynamic });
    this.#topics = customNotifications;
    this.#writer = new LineWriter(process.stdout, clogged => {
      if (clogged) process.stdin.pause();
      else process.stdin.resume();
    });
  }

  /** Registers a command; its callback gets the parameters as they came and returns an object, or throws CommandError. */
  override addMethod(
    name: string,
    callback: (params: unknown, context: CallContext) => unknown,
    usage = '',
    description = '',
    longDescription = '',
    extras: MethodExtras = {},
  ): void {
    super.addMethod(name, params => callback(params, SILENT), usage, description, longDescription);
    this.#callbacks.set(name, callback);
    this.#methodExtras.set(name, extras);
  }

  /**
   * Registers an option.
   *
   * @param defaultValue as the manifest says it; `undefined` leaves it out, and the value stays `undefined` until
   * the operator sets one
   * @param type lightningd's: string, int, bool or flag
   * @returns where its value can be read from now on
   */
  override addOption(
    name: string,
    defaultValue: OptionDefault,
    description: string,
    type?: string,
  ): Option<unknown>;
  override addOption<T>(
    name: string,
    defaultValue: OptionDefault,
    description: string,
    type: string,
    extras: OptionExtras<T>,
  ): Option<T>;
  override addOption(
    name: string,
    defaultValue: OptionDefault,
    description: string,
    type = 'string',
    extras: OptionExtras<unknown> = { parse: value => value },
  ): Option<unknown> {
    return this.#options.add(name, defaultValue, description, type, extras);
  }

  /**
   * Registers a hook that always lets lightningd continue: it is answered first, then `handler` gets its parameters.
   * What the handler returns, throws or leaves undone changes nothing.
   */
  override addHook(name: string, handler: HookHandler, extras: HookExtras = {}): void {
    this.#hooks.set(name, { handler, extras });
  }

  /**
   * Registers a hook that lets lightningd continue when `handler` says so, and at the deadline at the latest: see
   * held-hook.ts. Before `init` is done and after stdin has ended a call is continued at once, unseen.
   *
   * @param deadlineMs how long a call may be held
   */
  addHeldHook(name: string, handler: HeldHandler, deadlineMs: () => number): void {
    const onFailure = (error: unknown) =>
      this.log(`the handler of hook ${name} failed: ${detailOf(error)}`, 'broken');
    this.#heldHooks.set(name, new HeldHook({ handler, deadlineMs, clock: systemClock, onFailure }));
  }

  /** Registers for a notification; `handler` gets its parameters. */
  override subscribe(topic: string, handler?: (params: unknown) => void): void {
    super.subscribe(topic);
    if (handler !== undefined) this.notifications[topic]?.on(topic, handler);
  }

  /** Writes to lightningd's log, a line for each of the message's. */
  override log(message: string, level: LogLevel = 'info'): void {
    if (this.#writer.backlog >= MAX_LOG_BACKLOG) {
      this.#droppedLogLines++;
      return;
    }
    if (this.#droppedLogLines > 0) {
      const dropped = `${this.#droppedLogLines} log lines were dropped while lightningd did not read`;
      this.#droppedLogLines = 0;
      this.#notify('log', { level: 'unusual', message: dropped });
    }
    for (const line of message.split('\n')) {
      if (line !== '') this.#notify('log', { level, message: line });
    }
  }

  /** To be replaced: called with what lightningd says in `init`, before that is answered, and awaited. */
  override onInit: (configuration: Configuration) => Promise<Disable | undefined> = async () => undefined;

  /** To be replaced: called with the name of an option after `setconfig` has changed it. */
  onConfigChange: (name: string) => void = () => {};

  /**
   * Emits a notification for other plugins, wrapped in its topic's name as Core Lightning's are: in a moment, with all
   * others of that moment, since whoever waits for an answer of ours comes first.
   *
   * @param body made when it is sent
   */
  notify(topic: string, body: () => object): void {
    if (this.#news.length >= MAX_LOG_BACKLOG) return;
    this.#news.push({ topic, body });
    if (this.#news.length > 1) return;
    setTimeout(() => {
      const news = this.#news;
      this.#news = [];
      if (this.#writer.backlog >= MAX_LOG_BACKLOG) return;
      for (const { topic: name, body: make } of news) this.#notify(name, { [name]: make() });
    }, NEWS_AFTER_MS);
  }

  /** Reads requests from stdin until it ends, which is how lightningd stops a plugin; exits with status 0 then. */
  override start(): void {
    const framer = new JsonFramer(() => this.log('skipped a line on stdin that is no JSON', 'unusual'));
    process.stdin.on('data', (chunk: Buffer) => {
      for (const frame of framer.push(chunk)) this.#receive(frame);
    });
    const leave = () => {
      this.#isLeaving = true;
      for (const hook of this.#heldHooks.values()) hook.releaseAll();
      this.#writer.flush();
      process.exit(0);
    };
    process.stdin.on('end', leave);
    // Nobody reads: lightningd is gone.
    process.stdout.on('error', leave);
  }

  #receive(frame: JsonFrame): void {
    let request: Request;
    try {
      request = requestOf(JSON.parse(frame.bytes.toString('utf8')));
    } catch (error) {
      this.log(`skipped what is no JSON-RPC request: ${String(error)}`, 'unusual');
      return;
    }
    if (request.id === undefined) {
      this.#guard(`notification ${request.method}`, () => {
        if (!Object.hasOwn(this.notifications, request.method)) return;
        this.notifications[request.method]?.emit(request.method, request.params);
      });
      return;
    }
    const held = this.#heldHooks.get(request.method);
    if (held !== undefined) {
      const { id } = request;
      const answer = (member: string) =>
        this.#writer.write(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},${member}}`);
      if (this.#isReady && !this.#isLeaving) held.take(request.params, answer);
      else answer(CONTINUE);
      return;
    }
    const hook = this.#hooks.get(request.method);
    if (hook === undefined) {
      this.#serve(request).then(
        result => this.#respond(request.id, { result }),
        error => this.#respond(request.id, { error: this.#errorOf(request.method, error) }),
      );
      return;
    }
    this.#writer.write(`{"jsonrpc":"2.0","id":${JSON.stringify(request.id)},${CONTINUE}}`);
    if (!this.#isReady) return;
    this.#guard(`hook ${request.method}`, () => hook.handler(request.params));
  }

  /** Runs what nobody waits for: it may fail, but not take the plugin with it. */
  #guard(what: string, handler: () => void): void {
    try {
      handler();
    } catch (error) {
      this.log(`the handler of ${what} failed: ${detailOf(error)}`, 'broken');
    }
  }

  async #serve({ id, method, params }: Request): Promise<unknown> {
    switch (method) {
      case 'getmanifest':
        return this._getmanifest(params);
      case 'init':
        this.#init = this._init(params);
        await this.#init;
        this.#isReady = true;
        return this.#init;
      case 'check':
        return this.#check(params);
      case 'setconfig':
        return this.#setConfig(params, true);
    }
    const callback = this.#callbacks.get(method);
    if (callback === undefined) throw new CommandError(ErrorCode.methodNotFound, `unknown method ${method}`);
    // lightningd waits for our answer to init before it calls; autoreload does not.
    if (!this.#isReady) await this.#init;
    return callback(this.#isWrapped ? withoutWrapper(params) : params, {
      progress: message => this.#notify('message', { id, level: 'info', message }),
    });
  }

  /**
   * The 2020 autoreload asks with an array where lightningd sends an object. It passes the answer on in an old form:
   * an object among the hooks would kill lightningd, and every option needs a default.
   */
  override _getmanifest(params: unknown): object {
    const oldForm = Array.isArray(params);
    this.#isWrapped = oldForm;
    return {
      options: this.#options.manifest(oldForm),
      rpcmethods: this.methods.map(({ name, usage, description, longDescription }) => ({
        name,
        usage,
        description,
        long_description: longDescription,
      })),
      subscriptions: Object.keys(this.notifications),
      hooks: [
        ...[...this.#hooks].map(([name, { extras }]) => (oldForm ? name : { name, ...extras })),
        ...[...this.#heldHooks.keys()].map(name => (oldForm ? name : { name })),
      ],
      notifications: this.#topics.map(method => ({ method })),
      dynamic: this.dynamic,
      nonnumericids: true,
      cancheck: true,
    };
  }

  override async _init(params: unknown): Promise<unknown> {
    const { options, configuration } = recordOf(params);
    const wrong = this.#options.load(recordOf(options));
    if (wrong !== undefined) return this.#disabled(wrong);
    const told = answers.readAnswer('init', answers.configuration, configuration);
    this.startup = told.startup;
    const result = await this.onInit({
      lightningDir: told['lightning-dir'],
      rpcFile: told['rpc-file'],
      network: told.network,
      startup: told.startup,
    });
    return result === undefined ? {} : this.#disabled(result.disable);
  }

  /** lightningd notes the reason at debug level only. */
  #disabled(reason: string): Disable {
    this.log(`disabled: ${reason}`, 'unusual');
    return { disable: reason };
  }

  #check(params: unknown): object {
    // lightningd hands the parameters of `check` on as they came: the command first, then the command's own.
    let command: unknown;
    let rest: unknown;
    if (Array.isArray(params)) {
      command = params[0];
      rest = params.slice(1);
    } else {
      const { command_to_check: named, ...others } = recordOf(params);
      command = named;
      rest = others;
    }
    if (command === 'setconfig') this.#setConfig(rest, false);
    else this.#methodExtras.get(String(command))?.check?.(rest);
    return { command_to_check: command };
  }

  #setConfig(params: unknown, apply: boolean): object {
    const { config, val } = bindParameters('setconfig', ['config', 'val'], params);
    const set = this.#options.read(String(config), val);
    if (apply) {
      set();
      this.onConfigChange(String(config));
    }
    return {};
  }

  #errorOf(method: string, error: unknown): object {
    if (error instanceof CommandError) {
      const { code, message, data } = error;
      return data === undefined ? { code, message } : { code, message, data };
    }
    this.log(`${method} failed: ${detailOf(error)}`, 'broken');
    return {
      code: ErrorCode.internal,
      message: `${method}: ${messageOf(error)}`,
    };
  }

  #respond(id: unknown, outcome: { readonly result: unknown } | { readonly error: unknown }): void {
    this.#writer.write(jsonText({ jsonrpc: '2.0', id, ...outcome }));
  }

  #notify(method: string, params: unknown): void {
    this.#writer.write(jsonText({ jsonrpc: '2.0', method, params }));
  }
}

/** @throws TypeError when it is no request */
function requestOf(message: unknown): Request {
  const { method, params, id } = recordOf(message);
  if (typeof method !== 'string') throw new TypeError('no method');
  return { method, params, id };
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** autoreload's framework adds its own objects to named parameters before it passes them on. */
function withoutWrapper(params: unknown): unknown {
  if (Array.isArray(params)) return params;
  const { plugin: _plugin, request: _request, ...rest } = recordOf(params);
  return rest;
}

/** With the stack, which the operator sends us with a report. */
function detailOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
