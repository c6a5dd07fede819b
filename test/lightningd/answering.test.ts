/** Queries of peers end to end: who gets which reply, on nodes of every age. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { queryHex, recordsOf } from './sample-messages.ts';
import {
  ALICE,
  BOB,
  CAROL,
  CHANNELS,
  DAVE,
  ERIN,
  fundedChannel,
  listpeerchannels,
  MALLORY,
  peerChannel,
  sampleMethods,
} from './sample-node.ts';
import { StubLightningd } from './stub-lightningd.ts';
import { RawJson, StubError, unknownCommand } from './stub-rpc.ts';

type Test = Parameters<typeof StubLightningd.start>[0];

/** The query of the protocol's example: out, 50,000 sat. */
const QUERY =
  '015b002006226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f010801020304050607080201010404' +
  '02faf080';
const OUT = { flow: 1, amountMsat: 50_000_000, queryId: '0102030405060708' } as const;
const IN = { ...OUT, flow: 0, queryId: '1112131415161718' } as const;

async function start(t: Test, methods: object = {}): Promise<StubLightningd> {
  const stub = await StubLightningd.start(t, { methods: { ...sampleMethods(), ...methods } });
  await stub.init();
  return stub;
}

/** Delivers a query and waits for the reply to it, in hex. */
async function replyTo(stub: StubLightningd, peerId: string, query: string, command = 'sendcustommsg') {
  const nth = stub.rpc.callsOf(command).length + 1;
  await stub.deliver(peerId, query);
  const { node_id: to, msg, ...rest } = await stub.rpc.called(command, nth);
  assert.deepEqual([to, rest], [peerId, {}]);
  return String(msg);
}

/** The channels that a reply names: 16 hex digits each. */
function channelsOf(reply: string): string[] {
  return recordsOf(reply).get(8)?.match(/.{16}/g) ?? [];
}

const ALICES = '0000670000010000';
const BOBS = '0000670000020000';

interface Told {
  readonly foaf_answered: { readonly peer_id: string };
}

test('a reply, byte by byte', async t => {
  const stub = await start(t);
  const before = Date.now();
  const reply = await replyTo(stub, ALICE, QUERY);
  const timestamp = recordsOf(reply).get(6) ?? '';
  assert.equal(
    reply,
    `${QUERY}${'06'}${'06'}${timestamp}${'08'}${'08'}${BOBS}`,
    'the query’s records, then the time and the channel',
  );
  const said = Number.parseInt(timestamp, 16);
  assert.equal(said % 10_000, 0);
  assert.ok(said > before - 10_000 && said <= Date.now());
});

test('each friend hears of the others’ channels that lean the right way', async t => {
  const stub = await start(t);
  const expected = [
    [ALICE, OUT, [BOBS]],
    [BOB, OUT, []],
    [CAROL, OUT, [BOBS]],
    [ALICE, IN, []],
    [BOB, IN, [ALICES]],
    [CAROL, IN, [ALICES]],
    [CAROL, { ...IN, amountMsat: 1_000_000_000 }, []],
    [BOB, { ...OUT, amountMsat: 12_000_000 }, []],
  ] as const;
  for (const [peer, query, channels] of expected) {
    assert.deepEqual(channelsOf(await replyTo(stub, peer, queryHex(query))), channels);
  }
});

test('a reply is for the rung that is not below the amount', async t => {
  const stub = await start(t);
  const reply = await replyTo(stub, ALICE, queryHex({ ...OUT, amountMsat: 20_000_001 }));
  assert.equal(recordsOf(reply).get(4), '02faf080');
});

test('whoever may not ask gets nothing, and neither does what is no query of ours', async t => {
  const stub = await start(t);
  const query = queryHex(OUT);
  for (const peer of [MALLORY, DAVE, ERIN]) await stub.deliver(peer, query);
  await stub.deliver(CAROL, query.replace('06226e46', '00226e46'));
  await stub.deliver(CAROL, `${query}0a00`);
  await stub.deliver(BOB, query.slice(0, -2));
  await stub.deliver(CAROL, query.replace('015b', '015d'));
  // They came before this one, and this one's reply comes after theirs would have.
  await replyTo(stub, ALICE, query);
  await replyTo(stub, CAROL, query);
  assert.deepEqual(
    stub.rpc.callsOf('sendcustommsg').map(({ params }) => params['node_id']),
    [ALICE, CAROL],
  );
  await stub.notified(2);
  assert.deepEqual(
    stub.notifications.map(({ topic, params }) => [topic, (params as Told).foaf_answered.peer_id]),
    [
      ['foaf_answered', ALICE],
      ['foaf_answered', CAROL],
    ],
  );
});

test('a channel that opens after the start makes a stranger a friend', async t => {
  const stub = await start(t);
  await replyTo(stub, ALICE, QUERY);
  const more = [...CHANNELS, { peerId: MALLORY, shortChannelId: '104x1x0', toUsMsat: 0 }];
  stub.rpc.methods.set('listpeerchannels', () => listpeerchannels(more.map(peerChannel)));
  stub.notify('channel_state_changed', { channel_state_changed: { peer_id: MALLORY } });
  assert.deepEqual(channelsOf(await replyTo(stub, MALLORY, QUERY)), [BOBS]);
});

test('integers that no double holds do no harm, and amounts keep every digit', async t => {
  // All the bitcoin that there will be less 12 millisatoshis, which a double does not tell from all of it.
  const large = '1999999999999999988';
  assert.equal(Number(large), 2e18);
  const fields = {
    [ALICE]: /"(total_msat|receivable_msat)":\d+/g,
    [BOB]: /"(to_us_msat|total_msat|spendable_msat|htlc_maximum_msat)":\d+/g,
  };
  const channels = CHANNELS.map(channel => {
    const text = JSON.stringify(peerChannel(channel));
    const known = fields[channel.peerId];
    return known === undefined ? text : text.replace(known, `"$1":${large}`);
  });
  const stub = await start(t, { listpeerchannels: () => new RawJson(`{"channels":[${channels}]}`) });
  const most = { ...OUT, amountMsat: 1_000_000_000_000_000_000 };
  assert.deepEqual(channelsOf(await replyTo(stub, ALICE, queryHex(most))), [BOBS]);
  // The next rung is all of it.
  const msat = `0408${(2n * 10n ** 18n).toString(16)}`;
  const tooMuch = queryHex(OUT).replace('040402faf080', msat);
  assert.deepEqual(channelsOf(await replyTo(stub, ALICE, tooMuch)), []);
});

test('a node before v23.02: listfunds and the gossip say what listpeerchannels would', async t => {
  const methods = {
    listpeerchannels: () => {
      throw unknownCommand('listpeerchannels');
    },
    listfunds: () => ({ outputs: [], channels: CHANNELS.map(fundedChannel) }),
  };
  const stub = await start(t, methods);
  assert.deepEqual(channelsOf(await replyTo(stub, ALICE, QUERY)), [BOBS]);
  assert.deepEqual(channelsOf(await replyTo(stub, BOB, queryHex(IN))), [ALICES]);
  await stub.deliver(MALLORY, QUERY);
  await stub.deliver(DAVE, QUERY);
  await replyTo(stub, CAROL, QUERY);
  assert.equal(stub.rpc.callsOf('sendcustommsg').length, 3);
  assert.equal(stub.rpc.callsOf('listpeerchannels').length, 1);
});

test('a node before v23.02 that writes amounts as text', async t => {
  const text = JSON.stringify({ channels: CHANNELS.map(fundedChannel) });
  const methods = {
    listpeerchannels: () => {
      throw unknownCommand('listpeerchannels');
    },
    listfunds: () => new RawJson(text.replace(/"((?:our_)?amount_msat)":(\d+)/g, '"$1":"$2msat"')),
  };
  const stub = await start(t, methods);
  assert.deepEqual(channelsOf(await replyTo(stub, ALICE, QUERY)), [BOBS]);
});

test('a node before v0.10.1: dev-sendcustommsg, from the first refusal on', async t => {
  const { sendcustommsg, ...methods } = sampleMethods();
  assert.ok(sendcustommsg !== undefined);
  const stub = await StubLightningd.start(t, { methods: { ...methods, 'dev-sendcustommsg': sendcustommsg } });
  await stub.ready();
  assert.deepEqual(channelsOf(await replyTo(stub, ALICE, QUERY, 'dev-sendcustommsg')), [BOBS]);
  assert.deepEqual(channelsOf(await replyTo(stub, BOB, QUERY, 'dev-sendcustommsg')), []);
  const sent = stub.rpc.calls.map(({ method }) => method).filter(method => method.includes('custommsg'));
  assert.deepEqual(sent, ['sendcustommsg', 'dev-sendcustommsg', 'dev-sendcustommsg']);
});

test('another refusal of sendcustommsg is no reason to call it otherwise', async t => {
  const stub = await start(t);
  stub.rpc.methods.set('sendcustommsg', () => {
    throw new StubError(-32602, 'Peer is not connected');
  });
  await stub.deliver(ALICE, QUERY);
  await stub.rpc.called('sendcustommsg');
  await replyTo(stub, CAROL, QUERY);
  assert.equal(stub.rpc.callsOf('dev-sendcustommsg').length, 0);
});

test('without makesecret (before v0.11) it works, with a word in the log', async t => {
  const { makesecret: _makesecret, ...methods } = sampleMethods();
  const stub = await StubLightningd.start(t, { methods });
  await stub.ready();
  assert.match(await stub.logged(/makesecret/), /^unusual /);
  assert.deepEqual(channelsOf(await replyTo(stub, ALICE, QUERY)), [BOBS]);
});

test('on another chain than regtest channels must be a day deep', async t => {
  const query = QUERY.replace(
    /06226e46[0-9a-f]{56}/,
    `f61eee3b63a380a477a063af32b2bbc97c9ff9f01f2c4225e9739881${'08'}000000`,
  );
  for (const [blockheight, answered] of [
    [103 + 142, [CAROL]],
    [103 + 143, [ALICE, CAROL]],
  ] as const) {
    const stub = await StubLightningd.start(t, { methods: sampleMethods() });
    const deep = { peerId: CAROL, shortChannelId: '2x1x0', toUsMsat: 0 };
    stub.rpc.methods.set('listpeerchannels', () => listpeerchannels([...CHANNELS, deep].map(peerChannel)));
    const info = sampleMethods()['getinfo']?.({}) as object;
    stub.rpc.methods.set('getinfo', () => ({ ...info, blockheight }));
    await stub.ready({ network: 'signet' });
    await stub.deliver(ALICE, query);
    await replyToLast(stub, CAROL, query);
    assert.deepEqual(
      stub.rpc.callsOf('sendcustommsg').map(({ params }) => params['node_id']),
      answered,
    );
  }
});

/** Delivers a query of a peer that is asked after others, and waits until that peer has its reply. */
async function replyToLast(stub: StubLightningd, peerId: string, query: string): Promise<void> {
  await stub.deliver(peerId, query);
  for (let nth = 1; (await stub.rpc.called('sendcustommsg', nth))['node_id'] !== peerId; nth++);
}
