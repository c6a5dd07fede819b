/**
 * What friends say steers xpay: two ways to one node, the wide one empty and the narrow one full. A narrow channel with
 * an offer is chosen with our layer, the wide one without; and what fails on the way is told to the layer too.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ask, assertNoComplaints, PLUGIN } from './friends.ts';
import { missingPrograms, RegtestNetwork, type RegtestNode } from './harness.ts';

const AMOUNT_MSAT = 200_000_000;

interface Routes {
  routes: { path: { short_channel_id_dir: string }[] }[];
}

interface Layers {
  layers: {
    layer: string;
    persistent: boolean;
    constraints: { short_channel_id_dir: string; minimum_msat?: number; maximum_msat?: number }[];
  }[];
}

interface Status {
  peers: { peer_id: string; offers_kept: number; offers_failed: number }[];
  knowledge: { channels: number; marked_channels: number };
  layer?: { name: string; entries: number };
}

/** The channels of a route, without their directions. */
async function route(from: RegtestNode, to: RegtestNode, layers: readonly string[]): Promise<string[]> {
  const { routes } = await from.rpc<Routes>('getroutes', {
    source: from.id,
    destination: to.id,
    amount_msat: AMOUNT_MSAT,
    layers: ['auto.localchans', ...layers],
    maxfee_msat: 1_000_000,
    final_cltv: 18,
    maxparts: 1,
  });
  return (routes[0]?.path ?? []).map(hop => hop.short_channel_id_dir.split('/')[0] ?? '');
}

async function constraints(
  node: RegtestNode,
  layer = 'foaf',
): Promise<Layers['layers'][number]['constraints']> {
  const { layers } = await node.rpc<Layers>('askrene-listlayers', { layer });
  return layers[0]?.constraints ?? assert.fail(`no layer ${layer}`);
}

/** Asks lightningd again until there is an answer: nobody says when the layer has been told. */
async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  const endsAt = Date.now() + 20_000;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    assert.ok(Date.now() < endsAt, 'it did not come');
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

test('the layer for xpay', { skip: missingPrograms() ?? false }, async t => {
  const options = { plugin: PLUGIN };
  await using network = await RegtestNetwork.start({ nodes: [options, options, options, options] });
  const [a, b, c, d] = [network.node(0), network.node(1), network.node(2), network.node(3)];
  const [ab = '', , bd = '', cd = ''] = await network.openChannels([
    { from: 0, to: 1, amountSat: 1_000_000 },
    { from: 0, to: 2, amountSat: 1_000_000 },
    { from: 1, to: 3, amountSat: 300_000 },
    { from: 2, to: 3, amountSat: 4_000_000, pushSat: 3_900_000 },
  ]);

  await t.test('it is there from the start, empty, not persistent', async () => {
    const { layers } = await a.rpc<Layers>('askrene-listlayers', { layer: 'foaf' });
    assert.deepEqual(
      layers.map(({ layer, persistent, constraints: held }) => ({ layer, persistent, held })),
      [{ layer: 'foaf', persistent: false, held: [] }],
    );
  });

  await t.test(
    'an offer is told, and getroutes chooses the offered channel where it did not before',
    async () => {
      assert.ok((await route(a, d, ['foaf'])).includes(cd), 'the wide one, while nothing is known');
      await ask(a, { direction: 'out', amount: AMOUNT_MSAT / 1000 });
      const direction = b.id < d.id ? 0 : 1;
      const told = await until(async () =>
        (await constraints(a)).find(each => each.minimum_msat !== undefined),
      );
      assert.equal(told.short_channel_id_dir, `${bd}/${direction}`);
      assert.equal(told.minimum_msat, AMOUNT_MSAT);
      assert.deepEqual(await route(a, d, ['foaf']), [ab, bd]);
      assert.ok((await route(a, d, [])).includes(cd), 'without the layer');
    },
  );

  await t.test('xpay with the layer pays by the offered channel at the first try', async () => {
    const { bolt11 } = await d.rpc<{ bolt11: string }>('invoice', {
      amount_msat: AMOUNT_MSAT,
      label: 'with',
      description: 'with',
    });
    await a.rpc('xpay', { invstring: bolt11, layers: ['foaf'] });
    // Both ends still have to agree on it.
    await until(async () => {
      const { channels } = await b.rpc<{ channels: { to_us_msat: number }[] }>('listpeerchannels', {
        id: d.id,
      });
      return channels[0]?.to_us_msat === 300_000_000 - AMOUNT_MSAT ? true : undefined;
    });
    const status = await until(async () => {
      const now = await a.rpc<Status>('foafstatus');
      return now.peers.some(peer => peer.offers_kept > 0) ? now : undefined;
    });
    const friend = status.peers.find(peer => peer.peer_id === b.id);
    assert.deepEqual([friend?.offers_kept, friend?.offers_failed], [1, 0]);
  });

  await t.test('what we used up ourselves is no longer answered from memory', async () => {
    const answer = await ask(a, { direction: 'out', amount: AMOUNT_MSAT / 1000 });
    const friend = answer.friends.find(({ peer_id }) => peer_id === b.id);
    assert.deepEqual([friend?.status, friend?.channels], ['remembered', []]);
  });

  await t.test('xpay that meets an empty channel: the layer is told at what amount', async () => {
    const { bolt11 } = await d.rpc<{ bolt11: string }>('invoice', {
      amount_msat: 150_000_000,
      label: 'without',
      description: 'without',
    });
    await assert.rejects(a.rpc('xpay', { invstring: bolt11, retry_for: 10 }));
    const empty = `${cd}/${c.id < d.id ? 0 : 1}`;
    // xpay tries the narrow one too, in whatever order.
    const told = await until(async () =>
      (await constraints(a)).find(
        each => each.short_channel_id_dir === empty && each.maximum_msat !== undefined,
      ),
    );
    // What xpay put into a part is its own choice, and two parts may meet there; the channel has 4,000,000 sat, of
    // which 100,000 can move.
    const maximumMsat = Number(told.maximum_msat);
    assert.ok(maximumMsat > 10_000_000 && maximumMsat < 4_000_000_000, String(maximumMsat));
  });

  await t.test(
    'another name at run time: the old layer stays, empty, so that payments that name it go on',
    async () => {
      await a.rpc('setconfig', { config: 'foaf-layer', val: 'friends', transient: true });
      await until(async () => {
        const { layers } = await a.rpc<Layers>('askrene-listlayers');
        return layers.some(({ layer }) => layer === 'friends') ? true : undefined;
      });
      assert.deepEqual(await constraints(a), []);
      const status = await a.rpc<Status>('foafstatus');
      assert.equal(status.layer?.name, 'friends');
    },
  );

  await t.test('a plugin that is stopped and started finds its layer and begins anew', async () => {
    await a.rpc('plugin', { subcommand: 'stop', plugin: PLUGIN });
    await a.rpc('plugin', { subcommand: 'start', plugin: PLUGIN });
    assert.deepEqual(await constraints(a), []);
    await ask(a, { direction: 'out', amount: 10_000, fresh: true });
  });
  assertNoComplaints(network);
});
