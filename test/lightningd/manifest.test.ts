/** What the plugin tells lightningd of itself, word by word. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StubLightningd } from './stub-lightningd.ts';

const OPTIONS = [
  {
    name: 'foaf-share',
    type: 'string',
    description: 'Whom to answer: friends or none',
    default: 'friends',
    dynamic: true,
  },
  {
    name: 'foaf-allow',
    type: 'string',
    description: 'Answer only these node ids, comma-separated; all friends when empty',
    default: '',
    dynamic: true,
  },
  {
    name: 'foaf-deny',
    type: 'string',
    description: 'Never answer these node ids, comma-separated; beats foaf-allow',
    default: '',
    dynamic: true,
  },
  {
    name: 'foaf-min-depth',
    type: 'int',
    description:
      'Blocks that a channel must have to count or to ask us; 144 when not given, on regtest 0 (0 to 10000)',
    dynamic: true,
  },
  {
    name: 'foaf-answer-ttl',
    type: 'int',
    description: 'Seconds for which all answers come from one reading of our balances (1 to 86400)',
    default: 300,
    dynamic: true,
  },
  {
    name: 'foaf-question-budget',
    type: 'int',
    description:
      'Questions that a friend may have answered in an hour; three times as many in a day (1 to 1000)',
    default: 8,
    dynamic: true,
  },
  {
    name: 'foaf-omit-percent',
    type: 'int',
    description: 'Percent of our channels that nobody is told of, chosen anew every 28 days (0 to 50)',
    default: 0,
    dynamic: true,
  },
  {
    name: 'foaf-timeout',
    type: 'int',
    description: 'Seconds that foafbalance waits for replies (1 to 300)',
    default: 5,
    dynamic: true,
  },
  {
    name: 'foaf-maxfeeppm',
    type: 'int',
    description: 'The most that a rebalance may cost, in ppm (0 to 100000)',
    default: 500,
    dynamic: true,
  },
  {
    name: 'foaf-maxdelay',
    type: 'int',
    description: 'Blocks that a circle may take in all (40 to 2016)',
    default: 500,
    dynamic: true,
  },
  {
    name: 'foaf-cache-ttl',
    type: 'int',
    description: "Seconds for which a friend's word counts (1 to 86400)",
    default: 1200,
    dynamic: true,
  },
  {
    name: 'foaf-refresh',
    type: 'int',
    description: 'Minutes between automatic questions to friends; 0 is off (0 to 1440)',
    default: 0,
    dynamic: true,
  },
  {
    name: 'foaf-layer',
    type: 'string',
    description:
      "The askrene layer that is told what friends offer, for xpay's --xpay-user-layer; none when empty",
    default: 'foaf',
    dynamic: true,
  },
  {
    name: 'foaf-fixtures',
    type: 'string',
    description: 'Folder with funds.json and channels.json, on regtest only',
    default: '',
  },
];

const MANIFEST = {
  options: OPTIONS,
  rpcmethods: [
    {
      name: 'foafbalance',
      usage: 'direction amount [peers] [timeout] [fresh]',
      description: 'Asks friends on which of their channels they would willingly forward an amount',
      long_description:
        'Asks connected peers, waits for all of them or for the timeout, and answers who offers which channels.',
    },
    {
      name: 'foafcircles',
      usage: 'amount [out] [in] [maxfeeppm] [limit]',
      description: 'Lists circular routes that would rebalance by an amount, best first',
      long_description:
        'Circles of three and four hops over friends and their friends, by what is known of each hop, with their exact fees.',
    },
    {
      name: 'foafrebalance',
      usage: '[amount] [out] [in] [maxfeeppm] [retry_for] [dryrun] [ask]',
      description: 'Moves an amount between our own channels around a circle',
      long_description:
        'With nothing given it moves what helps the node most; dryrun=true answers what it would do.',
    },
    {
      name: 'foafdecode',
      usage: 'message',
      description: 'Says in words what a message of type 347 holds',
      long_description:
        'Takes the message in hexadecimal, its two-byte type included, as lightningd logs it.',
    },
    {
      name: 'foafstatus',
      usage: '[peer]',
      description: 'Shows who speaks, what is known and how old, what came and went, and what is set',
      long_description: 'Lists the friends, or the one that is named, and sums up the rest.',
    },
    {
      name: 'foafgraph',
      usage: '[name]',
      description: 'Draws our channels, what friends offer and the circles found, as an HTML file',
      long_description:
        "Writes into the folder foaf beside lightningd's RPC socket and answers the file's path; the page loads nothing.",
    },
  ],
  subscriptions: [
    'connect',
    'disconnect',
    'channel_state_changed',
    'sendpay_failure',
    'pay_part_start',
    'pay_part_end',
  ],
  hooks: [{ name: 'custommsg', filters: [347] }],
  notifications: [{ method: 'foaf_answered' }, { method: 'foaf_learned' }],
  dynamic: true,
  nonnumericids: true,
  cancheck: true,
};

test('getmanifest', async t => {
  const stub = await StubLightningd.start(t, { args: ['--developer'] });

  await t.test('the manifest', async () => {
    assert.deepEqual(await stub.call('getmanifest', { 'allow-deprecated-apis': false }), MANIFEST);
    assert.deepEqual(await stub.call('getmanifest', {}), MANIFEST);
  });

  await t.test(
    'the manifest for the 2020 autoreload: plain hook names, a default for every option',
    async () => {
      const { id, result } = await stub.request('getmanifest', [], 0);
      // What has no default gets an empty text, and then cannot be called a number.
      const options = OPTIONS.map(option =>
        'default' in option ? option : { ...option, type: 'string', default: '' },
      );
      assert.deepEqual([id, result], [0, { ...MANIFEST, options, hooks: ['custommsg'] }]);
      for (const { description } of options) assert.notEqual(description, '');
    },
  );
});
