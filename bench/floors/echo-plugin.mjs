#!/usr/bin/env node
/**
 * The least that asking all peers can cost a plugin in Node.js: `echobalance` sends each connected peer one message as
 * long as a query, its fellow there sends it back, and the command answers when all are back. No validation, no limits,
 * no reading of channels or gossip; it looks up the peers once and believes them connected for ever.
 */
import { connect } from 'node:net';
import { Splitter } from './splitter.mjs';

const TYPE = 40_001;
const ASK = '00';
const ECHO = '01';
/** A query's length: its type, which kind it is, a call's number, and filling. */
const FILLING = 'ab'.repeat(55 - 2 - 1 - 4);
const MANIFEST = {
  options: [],
  rpcmethods: [{ name: 'echobalance', usage: '', description: 'Floor of the benches' }],
  subscriptions: [],
  hooks: [{ name: 'custommsg', filters: [TYPE] }],
  nonnumericids: true,
  dynamic: true,
};

const waiting = new Map();
let lastCall = 0;
let peers;

const stdin = new Splitter();
process.stdin.on('data', chunk => {
  for (const request of stdin.push(chunk)) serve(request);
});
process.stdin.on('end', () => process.exit(0));

function serve({ id, method, params }) {
  const answer = result => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', id, result })}\n\n`);
  if (method === 'custommsg') {
    answer({ result: 'continue' });
    receive(params);
  } else if (method === 'echobalance') ask().then(answer);
  else if (method === 'getmanifest') answer(MANIFEST);
  else {
    // The socket lies in the folder that we run in.
    rpc = openRpc(params.configuration['rpc-file']);
    answer({});
  }
}

function receive({ peer_id, payload }) {
  if (!payload.startsWith(TYPE.toString(16))) return;
  const body = payload.slice(6);
  if (payload.slice(4, 6) === ASK) send(peer_id, ECHO + body);
  else waiting.get(body.slice(0, 8))?.();
}

async function ask() {
  peers ??= (await rpc('listpeers', {})).peers.filter(({ connected }) => connected);
  const call = (++lastCall).toString(16).padStart(8, '0');
  await new Promise(resolve => {
    let echoes = 0;
    waiting.set(call, () => ++echoes === peers.length && resolve());
    for (const { id } of peers) send(id, ASK + call + FILLING);
  });
  waiting.delete(call);
  return { echoes: peers.length };
}

function send(node_id, body) {
  rpc('sendcustommsg', { node_id, msg: TYPE.toString(16) + body });
}

let rpc;

function openRpc(path) {
  const socket = connect(path);
  const splitter = new Splitter();
  const calls = new Map();
  let lastId = 0;
  socket.on('data', chunk => {
    for (const { id, result } of splitter.push(chunk)) {
      calls.get(id)(result);
      calls.delete(id);
    }
  });
  return (method, params) =>
    new Promise(resolve => {
      const id = `echo:${method}#${++lastId}`;
      calls.set(id, resolve);
      socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n\n`);
    });
}
