#!/bin/sh
//bin/sh -c :; cd "${0%/*}" && exec node --import tsx "./${0##*/}"

// For nodes that hold HTLCs: `holdnext COUNT` says how many of the next ones are held, `letgo` lets all of them go on.
// Each one held is logged as `holding HASH`, so that a test knows when it lies there. It shares no code with the plugin.

import { ObjectSplitter } from './rpc.ts';

interface Request {
  id?: unknown;
  method: string;
  params: { count?: number; htlc?: { payment_hash: string } };
}

const MANIFEST = {
  options: [],
  rpcmethods: [
    { name: 'holdnext', usage: 'count', description: 'Holds the next HTLCs' },
    { name: 'letgo', usage: '', description: 'Lets all that are held go on' },
  ],
  dynamic: true,
  nonnumericids: true,
  hooks: [{ name: 'htlc_accepted' }],
};

let toHold = 0;
let held: unknown[] = [];

function write(message: object): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
}

function serve({ id, method, params }: Request): void {
  if (method === 'htlc_accepted' && toHold > 0) {
    toHold--;
    held.push(id);
    write({
      method: 'log',
      params: { level: 'info', message: `holding ${params.htlc?.payment_hash}` },
    });
    return;
  }
  if (method === 'holdnext') toHold = Number(params.count);
  if (method === 'letgo') {
    for (const each of held) write({ id: each, result: { result: 'continue' } });
    held = [];
  }
  const results: Record<string, object> = { getmanifest: MANIFEST, htlc_accepted: { result: 'continue' } };
  write({ id, result: results[method] ?? {} });
}

const splitter = new ObjectSplitter();
process.stdin.setEncoding('utf8').on('data', (piece: string) => {
  for (const text of splitter.push(piece)) serve(JSON.parse(text));
});
