import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FixtureError, findFixtures, loadFixtures } from '../../src/lightningd/fixtures.ts';
import { formatShortChannelId } from '../../src/wire/short-channel-id.ts';
import { nodeId, scid } from '../sharing/world.ts';
import { FakeRpc } from './fake-rpc.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples/regtest', import.meta.url));
const [STAND_IN, PEER, OTHER] = [nodeId(1), nodeId(2), nodeId(3)];

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fixtures-'));
});
after(() => rm(folder, { recursive: true }));

const fund = (changes: object = {}) => ({
  peer_id: PEER,
  connected: true,
  state: 'CHANNELD_NORMAL',
  short_channel_id: '103x1x0',
  our_amount_msat: 900_000_000,
  amount_msat: 1_000_000_000,
  ...changes,
});
const listed = (source: string, destination: string, changes: object = {}) => ({
  source,
  destination,
  short_channel_id: '103x1x0',
  public: true,
  active: true,
  amount_msat: 1_000_000_000,
  htlc_minimum_msat: 0,
  htlc_maximum_msat: 990_000_000,
  ...changes,
});
const BOTH_WAYS = [listed(STAND_IN, PEER), listed(PEER, STAND_IN)];

/** Writes the two files; text as it is, anything else as JSON; `null` leaves a file out. */
async function files(funds: unknown, channels: unknown): Promise<string> {
  for (const [name, content] of [
    ['funds.json', funds],
    ['channels.json', channels],
  ] as const) {
    await rm(join(folder, name), { force: true });
    if (content === null) continue;
    await writeFile(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}

async function refusal(funds: unknown, channels: unknown = { channels: BOTH_WAYS }): Promise<string> {
  const error = await loadFixtures(await files(funds, channels)).then(
    () => assert.fail('was taken'),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof FixtureError, String(error));
  return error.message.replaceAll(`${folder}/`, '');
}

test('the examples that the repository ships load, and their node is found', async () => {
  const fixtures = await loadFixtures(EXAMPLES);
  assert.equal(fixtures.standIn, STAND_IN);
  assert.deepEqual(
    fixtures.channels.map(({ shortChannelId }) => formatShortChannelId(shortChannelId ?? 0n)),
    ['103x1x0', '104x1x0', '105x1x0', '106x1x0'],
  );
  assert.equal((await fixtures.read('anybody', 1)).get(scid('103x1x0'))?.source, STAND_IN);
  assert.equal((await fixtures.read('anybody', 0)).get(scid('103x1x0'))?.destination, STAND_IN);
  assert.equal((await fixtures.read('anybody', 1)).get(scid('107x1x0')), undefined, 'a channel of others');
});

test('the view: the channels of the file as they stand there, the connected peers as friends', async () => {
  const offline = fund({ connected: false, state: 'CHANNELD_AWAITING_SPLICE' });
  const fixtures = await loadFixtures(await files({ channels: [offline] }, { channels: BOTH_WAYS }));
  const rpc = new FakeRpc(({ method }) =>
    method === 'getinfo'
      ? { id: nodeId(9), blockheight: 5 }
      : { peers: [PEER, OTHER].map(id => ({ id, connected: id === OTHER })) },
  );
  const view = await fixtures.view(rpc)();
  assert.equal(view.nodeId, nodeId(9));
  assert.deepEqual(view.guests, new Set([OTHER]));
  assert.equal(view.blockHeight, 10_103);
  assert.deepEqual(
    view.channels.map(({ usable, state, spendableMsat }) => [usable, state, spendableMsat]),
    [[false, 'splicing', 890_000_000n]],
  );
});

test('old spellings, and integers beyond 2^53', async () => {
  const old = {
    channel_sat: 900_000,
    channel_total_sat: 1_000_000,
    our_amount_msat: undefined,
    amount_msat: undefined,
  };
  const gossip = {
    amount_msat: undefined,
    satoshis: 1_000_000,
    htlc_minimum_msat: '5msat',
    htlc_maximum_msat: undefined,
  };
  const fixtures = await loadFixtures(
    await files(
      { channels: [fund(old)] },
      { channels: [listed(STAND_IN, PEER, gossip), listed(PEER, STAND_IN)] },
    ),
  );
  assert.deepEqual(
    fixtures.channels.map(({ toUsMsat, totalMsat, localLimits }) => ({ toUsMsat, totalMsat, localLimits })),
    [
      {
        toUsMsat: 900_000_000n,
        totalMsat: 1_000_000_000n,
        localLimits: { minimumMsat: 5n, maximumMsat: 1_000_000_000n },
      },
    ],
  );
  const oldest = { ...old, connected: undefined, state: undefined, short_channel_id: '103:1:0' };
  const first = await loadFixtures(await files({ channels: [fund(oldest)] }, { channels: BOTH_WAYS }));
  assert.deepEqual([first.channels[0]?.usable, first.channels[0]?.state], [true, 'normal']);
  const text = { our_amount_msat: '900000000msat', amount_msat: '1000000000msat' };
  const channels = JSON.stringify({ channels: BOTH_WAYS }).replaceAll('990000000', '18446744073709551615');
  const other = await loadFixtures(await files({ channels: [fund(text)] }, channels));
  assert.deepEqual(other.channels[0]?.toUsMsat, 900_000_000n);
  assert.deepEqual(other.channels[0]?.localLimits?.maximumMsat, 18_446_744_073_709_551_615n);
});

test('a broken file is refused with its name, the place and the reason', async () => {
  assert.match(await refusal(null), /^funds\.json: cannot be read: ENOENT$/);
  assert.match(await refusal({ channels: [fund()] }, null), /^channels\.json: cannot be read: ENOENT$/);
  assert.match(await refusal('{"channels": [,]}'), /^funds\.json: no JSON: .*\[,\]/);
  assert.match(await refusal('{"channels": ['), /^funds\.json: no JSON: /);
  assert.match(await refusal('5'), /^funds\.json: the whole: .*received 5/);
  assert.match(await refusal('\ufeff\n\n{}'), /^funds\.json: no JSON: [^\n]*$/);
  assert.match(await refusal({}), /^funds\.json: channels: /);
  assert.match(
    await refusal({ channels: [fund(), fund({ state: 7 })] }),
    /^funds\.json: channels\.1\.state: /,
  );
  assert.match(
    await refusal({ channels: [fund({ short_channel_id: '1-2-3' })] }),
    /^funds\.json: channels\.0\.short_channel_id: /,
  );
  assert.match(
    await refusal({ channels: [fund({ our_amount_msat: 1_000_000_001 })] }),
    /^funds\.json: channels\.0: needs our_amount_msat/,
  );
  assert.match(
    await refusal({ channels: [fund()] }, { channels: [listed(STAND_IN, PEER, { active: 'yes' })] }),
    /^channels\.json: channels\.0\.active: /,
  );
});

test('files that do not fit together are refused', async () => {
  assert.equal(await refusal({ channels: [] }), 'funds.json: none of its channels is in channels.json');
  assert.equal(
    await refusal({ channels: [fund({ peer_id: OTHER })] }),
    'funds.json: channels.0 (103x1x0): peer_id is no end of it in channels.json',
  );
  assert.equal(
    await refusal({ channels: [fund(), fund()] }),
    'funds.json: channels.1 (103x1x0): stands there twice',
  );
  assert.equal(
    await refusal({ channels: [fund()] }, { channels: [listed(STAND_IN, PEER), listed(OTHER, STAND_IN)] }),
    'channels.json: channels.1 (103x1x0): its ends are not those of its other direction',
  );
  const second = { short_channel_id: '104x1x0' };
  assert.equal(
    await refusal(
      { channels: [fund(), fund({ ...second, peer_id: OTHER })] },
      { channels: [...BOTH_WAYS, listed(PEER, OTHER, second)] },
    ),
    `funds.json: channels.1 (104x1x0): in channels.json it is a channel of ${PEER}, those before are of ${STAND_IN}`,
  );
});

test('on regtest only: elsewhere files beside the plugin are ignored aloud, and the option disables it', async () => {
  const warnings: string[] = [];
  const find = (option: string, network: string) =>
    findFixtures(folder, option, network, message => warnings.push(message));
  await files({ channels: [fund()] }, { channels: BOTH_WAYS });
  assert.equal((await find('', 'regtest'))?.standIn, STAND_IN);
  assert.equal((await find(EXAMPLES, 'regtest'))?.channels.length, 4);
  assert.deepEqual(warnings, []);
  assert.equal(await find('', 'bitcoin'), undefined);
  assert.deepEqual(warnings, [
    `ignored funds.json and channels.json in ${folder}: they are for regtest only, this is bitcoin`,
  ]);
  await assert.rejects(
    find(EXAMPLES, 'bitcoin'),
    new FixtureError('foaf-fixtures: for regtest only, this is bitcoin'),
  );
  await files({ channels: [fund()] }, null);
  await assert.rejects(find('', 'regtest'), /channels\.json: cannot be read/);
  await files(null, null);
  assert.equal(await find('', 'regtest'), undefined);
});
