/**
 * A plugin as its node sees it: manifest, init, methods, the `custommsg` hook, notifications, log lines.
 *
 * Hazard guarded against: lightningd aborts over any answer to the hook but `{"result": "continue"}` and over an error
 * to it, and kills a plugin for a log line whose level it does not know. Levels that only some releases know count
 * as unknown here, and a notification that the manifest does not declare, which lightningd drops, ends the node too.
 */
import { type Manifest, readManifest } from './manifest.ts';
import { fieldsOf, isObject, Misconduct, shown } from './misconduct.ts';
import { dynamicOption, initialOptions, type OptionValues, setconfigAnswer } from './options.ts';
import { type Bound, invalid } from './parameters.ts';
import { type Answer, PluginProcess, type PluginProcessInit } from './plugin-process.ts';
import { RpcFault } from './rpc-fault.ts';

/** `trace` is known since v24.05, the others always. */
const LOG_LEVELS: ReadonlySet<unknown> = new Set(['trace', 'debug', 'info', 'unusual', 'broken']);

/** What `init` tells of the node. */
export interface NodeConfiguration {
  readonly 'lightning-dir': string;
  readonly 'rpc-file': string;
  readonly startup: boolean;
  readonly network: string;
  readonly feature_set: Readonly<Record<string, string>>;
}

export interface HostedPluginInit extends Omit<PluginProcessInit, 'onNotification'> {
  readonly options: OptionValues;
  readonly configuration: NodeConfiguration;
  /** The names of the node's own commands. */
  readonly takenNames: ReadonlySet<string>;
  readonly onLog: (level: string, message: string) => void;
}

export class HostedPlugin {
  readonly #init: HostedPluginInit;
  readonly #process: PluginProcess;
  #manifest: Manifest | undefined;

  private constructor(init: HostedPluginInit) {
    this.#init = init;
    this.#process = new PluginProcess({
      ...init,
      onNotification: (method, params) => this.#onNotification(method, params),
    });
  }

  /**
   * Starts the plugin and shakes hands with it.
   *
   * @returns the plugin, or in words why it wants to be disabled
   * @throws Misconduct with what the plugin did wrong, Error for options that it does not have
   */
  static async start(init: HostedPluginInit): Promise<HostedPlugin | string> {
    const plugin = new HostedPlugin(init);
    const disabled = await plugin.#shakeHands();
    if (disabled === undefined) return plugin;
    await plugin.stop();
    return disabled;
  }

  /** Its process's id, which is its group's, too. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Its methods: name and usage. */
  get methods(): ReadonlyMap<string, string> {
    return new Map(this.#manifest?.rpcmethods.map(({ name, usage }) => [name, usage]));
  }

  /** Passes a client's call on. @throws RpcFault as the plugin answered it, Misconduct if it ended instead */
  async call(method: string, params: unknown, clientId: string): Promise<unknown> {
    return resultOf(await this.#process.request(method, params, clientId));
  }

  /** Passes a client's `check` on, as it came. Without `cancheck` every check passes. */
  async check(command: string, params: unknown, clientId: string): Promise<unknown> {
    if (this.#manifest?.cancheck !== true) return { command_to_check: command };
    return await this.call('check', params, clientId);
  }

  /** Sets an option of the plugin. It gets the value as text, whatever the option's type. */
  async setconfig({ config, val }: Bound, clientId: string, onlyCheck = false): Promise<unknown> {
    if (this.#manifest === undefined) throw invalid('the plugin is not ready');
    const option = dynamicOption(this.#manifest, config);
    const params = val === undefined ? { config } : { config, val: String(val) };
    if (onlyCheck)
      return await this.check('setconfig', { command_to_check: 'setconfig', ...params }, clientId);
    await this.call('setconfig', params, clientId);
    return setconfigAnswer(option, String(val ?? ''), this.#init.path);
  }

  /** Sends a notification, if the plugin has subscribed to its topic; its body is wrapped in the topic's name. */
  notify(topic: string, body: object): void {
    const subscriptions = this.#manifest?.subscriptions ?? [];
    if (subscriptions.includes(topic) || subscriptions.includes('*'))
      this.#process.notify(topic, { [topic]: body });
  }

  /** Whether the plugin's `custommsg` hook is called for messages of a type. */
  wants(type: number): boolean {
    return (
      this.#manifest?.hooks.some(
        ({ name, filters }) => name === 'custommsg' && (filters === undefined || filters.includes(type)),
      ) ?? false
    );
  }

  /** Calls the `custommsg` hook and waits for its answer. A plugin that ends instead is told of elsewhere. */
  async custommsg(peerId: string, payload: string): Promise<void> {
    const pending = this.#process.request('custommsg', { payload, peer_id: peerId });
    const answer = await pending.catch((gone: unknown) => {
      if (!(gone instanceof Misconduct)) throw gone;
    });
    if (answer === undefined) return;
    const result = 'result' in answer ? answer.result : undefined;
    if (!isObject(result) || result['result'] !== 'continue') {
      this.#process.misbehave(`gave an invalid response to the custommsg hook: ${shown(answer)}`);
    }
  }

  /** Tells the plugin to exit. */
  endInput(): void {
    this.#process.endInput();
  }

  /** Waits for its exit. @throws Error unless that is in time and with status 0 */
  stop(): Promise<void> {
    return this.#process.stop();
  }

  async #shakeHands(): Promise<string | undefined> {
    const { configuration, options, takenNames } = this.#init;
    const asked = this.#process.request('getmanifest', { 'allow-deprecated-apis': false });
    const answer = okOf(await asked, 'getmanifest');
    const { disable } = fieldsOf(answer);
    if (typeof disable === 'string') return disable;
    this.#manifest = readManifest(answer, takenNames);
    const init = { options: initialOptions(this.#manifest, options), configuration };
    const { disable: reason } = fieldsOf(okOf(await this.#process.request('init', init), 'init'));
    return typeof reason === 'string' ? reason : undefined;
  }

  #onNotification(method: string, params: unknown): void {
    if (method === 'log') {
      const { level, message } = fieldsOf(params);
      if (!LOG_LEVELS.has(level)) throw new Misconduct(`logged at an unknown level: ${shown(params)}`);
      if (typeof message !== 'string') throw new Misconduct(`logged no text: ${shown(params)}`);
      this.#init.onLog(String(level), message);
      return;
    }
    // Progress of a command: nobody here listens to it.
    if (method === 'message' || method === 'progress') return;
    if (this.#manifest?.notifications.some(declared => declared.method === method) !== true)
      throw new Misconduct(`sent a notification that its manifest does not declare: ${method}`);
  }
}

function resultOf(answer: Answer): unknown {
  if ('result' in answer) return answer.result;
  throw new RpcFault(answer.error.code, answer.error.message, answer.error.data);
}

function okOf(answer: Answer, method: string): unknown {
  if ('result' in answer && isObject(answer.result)) return answer.result;
  throw new Misconduct(`answered ${method} with ${shown(answer)}`);
}
