import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CommandError } from '../../src/lightningd/errors.ts';
import { foafdecode } from '../../src/lightningd/foafdecode.ts';
import { QUERY_HEX, REPLY_HEX } from '../wire/messages.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

const QUERY_IN_WORDS = {
  type: 347,
  name: 'query_foaf_balances',
  chain_hash: '06226e46111a0b59caaf126043eb5bbf28c34f3a5e332a1fc7b2b73cf188910f',
  query_id: '0102030405060708',
  flow_value: 1,
  amount_msat: 50_000_000n,
};

test('a query and a reply in words, positional and named', () => {
  assert.deepEqual(foafdecode([QUERY_HEX]), QUERY_IN_WORDS);
  assert.deepEqual(foafdecode({ message: REPLY_HEX }), {
    ...QUERY_IN_WORDS,
    name: 'reply_foaf_balances',
    timestamp: 1_795_327_680_000n,
    short_channel_ids: ['103x2x0', '103x3x1'],
  });
});

test('records that a message does not have are left out', () => {
  const withoutId = QUERY_HEX.replace('01080102030405060708', '');
  assert.ok(!('query_id' in foafdecode([withoutId])));
});

test('what is no message of type 347 is refused with the reason and what came', () => {
  const refused = (params: unknown, message: string) =>
    assert.throws(() => foafdecode(params), new CommandError(-32602, message));
  refused(
    ['015b00'],
    'foafdecode: message: the message ends inside a BigSize at byte 3 (truncated), got 015b00',
  );
  refused(['0010'], 'foafdecode: message: message type 16, not 347 (other_type), got 0010');
  refused(['xyz'], 'foafdecode: message: not hexadecimal of even length (not_hex), got xyz');
  refused([], 'foafdecode: message: must be a message in hexadecimal, got nothing');
  refused([347], 'foafdecode: message: must be a message in hexadecimal, got 347');
  refused([QUERY_HEX, 1], 'foafdecode: too many parameters: at most 1 (message), got 2');
});

test('npm run decode says the same without a node', () => {
  const run = (...args: string[]) =>
    spawnSync('npm', ['run', '--silent', 'decode', '--', ...args], { cwd: ROOT, encoding: 'utf8' });
  const good = run(QUERY_HEX);
  assert.equal(good.status, 0, good.stderr);
  assert.deepEqual(JSON.parse(good.stdout), { ...QUERY_IN_WORDS, amount_msat: 50_000_000 });
  const bad = run('015b00');
  assert.equal(bad.status, 1);
  assert.equal(bad.stdout, '');
  assert.match(bad.stderr, /foafdecode: message: the message ends inside a BigSize/);
});
