import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LayerWord } from '../../src/knowledge/layer-plan.ts';
import { AskreneLayer } from '../../src/lightningd/askrene-layer.ts';
import { RpcConnectionError, RpcError } from '../../src/lightningd/errors.ts';
import { createLogger } from '../../src/lightningd/logger.ts';
import { ManualClock } from '../sharing/world.ts';
import { FakeRpc } from './fake-rpc.ts';

/** askrene, as far as we use it: the largest minimum and the smallest maximum count. */
class World {
  readonly clock = new ManualClock();
  readonly lines: string[] = [];
  /** Layers by name, and in each the constraints by channel, direction and kind. */
  readonly layers = new Map<string, Map<string, bigint>>();
  name = 'foaf';
  wanted = new Map<string, LayerWord>();
  readonly rpc = new FakeRpc(({ method, params }) => {
    const { layer: name, ...rest } = params as { layer: string } & Record<string, unknown>;
    if (method === 'askrene-create-layer') {
      if (this.layers.has(name)) throw new RpcError(method, -32602, 'Layer already exists');
      this.layers.set(name, new Map());
      return {};
    }
    const layer = this.layers.get(name);
    if (layer === undefined) throw new RpcError(method, -32602, 'Unknown layer');
    if (method === 'askrene-age') {
      assert.ok(Number(rest['cutoff']) * 1000 > this.clock.wall, 'a cutoff ahead');
      layer.clear();
      return {};
    }
    assert.equal(method, 'askrene-inform-channel');
    const { short_channel_id_dir, inform, amount_msat } = rest as { amount_msat: bigint } & Record<
      string,
      string
    >;
    const key = `${short_channel_id_dir} ${inform}`;
    const before = layer.get(key);
    if (before === undefined || (inform === 'unconstrained' ? amount_msat > before : amount_msat < before)) {
      layer.set(key, amount_msat);
    }
    return {};
  });
  readonly layer = new AskreneLayer({
    rpc: this.rpc,
    clock: this.clock,
    logger: createLogger((message, level) => this.lines.push(`${level} ${message}`)),
    name: () => this.name,
    wanted: () => this.wanted,
  });

  want(words: Readonly<Record<string, number>>): void {
    this.wanted = new Map(
      Object.entries(words).map(([shortChannelIdDir, amount]) => [
        `${shortChannelIdDir} unconstrained`,
        { shortChannelIdDir, inform: 'unconstrained', amountMsat: BigInt(amount) },
      ]),
    );
    this.layer.changed();
  }

  get held(): Record<string, number> {
    const words = [...(this.layers.get(this.name) ?? [])];
    return Object.fromEntries(words.map(([key, amount]) => [key.split(' ')[0], Number(amount)]));
  }
}

test('the layer is made and emptied at the start, whoever made it before', async () => {
  const world = new World();
  world.layers.set('foaf', new Map([['1x1x1/0 unconstrained', 5n]]));
  await world.layer.open();
  assert.deepEqual(world.held, {});
  assert.deepEqual(world.layer.state, { name: 'foaf', entries: 0 });
  assert.deepEqual(world.lines, []);
});

test('each word is told once; a raised one again; what must go empties the layer, at most once a minute', async () => {
  const world = new World();
  await world.layer.open();
  await world.clock.advance(60_000);
  world.want({ '1x1x1/0': 50, '2x2x2/1': 20 });
  await world.clock.advance(250);
  assert.deepEqual(world.held, { '1x1x1/0': 50, '2x2x2/1': 20 });
  world.want({ '1x1x1/0': 100, '2x2x2/1': 20 });
  await world.clock.advance(250);
  assert.deepEqual(world.held, { '1x1x1/0': 100, '2x2x2/1': 20 });
  assert.deepEqual([world.rpc.count('askrene-inform-channel'), world.rpc.count('askrene-age')], [3, 0]);
  world.want({ '1x1x1/0': 30 });
  await world.clock.advance(250);
  assert.deepEqual(world.held, { '1x1x1/0': 30 });
  world.want({ '3x3x3/0': 5 });
  await world.clock.advance(250);
  assert.deepEqual(world.held, { '1x1x1/0': 30, '3x3x3/0': 5 }, 'new words at once');
  await world.clock.advance(59_000);
  assert.equal(world.rpc.count('askrene-age'), 1);
  await world.clock.advance(1_000);
  assert.deepEqual(world.held, { '3x3x3/0': 5 });
});

test('what expires is found within a minute without anybody saying so', async () => {
  const world = new World();
  await world.layer.open();
  world.want({ '1x1x1/0': 50 });
  await world.clock.advance(250);
  world.wanted = new Map();
  await world.clock.advance(60_000);
  assert.deepEqual(world.held, {});
});

test('another name: the old layer stays, empty; none: it stays, empty, too', async () => {
  const world = new World();
  await world.layer.open();
  world.want({ '1x1x1/0': 50 });
  await world.clock.advance(250);
  world.name = 'other';
  world.layer.changed();
  await world.clock.advance(250);
  assert.equal(world.layers.get('foaf')?.size, 0);
  assert.deepEqual(world.held, { '1x1x1/0': 50 });
  world.name = '';
  world.layer.changed();
  await world.clock.advance(250);
  assert.equal(world.layers.get('other')?.size, 0);
  assert.equal(world.layer.state, undefined);
});

test('a layer that got lost is made and told again within a minute', async () => {
  const world = new World();
  await world.layer.open();
  world.want({ '1x1x1/0': 50 });
  await world.clock.advance(250);
  world.layers.clear();
  await world.clock.advance(60_000);
  assert.deepEqual(world.held, { '1x1x1/0': 50 });
  world.layers.clear();
  world.want({ '1x1x1/0': 60 });
  await world.clock.advance(250);
  assert.match(world.lines.join(), /could not be told: Unknown layer/);
  await world.clock.advance(60_000);
  assert.deepEqual(world.held, { '1x1x1/0': 60 });
});

test('endless changes do not keep the layer from being told, and one during the telling is told right after', async () => {
  const world = new World();
  await world.layer.open();
  for (let change = 1; change <= 5; change++) {
    world.want({ '1x1x1/0': change });
    await world.clock.advance(100);
  }
  assert.equal(world.held['1x1x1/0'], 3);
  const plain = world.rpc.answer;
  let open = () => {};
  world.rpc.answer = async call => {
    await new Promise<void>(resolve => {
      open = resolve;
    });
    return plain(call);
  };
  await world.clock.advance(250);
  world.want({ '1x1x1/0': 9 });
  await world.clock.advance(250);
  world.rpc.answer = plain;
  open();
  await world.clock.advance(0);
  await world.clock.advance(250);
  assert.deepEqual(world.held, { '1x1x1/0': 9 });
});

test('a node without askrene: one line, and no more calls', async () => {
  const world = new World();
  world.rpc.answer = ({ method }) => {
    throw new RpcError(method, -32601, 'Unknown command');
  };
  await world.layer.open();
  world.want({ '1x1x1/0': 50 });
  await world.clock.advance(120_000);
  assert.equal(world.rpc.calls.length, 1);
  assert.deepEqual(world.lines, ['info this node has no askrene: there is no layer for xpay']);
});

test('after a lost call the layer is told everything anew, since nobody knows what it holds', async () => {
  const world = new World();
  await world.layer.open();
  await world.clock.advance(60_000);
  const plain = world.rpc.answer;
  world.rpc.answer = call => {
    plain(call);
    throw new RpcConnectionError('gone');
  };
  world.want({ '1x1x1/0': 50 });
  await world.clock.advance(250);
  assert.match(world.lines.join(), /^unusual the layer for xpay could not be told: gone$/);
  world.rpc.answer = plain;
  world.want({ '1x1x1/0': 30 });
  await world.clock.advance(250);
  assert.deepEqual(world.held, { '1x1x1/0': 30 });
});
