/** foafgraph: whoever may call it can write nothing but a few pictures, where pictures belong. */
import assert from 'node:assert/strict';
import {
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { visible } from '../../src/lightningd/node-names.ts';
import { fileNameOf, MAX_FILES } from '../../src/lightningd/picture-folder.ts';
import { unpack } from '../../src/picture/unpack.ts';
import { recordsOf, replyHex } from './sample-messages.ts';
import { ALICE, BOB, OURS, sampleMethods, ZOE } from './sample-node.ts';
import { StubLightningd } from './stub-lightningd.ts';
import { temporaryFolder } from './temporary-folder.ts';

interface Answer {
  readonly path: string;
  readonly size: number;
  readonly friends: number;
  readonly offers: number;
  readonly circles: number;
}

const NOT_WRITTEN = 3474;

async function node(t: { after(stop: () => Promise<void>): void }) {
  const listnodes = ({ id }: Readonly<Record<string, unknown>>) => ({
    nodes: id === BOB ? [{ nodeid: BOB, alias: '<b>bob\u202e\u0007</b>' }] : [{ nodeid: id }],
  });
  const stub = await StubLightningd.start(t, { methods: { ...sampleMethods(), listnodes } });
  await stub.ready();
  return {
    stub,
    folder: join(stub.folder, 'foaf'),
    draw: (params: unknown = {}) => stub.call('foafgraph', params) as Promise<Answer>,
  };
}

const pictureIn = (path: string) => unpack(/id="facts">([^<]*)</.exec(readFileSync(path, 'utf8'))?.[1] ?? '');

test('it writes a file that only its owner can read, and answers where', async t => {
  const { stub, folder, draw } = await node(t);
  const { path, size, ...counts } = await draw();
  assert.equal(path, join(folder, 'foaf.html'));
  // Bob → Alice, and each of them with Carol, who is at the mean: that lowers the sum of squares, too.
  assert.deepEqual(counts, { friends: 4, offers: 0, circles: 3 });
  assert.deepEqual([statSync(folder).mode & 0o7777, statSync(path).mode & 0o7777], [0o700, 0o600]);
  assert.equal(statSync(path).size, size);
  assert.equal((await draw({ name: 'other' })).path, join(folder, 'other.html'));
  assert.equal((await draw(['other.html'])).path, join(folder, 'other.html'));
  assert.deepEqual(readdirSync(folder).sort(), ['foaf.html', 'other.html']);
  assert.deepEqual(await stub.call('check', { command_to_check: 'foafgraph', name: 'x' }), {
    command_to_check: 'foafgraph',
  });
  assert.equal(existsSync(join(folder, 'x.html')), false);
});

test('it shows what is known: our channels, an offer, the circle, names without what is no text', async t => {
  const { stub, draw } = await node(t);
  const asked = stub.call('foafbalance', { direction: 1, amount: 50_000, peers: ALICE, timeout: 20 });
  const { msg } = await stub.rpc.called('sendcustommsg');
  await stub.deliver(
    ALICE,
    replyHex({
      flow: 1,
      amountMsat: 50_000_000,
      queryId: recordsOf(String(msg)).get(1) ?? '',
      timestampMs: Date.now(),
      shortChannelIds: ['90x2x1'],
    }),
  );
  await asked;
  const { path } = await draw();
  const picture = await pictureIn(path);
  const indexOf = (id: string) => picture.nodes.findIndex(node => node.id === id);
  assert.equal(picture.nodes[0]?.id, OURS);
  assert.equal(picture.nodes[indexOf(BOB)]?.name, '<b>bob</b>');
  assert.deepEqual(
    [
      picture.offers.friend[0],
      picture.offers.other[0],
      picture.offers.flow[0],
      picture.offers.amountSat[0],
      picture.offers.block[0],
    ],
    [indexOf(ALICE), indexOf(ZOE), 1, 50_000, 90],
  );
  assert.deepEqual(
    picture.circles[0]?.hops.map(({ to }) => picture.nodes[to]?.id),
    [BOB, ALICE, OURS],
  );
  assert.deepEqual(
    picture.changes.map(({ kind }) => kind),
    ['learned'],
  );
  assert.ok(
    stub.rpc.calls.filter(({ method }) => method === 'listnodes').every(({ params }) => 'id' in params),
  );
});

test('a name is a bare one', async t => {
  const { stub, folder } = await node(t);
  for (const name of [
    '../x',
    '/etc/x',
    'a/b',
    '.x',
    '..',
    '',
    '-x',
    'a b',
    'a\nb',
    'a\0b',
    'ä',
    'x'.repeat(65),
    7,
    ['x'],
    {},
    true,
  ]) {
    const { code, message } = await stub.refusal('foafgraph', { name });
    assert.equal(code, -32602, String(name));
    assert.match(message, /^foafgraph: name: must be a bare file name/);
  }
  assert.equal(existsSync(folder), false);
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), text => {
      const name = fileNameOf(text);
      assert.ok(name === undefined || (/^[A-Za-z0-9_][A-Za-z0-9._-]*\.html$/.test(name) && name.length < 70));
    }),
  );
});

test('no link is followed, at the folder or at the file', async t => {
  const { stub, folder, draw } = await node(t);
  const elsewhere = temporaryFolder();
  symlinkSync(elsewhere, folder);
  const refused = await stub.refusal('foafgraph');
  assert.deepEqual([refused.code, readdirSync(elsewhere)], [NOT_WRITTEN, []]);
  assert.match(refused.message, /is no folder, or a link/);
  const { stub: other, folder: own, draw: drawOther } = await node(t);
  mkdirSync(own, { mode: 0o777 });
  const victim = join(elsewhere, 'victim');
  writeFileSync(victim, 'untouched');
  symlinkSync(victim, join(own, 'link.html'));
  mkdirSync(join(own, 'folder.html'));
  linkSync(victim, join(own, 'hard.html'));
  for (const name of ['link.html', 'folder.html']) {
    assert.match((await other.refusal('foafgraph', { name })).message, /is no file, or a link/);
  }
  // A second name of a file is replaced, the file itself is not written to.
  await drawOther({ name: 'hard.html' });
  assert.equal(readFileSync(victim, 'utf8'), 'untouched');
  assert.ok(lstatSync(join(own, 'link.html')).isSymbolicLink());
  assert.equal(statSync(own).mode & 0o777, 0o700, 'a folder that others could read is closed to them');
  assert.equal(typeof draw, 'function');
});

test('the folder never holds more than a few, and what was left unfinished goes', async t => {
  const { stub, folder, draw } = await node(t);
  mkdirSync(folder);
  const unfinished = '.01234567-89ab-cdef-0123-456789abcdef.new';
  for (let count = 0; count < MAX_FILES; count++) writeFileSync(join(folder, `${count}.html`), '');
  writeFileSync(join(folder, unfinished), '');
  utimesSync(join(folder, unfinished), 0, 0);
  const ofAnother = '.11234567-89ab-cdef-0123-456789abcdef.new';
  writeFileSync(join(folder, ofAnother), '');
  const { code, message } = await stub.refusal('foafgraph', { name: 'one-more' });
  assert.equal(code, NOT_WRITTEN);
  assert.match(message, /holds 32 files: take one of their names, or remove some/);
  await draw({ name: '7' });
  assert.equal(readdirSync(folder).length, MAX_FILES + 1);
  assert.ok(!existsSync(join(folder, unfinished)));
  assert.ok(existsSync(join(folder, ofAnother)), 'a node whose socket lies beside ours may be writing it');
  assert.ok(statSync(join(folder, '7.html')).size > 0);
});

test('many calls at once share one drawing, and each gets its file whole', async t => {
  const { stub, folder, draw } = await node(t);
  await draw();
  const before = stub.rpc.calls.length;
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) => draw({ name: `p${index % 5}` })),
  );
  assert.equal(new Set(answers.map(({ path }) => path)).size, 5);
  for (const { path, size } of answers) assert.equal(statSync(path).size, size);
  assert.equal(readdirSync(folder).length, 6);
  assert.ok(stub.rpc.calls.length - before < 20);
});

test('names: what cannot be seen or turns the text goes, and what is left is short', () => {
  assert.equal(visible('a\u202eb\u200b\n\tc\u2028\ud800'), 'abc');
  assert.equal(visible('⚡ Café 日本'), '⚡ Café 日本');
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), text => {
      assert.doesNotMatch(visible(text), /[\p{C}\p{Zl}\p{Zp}]/u);
      assert.ok([...visible(text)].length <= 32);
    }),
  );
});

test('many who wait for the same file share one writing', async t => {
  const { folder, draw } = await node(t);
  const answers = await Promise.all(Array.from({ length: 50 }, () => draw()));
  assert.equal(new Set(answers.map(answer => JSON.stringify(answer))).size, 1);
  assert.deepEqual(readdirSync(folder), ['foaf.html']);
});
