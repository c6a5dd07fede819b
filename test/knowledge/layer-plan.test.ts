import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Knowledge } from '../../src/knowledge/knowledge.ts';
import { type LayerWord, planLayer, wantedWords } from '../../src/knowledge/layer-plan.ts';
import { gossip, nodeId, scid } from '../sharing/world.ts';

const [ALICE, BOB] = [nodeId(1), nodeId(2)];

function said(
  knowledge: Knowledge,
  peer: number,
  rung: number,
  atMs: number,
  names: readonly string[],
): void {
  knowledge.learn(nodeId(peer), {
    flow: 1,
    amountMsat: BigInt(rung),
    timestampMs: BigInt(atMs),
    saidAtMs: atMs,
    channels: names.map(name => gossip(name, peer, 7)[1]),
  });
}

const wanted = (knowledge: Knowledge, since = 0) =>
  [...wantedWords(knowledge, since).values()].map(
    ({ shortChannelIdDir, inform, amountMsat }) => `${shortChannelIdDir} ${inform} ${amountMsat}`,
  );

test('the largest offer of each channel, and failures at what failed unless newer word contradicts them', () => {
  const knowledge = new Knowledge();
  said(knowledge, 1, 50, 10, ['200x1x0', '200x2x0']);
  said(knowledge, 1, 100, 10, ['200x1x0']);
  assert.deepEqual(wanted(knowledge), ['200x1x0/0 unconstrained 100', '200x2x0/0 unconstrained 50']);
  knowledge.failed({ shortChannelId: scid('200x1x0'), direction: 0 }, 80n, 20);
  assert.deepEqual(wanted(knowledge), [
    '200x1x0/0 constrained 80',
    '200x1x0/0 unconstrained 50',
    '200x2x0/0 unconstrained 50',
  ]);
  said(knowledge, 1, 100, 30, ['200x1x0']);
  assert.deepEqual(wanted(knowledge), ['200x1x0/0 unconstrained 100', '200x2x0/0 unconstrained 50']);
  assert.deepEqual(wanted(knowledge, 31), []);
});

test('nothing above what the channel can carry, and nothing of a friend whose record is bad', () => {
  const knowledge = new Knowledge();
  const [, channel] = gossip('200x1x0', 1, 7, { capacityMsat: 90n });
  knowledge.learn(ALICE, { flow: 1, amountMsat: 80n, timestampMs: 1n, saidAtMs: 1, channels: [channel] });
  said(knowledge, 2, 50, 1, ['200x2x0']);
  // Back through the channel: what was offered is more now.
  knowledge.moved({ shortChannelId: scid('200x1x0'), direction: channel.direction === 0 ? 1 : 0 }, 50n, 2);
  assert.deepEqual(wanted(knowledge), ['200x2x0/0 unconstrained 50', '200x1x0/0 unconstrained 90'].sort());
  for (let times = 0; times < 4; times++) knowledge.records.note(BOB, 'failed');
  assert.deepEqual(wanted(knowledge), ['200x1x0/0 unconstrained 90']);
});

test('at most 2000 channels, those of the newest word', () => {
  const knowledge = new Knowledge();
  for (let peer = 1; peer <= 5; peer++) {
    said(
      knowledge,
      peer,
      50,
      peer,
      Array.from({ length: 500 }, (_, index) => `${200 + peer}x${index}x0`),
    );
  }
  const words = wanted(knowledge);
  assert.equal(words.length, 2000);
  assert.ok(words.every(word => !word.startsWith('201x')));
});

/** A layer as askrene keeps it: the largest minimum and the smallest maximum of all that it was told. */
function believed(words: Iterable<LayerWord>): Record<string, bigint> {
  const layer: Record<string, bigint> = {};
  for (const { shortChannelIdDir, inform, amountMsat } of words) {
    const key = `${shortChannelIdDir} ${inform}`;
    const before = layer[key];
    const tightens =
      before === undefined || (inform === 'unconstrained' ? amountMsat > before : amountMsat < before);
    if (tightens) layer[key] = amountMsat;
  }
  return layer;
}

test('following the plan the layer always holds exactly what is wanted, and it is emptied only when something must go', () => {
  const word = fc
    .record({
      shortChannelIdDir: fc.constantFrom('1x1x1/0', '1x1x1/1', '2x2x2/0'),
      inform: fc.constantFrom('unconstrained' as const, 'constrained' as const),
      amountMsat: fc.bigInt(1n, 5n),
    })
    .map(each => [`${each.shortChannelIdDir} ${each.inform}`, each] as const);
  const state = fc.array(word).map(entries => new Map<string, LayerWord>(entries));
  fc.assert(
    fc.property(fc.array(state, { minLength: 1, maxLength: 8 }), states => {
      let told = new Map<string, LayerWord>();
      let layer: LayerWord[] = [];
      for (const target of states) {
        const { renew, tell } = planLayer(told, target);
        const mustGo = Object.entries(believed(layer)).some(([key, amount]) => {
          const other = target.get(key);
          return (
            other === undefined ||
            (other.inform === 'unconstrained' ? other.amountMsat < amount : other.amountMsat > amount)
          );
        });
        assert.equal(renew, mustGo);
        layer = renew ? [...target.values()] : [...layer, ...tell];
        told = new Map(target);
        assert.deepEqual(believed(layer), believed(target.values()));
      }
    }),
  );
});
