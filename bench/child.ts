/** Processes under measurement, spoken to as lightningd would speak to them. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { basename, dirname } from 'node:path';
import { JsonFramer, parseFrame } from '../src/lightningd/json-framer.ts';

export class Child {
  readonly process: ChildProcessWithoutNullStreams;

  constructor(command: string, args: readonly string[] = []) {
    this.process = spawn(command, args, { stdio: 'pipe' });
    this.process.stderr.pipe(process.stderr);
  }

  /** Sends one request and waits for its result, whatever else comes before it. */
  request(id: string, method: string, params: object): Promise<unknown> {
    const { stdin, stdout } = this.process;
    const framer = new JsonFramer();
    return new Promise((resolve, reject) => {
      const onData = (chunk: Buffer) => {
        for (const frame of framer.push(chunk)) {
          const answer = parseFrame(frame) as { id?: unknown; error?: unknown; result?: unknown };
          if (answer.id !== id) continue;
          stdout.off('data', onData);
          this.process.off('exit', onExit);
          if (answer.error === undefined) resolve(answer.result);
          else reject(new Error(`${method}: ${JSON.stringify(answer.error)}`));
        }
      };
      const onExit = (code: number | null) => reject(new Error(`${method}: the process exited with ${code}`));
      stdout.on('data', onData);
      this.process.once('exit', onExit);
      stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n\n`);
    });
  }

  /** Asks for the manifest, the first thing that lightningd does. */
  getManifest(): Promise<unknown> {
    return this.request('bench:getmanifest#1', 'getmanifest', { 'allow-deprecated-apis': false });
  }

  /** Says where lightningd's socket is, the second thing, and what the operator has set. */
  init(rpcPath: string, options: object = {}): Promise<unknown> {
    const configuration = {
      'lightning-dir': dirname(rpcPath),
      'rpc-file': basename(rpcPath),
      startup: true,
      network: 'regtest',
    };
    return this.request('bench:init#2', 'init', { options, configuration });
  }

  /** Closes its stdin, which ends a plugin, and waits for that. */
  async end(): Promise<void> {
    const exited = once(this.process, 'exit');
    this.process.stdin.end();
    await exited;
  }
}
