/** lightningd's RPC while it is slow, gone, wrong or refusing: commands end with a code, and the plugin lives. */
import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { friends, queryHex } from './sample-messages.ts';
import { ALICE, BOB, CAROL, sampleMethods } from './sample-node.ts';
import { StubLightningd } from './stub-lightningd.ts';
import { never, type RpcMethod, StubError } from './stub-rpc.ts';
import { temporaryFolder } from './temporary-folder.ts';

type Test = Parameters<typeof StubLightningd.start>[0];

const QUERY = queryHex({ flow: 1, amountMsat: 50_000_000, queryId: '0102030405060708' });

interface Answer {
  readonly num_sent_queries: number;
  readonly num_replies: number;
  readonly friends: readonly Readonly<Record<string, unknown>>[];
}

/** A plugin whose friends all answer, until a test changes something. */
async function start(t: Test, methods: Readonly<Record<string, RpcMethod>> = {}): Promise<StubLightningd> {
  const stub = await StubLightningd.start(t, { methods: { ...sampleMethods(), ...methods } });
  stub.rpc.methods.set('sendcustommsg', answering(stub));
  return stub.ready();
}

function answering(stub: StubLightningd): RpcMethod {
  return friends(
    (peerId, payload) => stub.deliver(peerId, payload),
    // Carol has no part in that channel: to name it would be a breach.
    peerId => ({ shortChannelIds: peerId === CAROL ? [] : ['90x1x0'] }),
  );
}

/** Makes the plugin read its channels again at the next occasion. */
function change(stub: StubLightningd): void {
  stub.notify('channel_state_changed', { channel_state_changed: { peer_id: ALICE } });
}

async function ask(stub: StubLightningd, params: unknown = [1, 50_000]): Promise<Answer> {
  return (await stub.call('foafbalance', params)) as Answer;
}

function statuses({ friends: answers }: Answer): unknown[] {
  return answers.map(({ peer_id, status }) => [peer_id, status]);
}

/** All is well again. */
async function recovers(stub: StubLightningd): Promise<void> {
  for (const [name, method] of Object.entries(sampleMethods())) stub.rpc.methods.set(name, method);
  stub.rpc.methods.set('sendcustommsg', answering(stub));
  change(stub);
  assert.deepEqual(statuses(await ask(stub, { direction: 0, amount: 20_000, fresh: true })), [
    [ALICE, 'replied'],
    [BOB, 'replied'],
    [CAROL, 'replied'],
  ]);
}

const refuse: RpcMethod = () => {
  throw new StubError(-1, 'The database is locked', { retry: true });
};

for (const method of ['listpeerchannels', 'getinfo']) {
  test(`${method}`, async t => {
    const stub = await start(t);

    await t.test("refused: 3472 with lightningd's error", async () => {
      stub.rpc.methods.set(method, refuse);
      change(stub);
      assert.deepEqual(await stub.refusal('foafbalance', [1, 50_000]), {
        code: 3472,
        message: `lightningd refused ${method}: The database is locked`,
        data: { method, code: -1, message: 'The database is locked', data: { retry: true } },
      });
      await recovers(stub);
    });

    await t.test('answered in a shape that nobody knows: 3473 with the place', async () => {
      const odd = [null, [], 'no', {}, { id: 7, channels: 7 }, { channels: [{ peer_id: 'x' }] }];
      for (const shape of odd) {
        stub.rpc.methods.set(method, () => shape);
        change(stub);
        const { code, message } = await stub.refusal('foafbalance', [1, 50_000]);
        assert.equal(code, 3473, JSON.stringify(shape));
        assert.match(message, new RegExp(`^lightningd answered ${method} unexpectedly: .+: `));
      }
      await recovers(stub);
    });

    await t.test('not answered in time: 3471, and hooks are answered meanwhile', async () => {
      stub.rpc.methods.set(method, never);
      change(stub);
      const asked = stub.refusal('foafbalance', [1, 50_000, null, 1]);
      await stub.deliver(ALICE, QUERY);
      const { code, message } = await asked;
      assert.equal(code, 3471);
      assert.match(message, /in time/);
    });
  });
}

test('the connection', async t => {
  const stub = await start(t);

  await t.test('is gone: 3470, until it is there again', async () => {
    await stub.rpc.close();
    change(stub);
    const { code, message } = await stub.refusal('foafbalance', [1, 50_000]);
    assert.equal(code, 3470);
    assert.match(message, /connection to lightningd/);
    await stub.rpc.listen();
    await recovers(stub);
  });

  await t.test('closes while the channels are read: 3470', async () => {
    stub.rpc.methods.set('listpeerchannels', () => {
      stub.rpc.hangUp();
      return never();
    });
    change(stub);
    assert.equal((await stub.refusal('foafbalance', [1, 50_000])).code, 3470);
    await recovers(stub);
  });

  await t.test('closes while queries are sent: each friend’s sending has failed', async () => {
    stub.rpc.methods.set('sendcustommsg', () => {
      stub.rpc.hangUp();
      return never();
    });
    const answer = await ask(stub);
    assert.deepEqual(statuses(answer), [
      [ALICE, 'send_failed'],
      [BOB, 'send_failed'],
      [CAROL, 'send_failed'],
    ]);
    assert.deepEqual([answer.num_sent_queries, answer.num_replies], [0, 0]);
    await recovers(stub);
  });
});

test('the sending to one friend', async t => {
  const stub = await start(t);
  const send = answering(stub);

  await t.test('is refused: the others’ answers count', async () => {
    stub.rpc.methods.set('sendcustommsg', params => {
      if (params['node_id'] === BOB) throw new StubError(-1, 'Peer is not connected');
      return send(params);
    });
    const answer = await ask(stub);
    assert.deepEqual(statuses(answer), [
      [ALICE, 'replied'],
      [BOB, 'send_failed'],
      [CAROL, 'replied'],
    ]);
    assert.deepEqual([answer.num_sent_queries, answer.num_replies], [2, 2]);
    assert.match(String(answer.friends[1]?.['reason']), /Peer is not connected/);
  });

  await t.test('is not confirmed in time: the others’ answers count', async () => {
    stub.rpc.methods.set('sendcustommsg', params => (params['node_id'] === BOB ? never() : send(params)));
    const answer = await ask(stub, [1, 100_000, null, 1]);
    assert.deepEqual(statuses(answer), [
      [ALICE, 'replied'],
      [BOB, 'timeout'],
      [CAROL, 'replied'],
    ]);
    assert.deepEqual([answer.num_sent_queries, answer.num_replies], [2, 2]);
    await recovers(stub);
  });
});

test('the gossip on one friend', async t => {
  const stub = await start(t);
  const whole = sampleMethods()['listchannels'];

  for (const [name, amount, listchannels] of [
    ['is refused', 50_000, refuse],
    ['is odd', 100_000, () => ({ channels: [{ source: ALICE }] })],
  ] as const) {
    await t.test(`${name}: it has replied, but no channel of it is believed`, async () => {
      stub.rpc.methods.set('listchannels', params =>
        params['source'] === ALICE ? listchannels(params) : whole?.(params),
      );
      const { friends: answers } = await ask(stub, [1, amount]);
      assert.deepEqual(
        answers.map(({ status, channels }) => [status, (channels as unknown[]).length]),
        [
          ['replied', 0],
          ['replied', 1],
          ['replied', 0],
        ],
      );
      assert.match(String(answers[0]?.['reason']), /gossip/);
      assert.equal(answers[1]?.['reason'], undefined);
    });
  }

  await t.test('is not there in time: it has replied, with the reason for no channels', async () => {
    stub.rpc.methods.set('listchannels', never);
    const { friends: answers } = await ask(stub, [0, 50_000, ALICE, 1]);
    assert.deepEqual(answers, [
      { peer_id: ALICE, status: 'replied', reason: 'the gossip was not read in time', channels: [] },
    ]);
  });
});

test('lightningd refuses everything when a friend asks: silence, and the next query is answered', async t => {
  const stub = await start(t, { listpeerchannels: refuse, getinfo: refuse });
  const readings = stub.rpc.callsOf('listpeerchannels').length;
  await stub.deliver(ALICE, QUERY);
  await stub.rpc.called('listpeerchannels', readings + 1);
  for (const [name, method] of Object.entries(sampleMethods())) stub.rpc.methods.set(name, method);
  change(stub);
  await stub.deliver(CAROL, QUERY);
  assert.equal((await stub.rpc.called('sendcustommsg'))['node_id'], CAROL);
});

test('init fails when lightningd’s socket is not there, with a code', async t => {
  const stub = await StubLightningd.start(t);
  await stub.rpc.close();
  const configuration = { 'lightning-dir': stub.folder, 'rpc-file': 'lightning-rpc', network: 'regtest' };
  const { result, error } = await stub.request('init', { options: {}, configuration });
  assert.ok(error !== undefined || (typeof result === 'object' && result !== null && 'disable' in result));
});

test('the socket is found wherever the operator put it', async t => {
  /** lightningd's folder by a link with a name that no socket address holds. */
  const byLongLink = (folder: string) => {
    const link = join(temporaryFolder(), 'l'.repeat(120));
    symlinkSync(folder, link);
    return { 'lightning-dir': link, 'rpc-file': 'lightning-rpc' };
  };
  const places = {
    'an absolute rpc-file': (folder: string) => ({
      'lightning-dir': '/',
      'rpc-file': join(folder, 'lightning-rpc'),
    }),
    'a long path through a link': byLongLink,
  };
  for (const [where, place] of Object.entries(places)) {
    await t.test(where, async sub => {
      const stub = await StubLightningd.start(sub, { methods: sampleMethods() });
      await stub.call('getmanifest', {});
      const configuration = { ...place(stub.folder), network: 'regtest', startup: true };
      assert.deepEqual(await stub.call('init', { options: {}, configuration }), {});
      await stub.rpc.called('listpeerchannels');
    });
  }
});
