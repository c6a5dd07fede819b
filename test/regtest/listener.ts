#!/bin/sh
//bin/sh -c :; cd "${0%/*}" && exec node --import tsx "./${0##*/}"

// For nodes without our plugin: a plugin that only listens. It logs each message of type 347 as `heard PEER PAYLOAD`, so
// that a test can see what arrived there and answer by hand, with sendcustommsg. It shares no code with the plugin.

import { ObjectSplitter } from './rpc.ts';

interface Request {
  id?: unknown;
  method: string;
  params: { peer_id: string; payload: string };
}

const MANIFEST = {
  options: [],
  rpcmethods: [],
  dynamic: true,
  nonnumericids: true,
  hooks: [{ name: 'custommsg', filters: [347] }],
};

function write(message: object): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
}

function serve({ id, method, params }: Request): void {
  if (method === 'custommsg') {
    const message = `heard ${params.peer_id} ${params.payload}`;
    write({ method: 'log', params: { level: 'info', message } });
  }
  const results: Record<string, object> = { getmanifest: MANIFEST, custommsg: { result: 'continue' } };
  write({ id, result: results[method] ?? {} });
}

const splitter = new ObjectSplitter();
process.stdin.setEncoding('utf8').on('data', (piece: string) => {
  for (const text of splitter.push(piece)) serve(JSON.parse(text));
});
