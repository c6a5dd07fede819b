/** The custommsg hook: a wrong answer aborts lightningd, a late one stalls a peer. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { queryHex } from './sample-messages.ts';
import { ALICE, BOB, MALLORY, sampleMethods } from './sample-node.ts';
import { StubLightningd } from './stub-lightningd.ts';
import { never } from './stub-rpc.ts';

const QUERY = queryHex({ flow: 1, amountMsat: 50_000_000, queryId: '0102030405060708' });

test('10,000 calls in a row are each continued, in order, whatever else goes on', async t => {
  const stub = await (await StubLightningd.start(t, { methods: sampleMethods() })).ready();
  const before = stub.replies.length;
  const payloads = [QUERY, '0007aabb', '015b', `015b01${'ff'.repeat(300)}`, `015bff${'00'.repeat(3000)}`];
  const peers = [ALICE, BOB, MALLORY];
  const ids = Array.from({ length: 10_000 }, (_, n) => `cln:custommsg#${n}`);
  const requests = ids.map((id, n) => {
    stub.expect(id);
    const params = { payload: payloads[n % payloads.length], peer_id: peers[n % peers.length] };
    return JSON.stringify({ jsonrpc: '2.0', id, method: 'custommsg', params });
  });
  stub.write(requests.join('\n\n'));
  await stub.answered(before + ids.length);
  assert.deepEqual(
    stub.replies.slice(before),
    ids.map(id => ({ jsonrpc: '2.0', id, result: { result: 'continue' } })),
  );
});

test('whatever a call holds, it is continued and the plugin goes on', async t => {
  const stub = await (await StubLightningd.start(t, { methods: sampleMethods() })).ready();
  const message = (payload: unknown, peer: unknown = ALICE) => ({ payload, peer_id: peer });
  const nonsense: readonly (readonly [name: string, params: unknown])[] = [
    ['null', null],
    ['an array', []],
    ['positions', [ALICE, QUERY]],
    ['a number', 17],
    ['a string', QUERY],
    ['nothing in it', {}],
    ['no payload', { peer_id: ALICE }],
    ['no peer', { payload: QUERY }],
    ['null for both', message(null, null)],
    ['numbers for both', message(347, 2)],
    ['a peer that is no node id', message(QUERY, 'é')],
    ['a peer named like a part of every object', message(QUERY, '__proto__')],
    ['an empty payload', message('')],
    ['one byte', message('01')],
    ['half a byte', message('0')],
    ['the type and no more', message('015b')],
    ['the type and half a byte', message('015b0')],
    ['another type', message('00070000')],
    ['digits that are no hexadecimal', message('015bzz')],
    ['text that is no hexadecimal', message('015b😀\n\u0000')],
    ['65,535 bytes', message(`015b${'00'.repeat(65_533)}`)],
    ['65,535 bytes of small records', message(`015b${'0100'.repeat(32_766)}01`)],
    ['65,536 bytes', message(`015b${'00'.repeat(65_534)}`)],
    ['200 kB', message(`015b${'ab'.repeat(200_000)}`)],
    ['400 kB of zeros from a stranger', message('00'.repeat(400_000), MALLORY)],
  ];
  for (const [name, params] of nonsense) {
    await t.test(name, async () => {
      const { result, error } = await stub.request('custommsg', params);
      assert.deepEqual([result, error], [{ result: 'continue' }, undefined]);
    });
  }

  await t.test('a nest of 100,000 brackets', async () => {
    const nest = '['.repeat(100_000) + ']'.repeat(100_000);
    stub.expect('nest');
    stub.write(`{"id":"nest","method":"custommsg","params":{"payload":"${QUERY}","peer_id":${nest}}}`);
    assert.deepEqual((await stub.answerTo('nest')).result, { result: 'continue' });
  });

  await t.test('afterwards a friend is answered and foafbalance works', async () => {
    await stub.deliver(BOB, QUERY);
    assert.equal((await stub.rpc.called('sendcustommsg'))['node_id'], BOB);
    const { code } = await stub.refusal('foafbalance', [1, 0]);
    assert.equal(code, -32602);
    const asked = await stub.call('foafbalance', [1, 50_000, ALICE, 1]);
    assert.ok(typeof asked === 'object' && asked !== null && 'friends' in asked);
  });
});

test('a call before init is continued', async t => {
  const stub = await StubLightningd.start(t, { methods: sampleMethods() });
  await stub.deliver(ALICE, QUERY);
  assert.deepEqual(await stub.init(), {});
});

test('a call is continued though lightningd answers nothing that is needed for its message', async t => {
  const methods = { ...sampleMethods(), listpeerchannels: never, getinfo: never };
  const stub = await (await StubLightningd.start(t, { methods })).ready();
  await stub.deliver(ALICE, QUERY);
  await stub.deliver(BOB, QUERY);
});
