#!/bin/sh
//bin/sh -c :; cd "${0%/*}" && exec node --import tsx "./${0##*/}"

// Another plugin on a node with ours: it subscribes to our notifications and logs each as `noted TOPIC PARAMS`, so that
// a test can see what lightningd passes on. It shares no code with the plugin.

import { ObjectSplitter } from './rpc.ts';

interface Message {
  id?: unknown;
  method: string;
  params: object;
}

const TOPICS = ['foaf_answered', 'foaf_learned'];
const MANIFEST = { options: [], rpcmethods: [], dynamic: true, nonnumericids: true, subscriptions: TOPICS };

function write(message: object): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
}

function serve({ id, method, params }: Message): void {
  if (TOPICS.includes(method)) {
    const message = `noted ${method} ${JSON.stringify(params)}`;
    write({ method: 'log', params: { level: 'info', message } });
  }
  if (id !== undefined) write({ id, result: method === 'getmanifest' ? MANIFEST : {} });
}

const splitter = new ObjectSplitter();
process.stdin.setEncoding('utf8').on('data', (piece: string) => {
  for (const text of splitter.push(piece)) serve(JSON.parse(text));
});
