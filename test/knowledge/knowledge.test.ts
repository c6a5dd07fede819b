import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Knowledge, type Word } from '../../src/knowledge/knowledge.ts';
import { formatShortChannelId } from '../../src/wire/short-channel-id.ts';
import { gossip, nodeId } from '../sharing/world.ts';

const ALICE = nodeId(1);
const NAMES = ['200x1x0', '200x2x0', '200x3x0'];

/** What Alice said at a second: that `rung` would move out on these channels. */
function word(rung: number, second: number, names: readonly string[], flow: 0 | 1 = 1): Word {
  return {
    flow,
    amountMsat: BigInt(rung),
    timestampMs: BigInt(second * 1000),
    saidAtMs: second * 1000,
    channels: names.map(name => gossip(name, 1, 7)[1]),
  };
}

const recalled = (knowledge: Knowledge, rung: number, since = 0, flow: 0 | 1 = 1) =>
  knowledge
    .recall(ALICE, flow, BigInt(rung), since)
    ?.channels.map(c => formatShortChannelId(c.shortChannelId));

test('a word is recalled for its amount and below, for its flow, while it is fresh', () => {
  const knowledge = new Knowledge();
  assert.ok(knowledge.learn(ALICE, word(50, 10, NAMES)));
  assert.deepEqual(recalled(knowledge, 50), NAMES);
  assert.deepEqual(recalled(knowledge, 20), NAMES);
  assert.equal(recalled(knowledge, 100), undefined);
  assert.equal(recalled(knowledge, 50, 0, 0), undefined);
  assert.equal(recalled(knowledge, 50, 10_001), undefined);
  assert.equal(knowledge.recall(nodeId(2), 1, 50n, 0), undefined);
});

test('the word for the least amount that is enough is recalled; naming nothing counts for its own amount only', () => {
  const knowledge = new Knowledge();
  knowledge.learn(ALICE, word(100, 10, ['200x1x0']));
  knowledge.learn(ALICE, word(50, 10, NAMES));
  assert.deepEqual(recalled(knowledge, 20), NAMES);
  assert.deepEqual(recalled(knowledge, 100), ['200x1x0']);
  knowledge.learn(ALICE, word(200, 10, []));
  assert.deepEqual(recalled(knowledge, 200), []);
  knowledge.expire(10_000);
  const silent = new Knowledge();
  silent.learn(ALICE, word(200, 10, []));
  assert.equal(recalled(silent, 100), undefined);
});

test('newer word replaces older for the same amount, never the other way round', () => {
  const knowledge = new Knowledge();
  assert.ok(knowledge.learn(ALICE, word(50, 20, ['200x1x0'])));
  assert.ok(!knowledge.learn(ALICE, word(50, 19, NAMES)));
  assert.deepEqual(recalled(knowledge, 50), ['200x1x0']);
  assert.ok(knowledge.learn(ALICE, word(50, 21, ['200x2x0'])));
  assert.deepEqual(recalled(knowledge, 50), ['200x2x0']);
});

test('a channel that is left out is forgotten for amounts not below, in whatever order the words arrive', () => {
  const older = word(100, 10, NAMES);
  const newer = word(50, 20, ['200x1x0']);
  for (const words of [
    [older, newer],
    [newer, older],
  ]) {
    const knowledge = new Knowledge();
    for (const each of words) knowledge.learn(ALICE, each);
    assert.deepEqual(recalled(knowledge, 100), ['200x1x0']);
  }
  const knowledge = new Knowledge();
  knowledge.learn(ALICE, word(20, 10, NAMES));
  knowledge.learn(ALICE, newer);
  assert.deepEqual(recalled(knowledge, 20), NAMES, 'a smaller amount may still move');
  knowledge.learn(ALICE, word(20, 30, [], 0));
  assert.deepEqual(recalled(knowledge, 50), ['200x1x0'], 'the other flow says nothing');
});

test('the records of a friend are bounded, the oldest word goes first, and other friends are not touched', () => {
  const knowledge = new Knowledge();
  knowledge.learn(nodeId(2), word(1, 0, NAMES));
  for (let rung = 1; rung <= 100; rung++) knowledge.learn(ALICE, word(rung, rung, NAMES));
  const rungs = Array.from({ length: 100 }, (_, index) => index + 1);
  const kept = rungs.filter(rung => knowledge.recall(ALICE, 1, BigInt(rung), 0)?.amountMsat === BigInt(rung));
  assert.deepEqual(kept, rungs.slice(-16));
  assert.ok(knowledge.recall(nodeId(2), 1, 1n, 0));
});

test('property: nothing is recalled that a newer word at that amount or below leaves out', () => {
  const said = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.nat({ max: 8 }), fc.subarray(NAMES));
  fc.assert(
    fc.property(fc.array(said, { maxLength: 15 }), words => {
      const knowledge = new Knowledge();
      // What each amount's word is in the end.
      const newest = new Map<number, (typeof words)[number]>();
      for (const said of words) {
        const [rung, second, names] = said;
        if (knowledge.learn(ALICE, word(rung, second, names))) newest.set(rung, said);
      }
      for (const rung of [1, 2, 3, 4]) {
        const found = knowledge.recall(ALICE, 1, BigInt(rung), 0);
        if (found === undefined) continue;
        for (const { shortChannelId } of found.channels) {
          const name = formatShortChannelId(shortChannelId);
          const against = [...newest.values()].some(
            ([otherRung, second, names]) =>
              BigInt(otherRung) <= found.amountMsat &&
              second * 1000 > Number(found.timestampMs) &&
              !names.includes(name),
          );
          assert.ok(!against, `${name} at ${found.amountMsat}`);
        }
      }
    }),
  );
});

const CHANNEL = {
  shortChannelId: gossip('200x1x0', 1, 7)[0],
  direction: gossip('200x1x0', 1, 7)[1].direction,
};

test('a failure counts against the source that offered as much; a success once for a word, if it moved a good part', () => {
  const knowledge = new Knowledge();
  const [, channel] = gossip('200x1x0', 1, 7);
  const record = (peerId = ALICE) => knowledge.records.of(peerId);
  knowledge.learn(ALICE, word(50, 10, ['200x1x0']));
  knowledge.learn(nodeId(7), { ...word(50, 10, [], 0), channels: [channel] });
  knowledge.failed(CHANNEL, 51n, 11_000);
  assert.deepEqual(record(), { kept: 0, failed: 0 }, 'more than was offered');
  knowledge.moved(CHANNEL, 20n, 12_000);
  assert.deepEqual(record(), { kept: 0, failed: 0 }, 'too small a part');
  knowledge.moved(CHANNEL, 15n, 12_000);
  knowledge.moved(CHANNEL, 10n, 12_000);
  assert.deepEqual(record(), { kept: 1, failed: 0 }, 'once');
  assert.deepEqual(record(nodeId(7)), { kept: 1, failed: 0 });
  knowledge.failed(CHANNEL, 5n, 13_000);
  assert.deepEqual(record(), { kept: 1, failed: 1 });
  assert.deepEqual(record(nodeId(7)), { kept: 1, failed: 0 }, 'the other end did not forward');
  knowledge.failed(CHANNEL, 5n, 14_000);
  knowledge.moved(CHANNEL, 1n, 15_000);
  assert.deepEqual(record(), { kept: 1, failed: 1 }, 'nothing is offered any more');
  assert.equal(knowledge.records.reliability(nodeId(2)), 0.8);
});

test('the largest offer by either end, lowered by our own use, and the friend-of-a-friend graph made of it', () => {
  const knowledge = new Knowledge();
  const [, channel] = gossip('200x1x0', 1, 7);
  knowledge.learn(ALICE, word(50, 10, ['200x1x0', '200x2x0']));
  knowledge.learn(nodeId(7), { ...word(100, 10, [], 0), channels: [channel] });
  assert.deepEqual(knowledge.offerOn(channel, 0)?.amountMsat, 100n);
  assert.equal(knowledge.offerOn(channel, 0)?.peerId, nodeId(7));
  knowledge.moved(CHANNEL, 60n, 11_000);
  assert.equal(knowledge.offerOn(channel, 0)?.amountMsat, 40n);
  assert.deepEqual(
    [...knowledge.offers(0)].map(offer => [offer.peerId, offer.amountMsat]),
    [
      [ALICE, 50n],
      [nodeId(7), 40n],
    ],
  );
  assert.equal(knowledge.offerOn(channel, 10_001), undefined);
});

test('word from before a mark is not taken up again; what was taken up stays, with the mark applied', () => {
  const knowledge = new Knowledge();
  knowledge.learn(ALICE, word(50, 10, ['200x1x0']));
  knowledge.moved(CHANNEL, 20n, 11_000);
  knowledge.learn(ALICE, word(50, 10, ['200x1x0']));
  const [, channel] = gossip('200x1x0', 1, 7);
  assert.equal(knowledge.offerOn(channel, 0)?.amountMsat, 30n);
  assert.deepEqual(recalled(knowledge, 50), []);
  knowledge.learn(ALICE, word(20, 10, ['200x1x0', '200x2x0']));
  assert.deepEqual(recalled(knowledge, 20), ['200x2x0']);
  knowledge.learn(ALICE, word(50, 12, ['200x1x0']));
  assert.deepEqual(recalled(knowledge, 50), ['200x1x0']);
});

test('however much friends say, what is kept in all is bounded, and the oldest word goes first', () => {
  const knowledge = new Knowledge();
  const many = Array.from({ length: 1000 }, (_, index) => `200x${index}x0`);
  for (let friend = 0; friend < 600; friend++) knowledge.learn(nodeId(friend), word(50, friend, many));
  assert.equal(knowledge.summary(0).channels, 500_000);
  assert.equal(knowledge.summary(0).oldestMs, 100_000);
});

test('a larger word of which nothing stands any more does not keep a smaller question from being asked', () => {
  const knowledge = new Knowledge();
  knowledge.learn(ALICE, word(100, 10, ['200x1x0']));
  knowledge.failed(CHANNEL, 100n, 11_000);
  assert.equal(recalled(knowledge, 50), undefined);
  assert.deepEqual(recalled(knowledge, 100), []);
});

test('an answer of the same snapshot for less takes nothing away: of parallel channels it names another', () => {
  const knowledge = new Knowledge();
  knowledge.learn(ALICE, word(100, 10, ['200x2x0']));
  knowledge.learn(ALICE, word(50, 10, ['200x1x0']));
  assert.deepEqual(recalled(knowledge, 100), ['200x2x0']);
});
