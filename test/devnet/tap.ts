/**
 * Runs between a node and a plugin and writes down all that they say, over stdio and over the RPC socket: the only
 * way to see a real node through the plugin's eyes. Arguments: the plugin's path and the file to write, a line of
 * JSON for each message: `{"way": Way, "message": …}`.
 */
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { JsonFramer, parseFrame } from '../../src/lightningd/json-framer.ts';

/** Who says it: the node or the plugin on stdio, the plugin or the node on the RPC socket. */
export type Way = 'node' | 'plugin' | 'call' | 'answer';

const SOCKET = 'tapped-rpc';
const [, , plugin = '', file = ''] = process.argv;

/** Passes a stream on, each message written down first, and changed if `change` does so. */
function pass(
  way: Way,
  from: Readable,
  to: Writable,
  change: (message: unknown) => boolean = () => false,
): void {
  const framer = new JsonFramer();
  from.on('data', (chunk: Buffer) => {
    for (const frame of framer.push(chunk)) {
      const message = parseFrame(frame);
      appendFileSync(file, `${JSON.stringify({ way, message })}\n`);
      // As it came unless it is changed: long integers have lost their last digits.
      to.write(change(message) ? JSON.stringify(message) : frame.bytes);
      to.write('\n\n');
    }
  });
  from.on('end', () => to.end());
}

interface Init {
  method?: string;
  params: { configuration: { 'lightning-dir': string; 'rpc-file': string } };
}

/** Has the plugin call us instead of the node. */
function redirect(message: unknown): boolean {
  const init = message as Init;
  if (init.method !== 'init') return false;
  const { configuration } = init.params;
  const nodes = join(configuration['lightning-dir'], configuration['rpc-file']);
  createServer(client => {
    const node = connect(nodes);
    pass('call', client, node);
    pass('answer', node, client);
    for (const [one, other] of [
      [client, node],
      [node, client],
    ] as const) {
      one.on('error', () => other.destroy());
    }
  }).listen(SOCKET);
  configuration['rpc-file'] = SOCKET;
  return true;
}

const child = spawn(plugin, process.argv.slice(4), { stdio: ['pipe', 'pipe', 'inherit'] });
pass('node', process.stdin, child.stdin, redirect);
pass('plugin', child.stdout, process.stdout);
child.on('exit', code => process.exit(code ?? 1));
