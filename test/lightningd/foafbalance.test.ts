/** The command foafbalance end to end: what friends are sent, what the caller gets, and what is refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { friends, type Query, type Reply, readQuery, replyHex } from './sample-messages.ts';
import { ALICE, BOB, CAROL, DAVE, ERIN, MALLORY, OURS, sampleMethods, ZOE } from './sample-node.ts';
import { StubLightningd } from './stub-lightningd.ts';
import { never } from './stub-rpc.ts';

/** What the tests look at in an answer. */
interface Answer {
  readonly direction: number;
  readonly amount_msat: number;
  readonly num_sent_queries: number;
  readonly num_replies: number;
  readonly elapsed_ms: unknown;
  readonly warning_no_friends?: unknown;
  readonly friends: readonly Readonly<Record<string, unknown>>[];
}

type Said = (peerId: string, query: Query) => Partial<Reply> | undefined;

/** A plugin that is ready, and what its friends say to its queries. */
async function start(t: Parameters<typeof StubLightningd.start>[0], said: Said): Promise<StubLightningd> {
  const stub = await StubLightningd.start(t, { methods: sampleMethods() });
  reply(stub, said);
  return stub.ready();
}

function reply(stub: StubLightningd, said: Said): void {
  stub.rpc.methods.set(
    'sendcustommsg',
    friends((peerId, payload) => stub.deliver(peerId, payload), said),
  );
}

async function ask(stub: StubLightningd, params: unknown): Promise<Answer> {
  return (await stub.call('foafbalance', params)) as Answer;
}

function statuses({ friends: answers }: Answer): unknown[] {
  return answers.map(({ peer_id, status }) => [peer_id, status]);
}

/** The queries that lightningd was given, in their order. */
function queries(stub: StubLightningd): [unknown, Query][] {
  return stub.rpc
    .callsOf('sendcustommsg')
    .map(({ params }) => [params['node_id'], readQuery(String(params['msg']))]);
}

const SILENCE: Said = () => undefined;

test('what is asked and what is answered', async t => {
  const stub = await start(t, SILENCE);

  await t.test('an answer, word by word', async () => {
    const timestampMs = Date.now() - 4000;
    reply(stub, peerId => {
      if (peerId === ALICE) return { timestampMs, shortChannelIds: ['90x1x0', '90x2x1'] };
      if (peerId === BOB) return { timestampMs, amountMsat: 100_000_000, shortChannelIds: [] };
      // Not in the gossip; in it and hers, but leads to us.
      return { timestampMs, shortChannelIds: ['80x1x0', '103x3x1'] };
    });
    const { elapsed_ms: elapsed, friends: answers, ...rest } = await ask(stub, [1, 30_000]);
    assert.ok(Number.isInteger(elapsed));
    assert.deepEqual(rest, {
      id: OURS,
      direction: 1,
      amount_msat: 30_000_000,
      num_sent_queries: 3,
      num_replies: 3,
    });
    const ages = answers.map(({ age_ms }) => age_ms);
    assert.ok(ages.every(age => Number.isInteger(age) && Number(age) >= 4000));
    const said = { status: 'replied', timestamp: timestampMs };
    const outOfAlice = { direction: 0, source: ALICE };
    assert.deepEqual(
      answers.map(({ age_ms: _age, ...answer }) => answer),
      [
        {
          peer_id: ALICE,
          ...said,
          amount_msat: 50_000_000,
          channels: [
            { ...outOfAlice, short_channel_id: '90x1x0', destination: BOB },
            { ...outOfAlice, short_channel_id: '90x2x1', destination: ZOE, direction: ALICE < ZOE ? 0 : 1 },
          ],
        },
        { peer_id: BOB, ...said, amount_msat: 100_000_000, channels: [] },
        { peer_id: CAROL, ...said, amount_msat: 50_000_000, channels: [] },
      ],
    );
    await stub.notified(3);
    assert.deepEqual(
      stub.notifications.filter(({ params }) => JSON.stringify(params).includes(ALICE)),
      [
        {
          topic: 'foaf_learned',
          params: {
            foaf_learned: {
              peer_id: ALICE,
              direction: 1,
              amount_msat: 50_000_000,
              timestamp: timestampMs,
              short_channel_ids: ['90x1x0', '90x2x1'],
            },
          },
        },
      ],
    );
  });

  await t.test(
    'the queries: to connected friends only, at the rung, each with an id of its own',
    async () => {
      reply(stub, () => ({}));
      const before = queries(stub).length;
      await ask(stub, { direction: 'in', amount: '0.0003btc' });
      const sent = queries(stub).slice(before);
      assert.deepEqual(sent.map(([peer]) => peer).sort(), [ALICE, BOB, CAROL]);
      for (const [, { flow, amountMsat }] of sent) assert.deepEqual([flow, amountMsat], [0, 50_000_000]);
      assert.equal(new Set(sent.map(([, { queryId }]) => queryId)).size, 3);
    },
  );

  await t.test('a friend who disconnects is not waited for', async () => {
    reply(stub, peerId => (peerId === ALICE ? undefined : {}));
    const asked = ask(stub, [1, 200_000, null, 300]);
    await stub.rpc.called('sendcustommsg', 9);
    stub.notify('disconnect', { disconnect: { id: ALICE } });
    const answer = await asked;
    assert.deepEqual(statuses(answer), [
      [ALICE, 'timeout'],
      [BOB, 'replied'],
      [CAROL, 'replied'],
    ]);
    assert.match(String(answer.friends[0]?.['reason']), /disconnected/);
  });

  await t.test('a channel of others is not believed, and who names it is not asked again', async () => {
    reply(stub, peerId => ({ shortChannelIds: peerId === CAROL ? ['90x2x1', '90x3x0'] : [] }));
    const told = await ask(stub, [1, 500_000, CAROL]);
    assert.deepEqual(
      told.friends.map(({ status, channels }) => [status, channels]),
      [['replied', [{ short_channel_id: '90x3x0', direction: 1, source: CAROL, destination: BOB }]]],
    );
    // lightningd is asked meanwhile whose channel it is.
    for (let strikes: unknown = 0; strikes === 0; ) {
      const { peers } = (await stub.call('foafstatus', [CAROL])) as { peers: { strikes: unknown }[] };
      strikes = peers[0]?.strikes;
    }
    const later = await ask(stub, [1, 1_000_000, CAROL]);
    assert.deepEqual(statuses(later), [[CAROL, 'skipped']]);
    assert.match(String(later.friends[0]?.['reason']), /^ignored for 10 min .*channel of others$/);
  });
});

test('which replies count', async t => {
  const stub = await start(t, SILENCE);

  await t.test('flow 0: the channels are given as the amount would flow, to the friend', async () => {
    reply(stub, peerId => ({ shortChannelIds: peerId === BOB ? ['90x1x0', '90x3x0'] : [] }));
    const { friends: answers } = await ask(stub, [0, 10_000, BOB]);
    assert.deepEqual(
      answers.map(({ channels }) => channels),
      [
        [
          { short_channel_id: '90x1x0', direction: 0, source: ALICE, destination: BOB },
          { short_channel_id: '90x3x0', direction: 1, source: CAROL, destination: BOB },
        ],
      ],
    );
  });

  await t.test('only a reply of that friend, to that question, counts', async () => {
    reply(stub, SILENCE);
    const before = queries(stub).length;
    const asked = ask(stub, [1, 50_000, ALICE]);
    await stub.rpc.called('sendcustommsg', before + 1);
    const [[, query] = []] = queries(stub).slice(before);
    assert.ok(query !== undefined);
    const timestampMs = Date.now();
    const right = { ...query, timestampMs, shortChannelIds: ['90x1x0'] };
    await stub.deliver(BOB, replyHex(right));
    await stub.deliver(ALICE, replyHex({ ...right, queryId: 'ffffffffffffffff' }));
    await stub.deliver(ALICE, replyHex({ ...right, flow: 0 }));
    await stub.deliver(ALICE, replyHex({ ...right, amountMsat: 20_000_000 }));
    await stub.deliver(ALICE, replyHex({ ...right, timestampMs: timestampMs + 3_600_000 }));
    await stub.deliver(ALICE, replyHex(right).replace('06226e46', '00226e46'));
    await stub.deliver(ALICE, `${replyHex(right)}0a00`);
    await stub.deliver(ALICE, replyHex({ ...right, shortChannelIds: ['90x2x1'] }));
    const [{ channels } = { channels: undefined }] = (await asked).friends;
    assert.deepEqual(channels, [
      { short_channel_id: '90x2x1', direction: 1, source: ALICE, destination: ZOE },
    ]);
  });

  await t.test('a friend’s answer counts though lightningd has not confirmed the sending', async () => {
    stub.rpc.methods.set('sendcustommsg', ({ node_id: peer, msg }) => {
      const query = readQuery(String(msg));
      stub.deliver(String(peer), replyHex({ ...query, timestampMs: Date.now(), shortChannelIds: [] }));
      return never();
    });
    const answer = await ask(stub, [1, 100_000, null, 300]);
    assert.deepEqual([answer.num_sent_queries, answer.num_replies], [3, 3]);
  });
});

test('two commands at once get their own answers, whichever friend speaks first', async t => {
  const stub = await start(t, SILENCE);
  const out = ask(stub, ['out', 20_000]);
  const into = ask(stub, ['in', '100000sat']);
  await stub.rpc.called('sendcustommsg', 6);
  // The last query is answered first, and the channel says which it was.
  for (const [peer, query] of queries(stub).reverse()) {
    const shortChannelIds = peer === ALICE ? [query.flow === 1 ? '90x1x0' : '90x2x1'] : [];
    await stub.deliver(String(peer), replyHex({ ...query, timestampMs: Date.now(), shortChannelIds }));
  }
  for (const [answer, direction, asked, rung, channel] of [
    [await out, 1, 20_000_000, 20_000_000, '90x1x0'],
    [await into, 0, 100_000_000, 100_000_000, '90x2x1'],
  ] as const) {
    assert.deepEqual([answer.direction, answer.amount_msat, answer.num_replies], [direction, asked, 3]);
    const [alice] = answer.friends;
    assert.equal(alice?.['amount_msat'], rung);
    const channels = alice?.['channels'] as readonly Readonly<Record<string, unknown>>[];
    assert.deepEqual(
      channels.map(({ short_channel_id }) => short_channel_id),
      [channel],
    );
  }
});

test('what is remembered, and how long is waited', async t => {
  const stub = await start(t, SILENCE);

  await t.test('what was said is remembered, until fresh asks again', async () => {
    reply(stub, () => ({ shortChannelIds: [] }));
    assert.deepEqual(statuses(await ask(stub, [1, 50_000])), [
      [ALICE, 'replied'],
      [BOB, 'replied'],
      [CAROL, 'replied'],
    ]);
    const again = await ask(stub, [1, 50_000]);
    assert.deepEqual([again.num_sent_queries, again.num_replies], [0, 0]);
    assert.deepEqual(statuses(again), [
      [ALICE, 'remembered'],
      [BOB, 'remembered'],
      [CAROL, 'remembered'],
    ]);
    const fresh = await ask(stub, { direction: 1, amount: 50_000, peers: [BOB], fresh: true });
    assert.deepEqual(statuses(fresh), [[BOB, 'replied']]);
    assert.equal(queries(stub).length, 4);
  });

  await t.test('the time that is given ends the wait, and foaf-timeout does when none is', async () => {
    reply(stub, peerId => (peerId === ALICE ? undefined : {}));
    await stub.call('setconfig', { config: 'foaf-timeout', val: '1' });
    // Either one that did not count would end the test by its own deadline.
    const sent = queries(stub).length;
    const first = ask(stub, [1, 100_000]);
    await stub.rpc.called('sendcustommsg', sent + 3);
    await stub.call('setconfig', { config: 'foaf-timeout', val: '300' });
    const answers = await Promise.all([first, ask(stub, [0, 50_000, null, '1'])]);
    for (const answer of answers) {
      assert.deepEqual(statuses(answer), [
        [ALICE, 'timeout'],
        [BOB, 'replied'],
        [CAROL, 'replied'],
      ]);
      assert.deepEqual([answer.num_sent_queries, answer.num_replies], [3, 2]);
    }
  });
});

test('without a friend the answer is empty, with a warning', async t => {
  const stub = await StubLightningd.start(t, { methods: sampleMethods() });
  stub.rpc.methods.set('listpeerchannels', () => ({ channels: [] }));
  await stub.ready();
  const answer = await ask(stub, [1, 50_000]);
  assert.deepEqual([answer.friends, answer.num_sent_queries, answer.num_replies], [[], 0, 0]);
  assert.equal(typeof answer.warning_no_friends, 'string');
});

test('bad parameters are -32602 with command, parameter, problem and what came, and nothing is sent', async t => {
  const stub = await start(t, () => ({}));
  const NAMES = 'direction, amount, peers, timeout, fresh';
  const AMOUNT = 'must be satoshis or an amount like 50000sat, 50000000msat or 0.0005btc';
  const PEERS = 'must be one node id or an array of them';
  const FRIENDS = 'must be connected peers with an active channel';
  const short = ALICE.slice(1);
  const bad: readonly (readonly [params: unknown, problem: string])[] = [
    [[], 'direction: must be 1 or out, 0 or in, got nothing'],
    [null, 'direction: must be 1 or out, 0 or in, got nothing'],
    [[2, 1], 'direction: must be 1 or out, 0 or in, got 2'],
    [['up', 1], 'direction: must be 1 or out, 0 or in, got up'],
    [[-1, 1], 'direction: must be 1 or out, 0 or in, got -1'],
    [[true, 1], 'direction: must be 1 or out, 0 or in, got true'],
    [['constructor', 1], 'direction: must be 1 or out, 0 or in, got constructor'],
    [[1], `amount: ${AMOUNT}, got nothing`],
    [[1, 0], 'amount: must be a positive amount, got 0'],
    [[1, -5], 'amount: must be a positive amount, got -5'],
    [[1, 'abc'], `amount: ${AMOUNT}, got abc`],
    [[1, 1.5], `amount: ${AMOUNT}, got 1.5`],
    [[1, '20000000.00000000001btc'], 'amount: must be at most 20000000btc, got 20000000.00000000001btc'],
    [[1, '20000001btc'], 'amount: must be at most 20000000btc, got 20000001btc'],
    [[1, 2_000_000_000_000_001], 'amount: must be at most 20000000btc, got 2000000000000001'],
    [{ direction: 1, amount: 0 }, 'amount: must be a positive amount, got 0'],
    [{ direction: 1, amount: 1, speed: 9 }, `speed: unknown parameter, expected ${NAMES}`],
    [[1, 1, ALICE, 1, true, 1], `too many parameters: at most 5 (${NAMES}), got 6`],
    [[1, 1, short], `peers: ${PEERS}, got ${short}`],
    [[1, 1, [ALICE, 7]], `peers: ${PEERS}, got 7`],
    [[1, 1, []], 'peers: must name a peer, got an empty array'],
    [[1, 1, MALLORY], `peers: ${FRIENDS}, got ${MALLORY}`],
    [[1, 1, [ALICE, DAVE]], `peers: ${FRIENDS}, got ${DAVE}`],
    [[1, 1, ERIN], `peers: ${FRIENDS}, got ${ERIN}`],
    [[1, 1, OURS], `peers: ${FRIENDS}, got ${OURS}`],
    ...[0, 301, -1, 1.5, 'soon'].map(
      timeout =>
        [[1, 1, ALICE, timeout], `timeout: must be whole seconds, 1 to 300, got ${timeout}`] as const,
    ),
    [[1, 1, ALICE, 1, 'maybe'], 'fresh: must be true or false, got maybe'],
    [{ direction: 1, amount: 1, fresh: 1 }, 'fresh: must be true or false, got 1'],
  ];
  for (const [params, problem] of bad) {
    await t.test(`${JSON.stringify(params)?.slice(0, 40)}: ${problem.slice(0, 80)}`, async () => {
      const error = await stub.refusal('foafbalance', params);
      assert.deepEqual(error, { code: -32602, message: `foafbalance: ${problem}` });
    });
  }
  await t.test('nothing was sent for any of them', async () => {
    await ask(stub, [1, 50_000, BOB]);
    assert.deepEqual(
      queries(stub).map(([peer]) => peer),
      [BOB],
    );
  });
});
