#!/bin/sh
//bin/sh -c :; cd "${0%/*}" && exec node --import tsx "./${0##*/}"

// Another plugin on a node with ours, of the two kinds that could get in each other's way: its custommsg hook takes all types
// and logs each message as `neighbour heard PEER PAYLOAD`, and `paycircle ROUTE` pays an invoice of its own around a circle, as
// rebalancing plugins do with sendpay. It shares no code with the plugin.

import { join } from 'node:path';
import { ObjectSplitter, RpcConnection } from './rpc.ts';

interface Request {
  id?: unknown;
  method: string;
  params: {
    peer_id?: string;
    payload?: string;
    configuration?: { 'lightning-dir': string; 'rpc-file': string };
    route?: { amount_msat: number }[];
  };
}

const MANIFEST = {
  options: [],
  rpcmethods: [{ name: 'paycircle', usage: 'route', description: 'Pays an invoice of ours around a circle' }],
  dynamic: true,
  nonnumericids: true,
  hooks: [{ name: 'custommsg' }],
};
const TIMEOUT_MS = 60_000;

let rpc: RpcConnection | undefined;
let paid = 0;

function write(message: object): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
}

async function payCircle(route: { amount_msat: number }[] = []): Promise<unknown> {
  const amount_msat = route.at(-1)?.amount_msat;
  const call = (method: string, params: object) => rpc?.call(method, params, TIMEOUT_MS);
  const label = `neighbour ${++paid}`;
  const invoice = (await call('invoice', { amount_msat, label, description: 'a circle' })) as {
    payment_hash: string;
    payment_secret: string;
  };
  const { payment_hash, payment_secret } = invoice;
  await call('sendpay', { route, payment_hash, payment_secret });
  return await call('waitsendpay', { payment_hash });
}

async function serve({ id, method, params }: Request): Promise<void> {
  if (method === 'custommsg') {
    const message = `neighbour heard ${params.peer_id} ${params.payload}`;
    write({ method: 'log', params: { level: 'info', message } });
  }
  if (method === 'init' && params.configuration !== undefined) {
    const { 'lightning-dir': folder, 'rpc-file': file } = params.configuration;
    rpc = new RpcConnection(join(folder, file));
  }
  const results: Record<string, object> = { getmanifest: MANIFEST, custommsg: { result: 'continue' } };
  if (method !== 'paycircle') return write({ id, result: results[method] ?? {} });
  try {
    write({ id, result: await payCircle(params.route) });
  } catch (error) {
    write({ id, error: { code: -1, message: String(error) } });
  }
}

const splitter = new ObjectSplitter();
process.stdin.setEncoding('utf8').on('data', (piece: string) => {
  for (const text of splitter.push(piece)) serve(JSON.parse(text));
});
process.stdin.on('end', () => process.exit(0));
