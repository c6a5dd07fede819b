#!/bin/sh
//bin/sh -c :; cd "${0%/*}" && exec node --import tsx "./${0##*/}"

// Another plugin on a node with ours, of the kinds that could get in each other's way. It shares no code with the plugin.
// - Its custommsg hook takes all types, logs each message as `neighbour heard PEER PAYLOAD`, and answers one of
//   type 0x8001 by one of type 0x8003 with the same content.
// - `paycircle ROUTE` pays around a circle as sling and CLBOSS do: without an invoice, to a preimage of its own that it
//   gives out in its htlc_accepted hook, by sendpay; what has arrived it takes out of lightningd's list with delpay.

import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ObjectSplitter, RpcConnection } from './rpc.ts';

interface Request {
  id?: unknown;
  method: string;
  params: {
    peer_id?: string;
    payload?: string;
    htlc?: { payment_hash: string };
    configuration?: { 'lightning-dir': string; 'rpc-file': string };
    route?: { amount_msat: number }[];
  };
}

const MANIFEST = {
  options: [],
  rpcmethods: [{ name: 'paycircle', usage: 'route', description: 'Pays ourselves around a circle' }],
  dynamic: true,
  nonnumericids: true,
  hooks: [{ name: 'custommsg' }, { name: 'htlc_accepted' }],
};
/** Experiments' numbers (bLIP 2), odd, so that nobody without them minds. */
const QUESTION = '8001';
const ANSWER = '8003';
const TIMEOUT_MS = 60_000;

let rpc: RpcConnection | undefined;
/** Of circles that are under way, by payment hash. */
const preimages = new Map<string, string>();

function write(message: object): void {
  process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`);
}

function call(method: string, params: object): Promise<unknown> | undefined {
  return rpc?.call(method, params, TIMEOUT_MS);
}

async function payCircle(route: { amount_msat: number }[] = []): Promise<unknown> {
  const preimage = randomBytes(32);
  const payment_hash = createHash('sha256').update(preimage).digest('hex');
  const payment_secret = randomBytes(32).toString('hex');
  preimages.set(payment_hash, preimage.toString('hex'));
  try {
    await call('sendpay', { route, payment_hash, payment_secret });
    const paid = await call('waitsendpay', { payment_hash });
    await call('delpay', { payment_hash, status: 'complete' });
    return paid;
  } finally {
    preimages.delete(payment_hash);
  }
}

async function hear({ peer_id = '', payload = '' }: Request['params']): Promise<void> {
  const message = `neighbour heard ${peer_id} ${payload}`;
  write({ method: 'log', params: { level: 'info', message } });
  if (!payload.startsWith(QUESTION)) return;
  await call('sendcustommsg', { node_id: peer_id, msg: ANSWER + payload.slice(QUESTION.length) });
}

function resolveOwn({ htlc }: Request['params']): object {
  const payment_key = preimages.get(htlc?.payment_hash ?? '');
  return payment_key === undefined ? { result: 'continue' } : { result: 'resolve', payment_key };
}

async function serve({ id, method, params }: Request): Promise<void> {
  if (method === 'init' && params.configuration !== undefined) {
    const { 'lightning-dir': folder, 'rpc-file': file } = params.configuration;
    rpc = new RpcConnection(join(folder, file));
  }
  if (method === 'paycircle') {
    try {
      write({ id, result: await payCircle(params.route) });
    } catch (error) {
      write({ id, error: { code: -1, message: String(error) } });
    }
    return;
  }
  if (method === 'htlc_accepted') return write({ id, result: resolveOwn(params) });
  const results: Record<string, object> = { getmanifest: MANIFEST, custommsg: { result: 'continue' } };
  write({ id, result: results[method] ?? {} });
  if (method === 'custommsg') await hear(params);
}

const splitter = new ObjectSplitter();
process.stdin.setEncoding('utf8').on('data', (piece: string) => {
  for (const text of splitter.push(piece)) serve(JSON.parse(text));
});
process.stdin.on('end', () => process.exit(0));
