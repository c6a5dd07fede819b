import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Inbox } from '../../src/sharing/inbox.ts';

const isFriend = (peerId: string) => peerId.startsWith('friend');

function emptied(inbox: Inbox): string[] {
  const peers: string[] = [];
  for (let message = inbox.take(); message !== undefined; message = inbox.take()) peers.push(message.peerId);
  return peers;
}

test("friends take turns, whatever one of them sends; a friend's messages keep their order", () => {
  const inbox = new Inbox(isFriend);
  for (let index = 0; index < 5; index++) inbox.push('friend1', `1-${index}`);
  inbox.push('friend2', '2-0');
  inbox.push('stranger', '3-0');
  const taken = Array.from({ length: 7 }, () => inbox.take()?.payload);
  assert.deepEqual(taken, ['1-0', '2-0', '3-0', '1-1', '1-2', '1-3', '1-4']);
  assert.equal(inbox.take(), undefined);
});

test('a lane is bounded in messages and in characters, all strangers share one', () => {
  const inbox = new Inbox(isFriend);
  const accepted = (peer: (index: number) => string, payload: string) =>
    Array.from({ length: 1000 }, (_, index) => inbox.push(peer(index), payload)).filter(Boolean).length;
  assert.equal(
    accepted(() => 'friend1', 'x'),
    32,
  );
  assert.equal(
    accepted(() => 'friend2', 'x'.repeat(131_070)),
    2,
  );
  assert.equal(
    accepted(index => `stranger${index}`, 'x'),
    32,
  );
  assert.ok(inbox.push('friend3', 'x'), 'another friend is not touched');
  emptied(inbox);
  assert.ok(inbox.push('friend1', 'x') && inbox.push('stranger', 'x'), 'the places are free again');
});

test('property: what was accepted comes out once, in the order of each peer', () => {
  const messages = fc.array(fc.tuple(fc.constantFrom('friend1', 'friend2', 'a', 'b'), fc.boolean()), {
    maxLength: 200,
  });
  fc.assert(
    fc.property(messages, entries => {
      const inbox = new Inbox(isFriend);
      const accepted: string[] = [];
      const taken: string[] = [];
      const take = () => {
        const message = inbox.take();
        if (message !== undefined) taken.push(`${message.peerId} ${message.payload}`);
        return message !== undefined;
      };
      entries.forEach(([peerId, alsoTake], index) => {
        if (inbox.push(peerId, String(index))) accepted.push(`${peerId} ${index}`);
        if (alsoTake) take();
      });
      while (take());
      assert.deepEqual(taken.toSorted(), accepted.toSorted());
      for (const peer of ['friend1', 'friend2', 'a', 'b']) {
        const of = (list: string[]) => list.filter(entry => entry.startsWith(`${peer} `));
        assert.deepEqual(of(taken), of(accepted));
      }
    }),
  );
});
