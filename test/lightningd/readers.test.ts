import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RpcError, UnexpectedAnswerError } from '../../src/lightningd/errors.ts';
import { GossipReader } from '../../src/lightningd/gossip-reader.ts';
import { createMessenger } from '../../src/lightningd/messenger.ts';
import { lightningdView } from '../../src/lightningd/node-channels.ts';
import { ViewReader } from '../../src/lightningd/view-reader.ts';
import { ManualClock, nodeId, scid, settled } from '../sharing/world.ts';
import { QUERY, QUERY_HEX } from '../wire/messages.ts';
import { type Call, FakeRpc } from './fake-rpc.ts';

const US = nodeId(0);
const PEER = nodeId(1);
const GETINFO = { id: US, blockheight: 1000 };
const LIMITS = {
  htlc_minimum_msat: 1,
  htlc_maximum_msat: 990_000_000,
  fee_base_msat: 1000,
  fee_proportional_millionths: 10,
  cltv_expiry_delta: 34,
};
/** As v26.06 tells it, without what nobody reads. */
const PEER_CHANNEL = {
  peer_id: PEER,
  peer_connected: true,
  reestablished: true,
  state: 'CHANNELD_NORMAL',
  private: false,
  short_channel_id: '100x1x0',
  to_us_msat: 600_000_000,
  total_msat: 1_000_000_000,
  spendable_msat: 580_000_000,
  receivable_msat: 380_000_000,
  updates: {
    local: LIMITS,
    remote: { ...LIMITS, htlc_minimum_msat: 0, htlc_maximum_msat: '18446744073709551615' },
  },
};

function node(answers: Readonly<Record<string, unknown>>) {
  return new FakeRpc(({ method }) => {
    if (method in answers) return answers[method];
    throw new RpcError(method, -32601, `Unknown command '${method}'`);
  });
}

function reader(channel: object = PEER_CHANNEL) {
  const clock = new ManualClock();
  const rpc = node({ getinfo: GETINFO, listpeerchannels: { channels: [channel] } });
  return { rpc, clock, channels: new ViewReader(lightningdView(rpc), clock) };
}

test('listpeerchannels becomes our view of a channel, integers beyond 2^53 included', async () => {
  const { channels } = reader();
  assert.equal(channels.isFriend(PEER), false, 'nothing was read yet');
  assert.deepEqual(await channels.read(0), {
    nodeId: US,
    blockHeight: 1000,
    channels: [
      {
        peerId: PEER,
        shortChannelId: scid('100x1x0'),
        state: 'normal',
        isPublic: true,
        peerConnected: true,
        usable: true,
        toUsMsat: 600_000_000n,
        totalMsat: 1_000_000_000n,
        spendableMsat: 580_000_000n,
        receivableMsat: 380_000_000n,
        localLimits: { minimumMsat: 1n, maximumMsat: 990_000_000n },
        remoteLimits: { minimumMsat: 0n, maximumMsat: 18_446_744_073_709_551_615n },
        remoteTerms: { baseFeeMsat: 1000n, feePpm: 10n, cltvExpiryDelta: 34 },
      },
    ],
  });
  assert.equal(channels.isFriend(PEER), true);
});

test('what other states and older releases tell', async () => {
  const first = async (changes: object) =>
    (await reader({ ...PEER_CHANNEL, ...changes }).channels.read(0)).channels[0];
  assert.equal((await first({ state: 'CHANNELD_AWAITING_SPLICE' }))?.state, 'splicing');
  assert.equal((await first({ state: 'ONCHAIN' }))?.state, 'other');
  assert.equal((await first({ private: true }))?.isPublic, false);
  assert.equal((await first({ private: undefined }))?.isPublic, false);
  assert.equal((await first({ reestablished: false }))?.usable, false);
  assert.equal((await first({ reestablished: undefined }))?.usable, true);
  assert.equal((await first({ peer_connected: false }))?.usable, false);
  assert.equal((await first({ short_channel_id: undefined }))?.shortChannelId, undefined);
  assert.equal((await first({ updates: { local: LIMITS } }))?.remoteLimits, undefined);
  assert.equal((await first({ to_us_msat: '600000000msat' }))?.toUsMsat, 600_000_000n);
  const before2402 = await first({ updates: undefined, minimum_htlc_out_msat: 5, maximum_htlc_out_msat: 7 });
  assert.deepEqual(before2402?.localLimits, { minimumMsat: 5n, maximumMsat: 7n });
  assert.deepEqual(before2402?.remoteLimits, { minimumMsat: 0n, maximumMsat: 1_000_000_000n });
  await assert.rejects(first({ to_us_msat: -1 }), UnexpectedAnswerError);
  await assert.rejects(first({ peer_id: 'nobody' }), /listpeerchannels unexpectedly: channels\.0\.peer_id/);
});

test('only a channel in use makes a friend: to begin opening one costs a stranger nothing', async () => {
  for (const [state, isFriend] of [
    ['CHANNELD_AWAITING_LOCKIN', false],
    ['DUALOPEND_AWAITING_LOCKIN', false],
    ['ONCHAIN', false],
    ['CHANNELD_NORMAL', true],
    ['CHANNELD_AWAITING_SPLICE', true],
  ] as const) {
    const { channels } = reader({ ...PEER_CHANNEL, state });
    await channels.read(0);
    assert.equal(channels.isFriend(PEER), isFriend, state);
  }
});

test('without listpeerchannels: listfunds, and the gossip says what is public and its limits', async () => {
  const gossiped = {
    source: US,
    destination: PEER,
    short_channel_id: '100x1x0',
    public: true,
    active: true,
    amount_msat: '1000000000msat',
    htlc_minimum_msat: 1,
    htlc_maximum_msat: 990_000_000,
  };
  const fund = {
    peer_id: PEER,
    connected: true,
    state: 'CHANNELD_NORMAL',
    our_amount_msat: 600_000_000,
    amount_msat: 1_000_000_000,
  };
  const rpc = node({
    getinfo: GETINFO,
    listfunds: {
      channels: [
        { ...fund, short_channel_id: '100x1x0' },
        { ...fund, short_channel_id: '100x2x0' },
        { ...fund, state: 'CHANNELD_AWAITING_LOCKIN' },
      ],
    },
    listchannels: { channels: [gossiped] },
  });
  const channels = new ViewReader(lightningdView(rpc), new ManualClock());
  const { channels: found } = await channels.read(0);
  assert.deepEqual(
    found.map(({ isPublic, state }) => [isPublic, state]),
    [
      [true, 'normal'],
      [false, 'normal'],
      [false, 'other'],
    ],
  );
  const [first] = found;
  // 1 % of the channel stays on each side as reserve.
  assert.deepEqual([first?.spendableMsat, first?.receivableMsat], [590_000_000n, 390_000_000n]);
  assert.deepEqual(first?.localLimits, { minimumMsat: 1n, maximumMsat: 990_000_000n });
  assert.deepEqual(
    rpc.calls.filter(({ method }) => method === 'listchannels').map(({ params }) => params),
    [{ source: US }, { destination: US }],
  );
  await channels.read(0);
  assert.equal(rpc.count('listpeerchannels'), 1, 'not tried again');
});

test('a reading is shared while it is under way, and remembered for whom it is fresh enough', async () => {
  const { rpc, clock, channels } = reader();
  const views = await Promise.all([channels.read(0), channels.read(0), channels.read(5000)]);
  assert.ok(views.every(view => view === views[0]));
  assert.equal(rpc.count('listpeerchannels'), 1);
  await clock.advance(5000);
  await channels.read(5000);
  assert.equal(rpc.count('listpeerchannels'), 1);
  await clock.advance(1);
  await channels.read(5000);
  assert.equal(rpc.count('listpeerchannels'), 2);
  await channels.read(0);
  assert.equal(rpc.count('listpeerchannels'), 3);
});

test('after a change the next reader reads anew, never beside a reading that began before it', async () => {
  const { rpc, channels } = reader();
  await channels.read(0);
  channels.invalidate();
  const answered: ((value: unknown) => void)[] = [];
  const plain = rpc.answer;
  rpc.answer = call =>
    call.method === 'listpeerchannels' ? new Promise(resolve => answered.push(resolve)) : plain(call);
  const open = async () => {
    await settled();
    assert.equal(answered.length, 1, 'one reading at a time');
    answered.pop()?.({ channels: [PEER_CHANNEL] });
    await settled();
  };
  const before = channels.read(5000);
  await settled();
  channels.invalidate();
  const after = [channels.read(5000), channels.read(0)];
  await open();
  await before;
  await open();
  assert.equal(await after[0], await after[1]);
  assert.notEqual(await after[0], await before);
  assert.equal(await channels.read(5000), await after[0]);
});

test('while a channel waits to be reestablished, which no notification ends, a reading lasts one second', async () => {
  const { rpc, clock, channels } = reader({ ...PEER_CHANNEL, reestablished: false });
  await channels.read(60_000);
  await clock.advance(1_000);
  await channels.read(60_000);
  assert.equal(rpc.count('listpeerchannels'), 1);
  await clock.advance(1);
  await channels.read(60_000);
  assert.equal(rpc.count('listpeerchannels'), 2);
});

test('a reading that fails is told to whoever waits, and the next reader tries again', async () => {
  const { rpc, channels } = reader();
  const plain = rpc.answer;
  rpc.answer = () => {
    throw new Error('gone');
  };
  await assert.rejects(channels.read(0), /gone/);
  rpc.answer = plain;
  assert.equal((await channels.read(5000)).channels.length, 1);
});

/** A gossip of one channel for whichever node is asked about. */
function gossipNode({ fails = false } = {}) {
  const rpc = new FakeRpc(({ params }: Call) => {
    if (fails) throw new Error('gone');
    const { source = nodeId(7), destination = nodeId(7) } = params as {
      source?: string;
      destination?: string;
    };
    const listed = { source, destination, public: true, active: true, amount_msat: 5, htlc_minimum_msat: 0 };
    return {
      channels: [
        { ...listed, short_channel_id: '200x1x0', htlc_maximum_msat: 4 },
        { ...listed, short_channel_id: '200x2x0', public: false },
        { ...listed, short_channel_id: '200x3x0' },
      ],
    };
  });
  const clock = new ManualClock();
  return { rpc, clock, gossip: new GossipReader(rpc, clock) };
}

test('gossip is read per friend and direction, with one selector, and never the private part', async () => {
  const { rpc, gossip } = gossipNode();
  const from = await gossip.read(PEER, 1);
  const to = await gossip.read(PEER, 0);
  assert.deepEqual(
    rpc.calls.map(({ params }) => params),
    [{ source: PEER }, { destination: PEER }],
  );
  assert.deepEqual([...from.keys()], [scid('200x1x0'), scid('200x3x0')]);
  assert.deepEqual(from.get(scid('200x1x0')), {
    shortChannelId: scid('200x1x0'),
    source: PEER,
    destination: nodeId(7),
    direction: 0,
    active: true,
    capacityMsat: 5n,
    limits: { minimumMsat: 0n, maximumMsat: 4n },
    terms: { baseFeeMsat: 1000n, feePpm: 10n, cltvExpiryDelta: 34 },
  });
  assert.deepEqual(to.get(scid('200x3x0'))?.limits, { minimumMsat: 0n, maximumMsat: 5n });
  assert.equal(to.get(scid('200x1x0'))?.direction, 1);
});

test('gossip is remembered for a while, shared while it is read, and read again after a failure', async () => {
  const { rpc, clock, gossip } = gossipNode();
  await Promise.all([gossip.read(PEER, 1), gossip.read(PEER, 1)]);
  await clock.advance(600_000);
  await gossip.read(PEER, 1);
  assert.equal(rpc.calls.length, 1);
  await gossip.read(PEER, 1, 30_000);
  assert.equal(rpc.calls.length, 2);
  await clock.advance(600_001);
  await gossip.read(PEER, 1);
  assert.equal(rpc.calls.length, 3);
  const broken = gossipNode({ fails: true });
  await assert.rejects(broken.gossip.read(PEER, 1));
  await assert.rejects(broken.gossip.read(PEER, 1));
  assert.equal(broken.rpc.calls.length, 2);
});

test('sendcustommsg, and dev-sendcustommsg from the first time on that it is missing', async () => {
  const modern = node({ sendcustommsg: {} });
  await createMessenger(modern)(PEER, QUERY);
  assert.deepEqual(modern.calls, [{ method: 'sendcustommsg', params: { node_id: PEER, msg: QUERY_HEX } }]);
  const old = node({ 'dev-sendcustommsg': {} });
  const send = createMessenger(old);
  await send(PEER, QUERY);
  await send(PEER, QUERY);
  assert.deepEqual(
    old.calls.map(({ method }) => method),
    ['sendcustommsg', 'dev-sendcustommsg', 'dev-sendcustommsg'],
  );
  const oldAtOnce = node({ 'dev-sendcustommsg': {} });
  const sendAtOnce = createMessenger(oldAtOnce);
  await Promise.all([sendAtOnce(PEER, QUERY), sendAtOnce(PEER, QUERY), sendAtOnce(PEER, QUERY)]);
  assert.equal(oldAtOnce.count('dev-sendcustommsg'), 3);
  const refusing = new FakeRpc(({ method }) => {
    throw new RpcError(method, -1, 'Peer is not connected');
  });
  await assert.rejects(createMessenger(refusing)(PEER, QUERY), /Peer is not connected/);
  assert.equal(refusing.calls.length, 1);
});
