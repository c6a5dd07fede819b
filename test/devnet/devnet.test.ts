import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { type DevNode, Devnet } from '../../src/devnet/devnet.ts';
import { RpcError } from '../../src/lightningd/errors.ts';
import { PLUGIN, Workshop } from './plugins.ts';

interface Friend {
  peer_id: string;
  status: string;
  reason?: string;
  channels: { short_channel_id: string; source: string; destination: string }[];
}

interface PeerChannel {
  peer_connected: boolean;
  state: string;
  to_us_msat: number;
  spendable_msat: number;
  receivable_msat: number;
  out_payments_fulfilled: number;
  in_fulfilled_msat: number;
  min_to_us_msat: number;
}

/** alice – bob – carol – dave, bob's balance at carol's end and carol's at dave's. */
const LINE = [
  { from: 'alice', to: 'bob', amountSat: 1_000_000, pushSat: 200_000 },
  { from: 'bob', to: 'carol', amountSat: 2_000_000 },
  { from: 'carol', to: 'dave', amountSat: 1_000_000, pushSat: 950_000 },
];

async function channelsOf(node: DevNode): Promise<PeerChannel[]> {
  return (await node.rpc<{ channels: PeerChannel[] }>('listpeerchannels')).channels;
}

async function ask(node: DevNode, direction: 'in' | 'out', more: object = {}): Promise<Friend[]> {
  const params = { direction, amount: 50_000, timeout: 20, ...more };
  return (await node.rpc<{ friends: Friend[] }>('foafbalance', params)).friends;
}

/** What a stub plugin was told, of one kind. */
function told(node: DevNode, kind: 'notification' | 'hook' | 'init' | 'setconfig') {
  return node.log.map(({ message }) => JSON.parse(message)).filter(entry => kind in entry);
}

test('the real plugin talks with its friends, which tell what is so', async () => {
  await using network = await Devnet.start({
    nodes: ['alice', 'bob', 'carol', 'dave'].map(name => ({ name, plugin: PLUGIN })),
  });
  const [, bobCarol] = network.openChannels(LINE);
  const [alice, bob, carol] = ['alice', 'bob', 'carol'].map(name => network.node(name));
  assert.ok(alice && bob && carol);

  const [out, ...others] = await ask(alice, 'out');
  assert.deepEqual(others, []);
  assert.equal(out?.peer_id, bob.id);
  assert.equal(out.status, 'replied');
  assert.deepEqual(
    out.channels.map(({ short_channel_id, source, destination }) => [short_channel_id, source, destination]),
    [[bobCarol, bob.id, carol.id]],
  );
  const [incoming] = await ask(alice, 'in');
  assert.equal(incoming?.status, 'replied');
  assert.deepEqual(incoming.channels, []);
  assert.equal((await ask(alice, 'out'))[0]?.status, 'remembered');
});

test('a friend without the plugin is silent, and one that goes meanwhile is not waited for', async () => {
  await using network = await Devnet.start({ nodes: [{ name: 'alice', plugin: PLUGIN }, { name: 'bob' }] });
  network.openChannels([{ from: 'alice', to: 'bob', amountSat: 1_000_000 }]);
  const alice = network.node('alice');
  const [silent] = await ask(alice, 'out', { timeout: 1 });
  assert.equal(silent?.status, 'timeout');
  assert.equal(silent.reason, undefined);

  const bob = network.node('bob');
  // Who never spoke is asked again only when named.
  const asked = ask(alice, 'in', { timeout: 20, peers: bob.id });
  setTimeout(() => network.disconnect('alice', 'bob'), 200);
  const [gone] = await asked;
  assert.deepEqual([gone?.status, gone?.reason], ['timeout', 'disconnected']);
  assert.deepEqual(await ask(alice, 'in'), []);
  network.connect('bob', 'alice');
  assert.equal((await ask(alice, 'in', { timeout: 1 })).length, 1);
});

test('the world changes as told, and the plugins learn what a real node says of it', async () => {
  using workshop = new Workshop();
  const plugin = workshop.stub();
  await using network = await Devnet.start({
    nodes: [
      { name: 'alice', plugin },
      { name: 'bob', plugin },
    ],
  });
  const [alice, bob] = [network.node('alice'), network.node('bob')];
  const [scid = ''] = network.openChannels([
    { from: 'alice', to: 'bob', amountSat: 1_000_000, pushSat: 200_000 },
  ]);
  assert.match(scid, /^102x1x\d+$/);

  network.pay(scid, 'alice', 100_000_000);
  const [ours] = await channelsOf(alice);
  assert.equal(ours?.to_us_msat, 700_000_000);
  assert.equal(ours.min_to_us_msat, 700_000_000);
  assert.equal(ours.out_payments_fulfilled, 1);
  const [theirs] = await channelsOf(bob);
  assert.equal(theirs?.in_fulfilled_msat, 100_000_000);
  assert.equal(theirs.spendable_msat, 290_000_000);
  assert.equal(theirs.receivable_msat, ours.spendable_msat);
  assert.throws(() => network.pay(scid, 'bob', 290_000_001), /1 to 290000000 msat can be paid/);

  network.disconnect('alice', 'bob');
  assert.equal((await channelsOf(alice))[0]?.peer_connected, false);
  network.connect('bob', 'alice');
  network.closeChannel(scid, 'bob');
  assert.equal((await channelsOf(alice))[0]?.state, 'CLOSINGD_COMPLETE');
  assert.throws(() => network.pay(scid, 'alice', 1), /CLOSINGD_COMPLETE/);
  network.mine(1);
  assert.equal((await channelsOf(alice))[0]?.state, 'ONCHAIN');
  assert.equal(network.height, 108);

  await alice.rpc('stub');
  const notifications = told(alice, 'notification');
  assert.deepEqual(
    notifications.map(({ notification, params }) => {
      const { new_state, cause, height, direction } = params[notification];
      return [notification, new_state ?? height ?? direction, cause].filter(Boolean).join(' ');
    }),
    [
      'connect out',
      'channel_state_changed CHANNELD_AWAITING_LOCKIN user',
      'block_added 102',
      'channel_state_changed CHANNELD_NORMAL user',
      ...[103, 104, 105, 106, 107].map(height => `block_added ${height}`),
      'disconnect',
      'connect in',
      'channel_state_changed CHANNELD_SHUTTING_DOWN remote',
      'channel_state_changed CLOSINGD_SIGEXCHANGE remote',
      'channel_state_changed CLOSINGD_COMPLETE remote',
      'block_added 108',
      'channel_state_changed FUNDING_SPEND_SEEN remote',
      'channel_state_changed ONCHAIN remote',
    ],
  );
});

test('gossip knows announced channels only, once they are deep enough, and closed ones as inactive', async () => {
  await using network = await Devnet.start({ nodes: ['alice', 'bob', 'carol'].map(name => ({ name })) });
  const [open = '', secret = ''] = network.openChannels([
    { from: 'alice', to: 'bob', amountSat: 1_000_000 },
    { from: 'alice', to: 'bob', amountSat: 1_000_000, announce: false },
  ]);
  const carol = network.node('carol');
  const listed = async () => {
    const { channels } = await carol.rpc<{ channels: { short_channel_id: string; active: boolean }[] }>(
      'listchannels',
      { source: network.node('alice').id },
    );
    return channels.map(({ short_channel_id, active }) => [short_channel_id, active]);
  };
  assert.deepEqual(await listed(), [[open, true]]);
  network.closeChannel(open, 'alice');
  assert.deepEqual(await listed(), [[open, false]]);
  network.closeChannel(secret, 'alice');
  assert.deepEqual(await listed(), [[open, false]]);
});

test('messages of one peer wait for one another, those of another peer do not', async () => {
  using workshop = new Workshop();
  const slow = workshop.stub({ holdsHooks: true });
  await using network = await Devnet.start({
    nodes: [{ name: 'alice' }, { name: 'bob' }, { name: 'carol', plugin: slow }],
  });
  const [alice, bob, carol] = ['alice', 'bob', 'carol'].map(name => network.node(name));
  assert.ok(alice && bob && carol);
  network.connect('alice', 'carol');
  network.connect('bob', 'carol');
  for (const msg of ['015b01', '7fff', '015b02'])
    await alice.rpc('sendcustommsg', { node_id: carol.id, msg });
  await bob.rpc('sendcustommsg', { node_id: carol.id, msg: '015b03' });
  const payloads = () => told(carol, 'hook').map(({ hook }) => hook.payload);
  await carol.rpc('stub');
  // Of a type that the plugin's filter does not name, 7fff does not even take time.
  assert.deepEqual(payloads(), ['015b01', '015b03']);
  await carol.rpc('release');
  while (payloads().length < 3) await carol.rpc('stub');
  assert.deepEqual(payloads(), ['015b01', '015b03', '015b02']);
});

test('options reach the plugin by init and by setconfig, typed there and as text here', async () => {
  using workshop = new Workshop();
  const plugin = workshop.stub();
  await using network = await Devnet.start({
    nodes: [{ name: 'alice', plugin, options: { 'stub-int': 9 } }],
  });
  const alice = network.node('alice');
  const [{ init }] = told(alice, 'init');
  assert.deepEqual(init.options, { 'stub-int': 9 });
  assert.equal(init.configuration['lightning-dir'], alice.lightningDir);
  const { config } = await alice.rpc<{ config: Record<string, unknown> }>('setconfig', ['stub-int', 11]);
  assert.equal(config['value_int'], 11);
  assert.deepEqual(told(alice, 'setconfig')[0].setconfig, { config: 'stub-int', val: '11' });
  await assert.rejects(alice.rpc('setconfig', { config: 'alias', val: 'x' }), /Unknown config option/);
  await assert.rejects(
    Devnet.start({ nodes: [{ name: 'bob', plugin, options: { 'stub-flag': true } }] }),
    /bob: --stub-flag: unknown option/,
  );
});

test('a plugin that disables itself leaves a node without one', async () => {
  using workshop = new Workshop();
  for (const script of [
    { manifest: { result: { disable: 'not today' } } },
    { init: { result: { disable: 'not today' } } },
  ]) {
    await using network = await Devnet.start({ nodes: [{ name: 'alice', plugin: workshop.stub(script) }] });
    const alice = network.node('alice');
    assert.equal(alice.disabled, 'not today');
    await assert.rejects(alice.rpc('stub'), /Unknown command 'stub'/);
  }
});

test('amounts beyond 2^53 pass through the node unchanged', async () => {
  await using network = await Devnet.start({ nodes: [{ name: 'alice', plugin: PLUGIN }] });
  const answer = await network.node('alice').rpc('foafbalance', ['out', '19999999.99999999999btc']);
  assert.equal(answer['amount_msat'], '1999999999999999999');
});

test('commands refuse what lightningd refuses, in its words', async () => {
  await using network = await Devnet.start({ nodes: [{ name: 'alice', plugin: PLUGIN }, { name: 'bob' }] });
  network.connect('alice', 'bob');
  const [alice, bob] = [network.node('alice'), network.node('bob')];
  const stranger = '0358b2d188dd060eb38f2afc963032b405ec26d86529ba59b7d521b899ad73c63e';
  const refusals: [string, object, number, RegExp][] = [
    ['nosuch', {}, -32601, /^Unknown command 'nosuch'$/],
    ['constructor', {}, -32601, /^Unknown command 'constructor'$/],
    ['sendcustommsg', {}, -32602, /^missing required parameter: node_id$/],
    ['sendcustommsg', { node_id: bob.id }, -32602, /^missing required parameter: msg$/],
    ['sendcustommsg', [bob.id, '015b', 1], -32602, /^too many parameters: got 3, expected 2$/],
    [
      'sendcustommsg',
      { node_id: bob.id, msg: '015b', foo: 1 },
      -32602,
      /^unknown parameter: foo, this may be/,
    ],
    ['sendcustommsg', ['xx', '015b'], -32602, /^node_id: should be a node id: invalid token '"xx"'$/],
    ['sendcustommsg', [stranger, '015b'], -32600, /^No such peer: 0358/],
    ['sendcustommsg', [bob.id, '0101'], -32600, /^Cannot send messages of type 257/],
    ['listchannels', { source: bob.id, destination: alice.id }, -32602, /^Can only specify one of/],
    ['listchannels', ['102'], -32602, /^short_channel_id: should be a short_channel_id/],
    ['listpeerchannels', [bob.id, '1x1x1'], -32602, /^Must not specify more than one of/],
    ['makesecret', {}, -32602, /^Must have either hex or string$/],
    ['makesecret', { hex: '00', string: 'x' }, -32602, /^Cannot have both hex and string$/],
    ['check', {}, -32602, /^missing required parameter: command_to_check$/],
    ['check', ['nosuch'], -32601, /^Unknown command 'nosuch'$/],
    ['check', ['sendcustommsg', bob.id], -32602, /^missing required parameter: msg$/],
    ['check', ['foafbalance', 1, 0], -32602, /^foafbalance: amount: must be a positive amount/],
    ['check', ['setconfig', 'foaf-timeout', 'soon'], -32602, /foaf-timeout: must be a whole number/],
    ['setconfig', ['foaf-timeout', 'soon'], -32602, /foaf-timeout: must be a whole number/],
    ['help', ['nosuch'], -32601, /^Unknown command nosuch$/],
  ];
  for (const [method, params, code, message] of refusals) {
    await assert.rejects(alice.rpc(method, params), (error: unknown) => {
      assert.ok(error instanceof RpcError, `${method}: ${error}`);
      assert.match(error.message, message);
      assert.equal(error.code, code, `${method}: ${error.message}`);
      return true;
    });
  }
  for (const check of [['foafbalance', 1, 5], ['getinfo'], ['setconfig', 'foaf-timeout', 3]])
    assert.deepEqual(await alice.rpc('check', check), { command_to_check: check[0] });
  const [byHex, byString, bobs] = await Promise.all([
    alice.rpc('makesecret', { hex: '616263' }),
    alice.rpc('makesecret', { string: 'abc' }),
    bob.rpc('makesecret', { string: 'abc' }),
  ]);
  assert.deepEqual(byHex, byString);
  assert.notDeepEqual(byHex, bobs);
});

test('stop ends all processes and removes the folder, and may be called twice', async () => {
  const network = await Devnet.start({ nodes: ['alice', 'bob'].map(name => ({ name, plugin: PLUGIN })) });
  const pids = network.nodes.map(({ pid }) => Number(pid));
  assert.ok(network.nodes.every(({ rpcPath }) => existsSync(rpcPath)));
  await network.stop();
  await network.stop();
  assert.equal(existsSync(network.directory), false);
  for (const pid of pids) assert.throws(() => process.kill(pid, 0), /ESRCH/);
});
