import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PaymentNews } from '../../src/lightningd/payment-news.ts';
import { ManualClock, nodeId } from '../sharing/world.ts';

const HASH = '59b7f43b08a63fef6b71f2de1bc637b5b660d72e132dd124bccd5e72088b3738';

function world(ours = false) {
  const noted: string[] = [];
  let news = 0;
  const name = (channel: { shortChannelId: bigint; direction: number }) =>
    `${channel.shortChannelId >> 40n}/${channel.direction}`;
  const payments = new PaymentNews({
    clock: new ManualClock(),
    knowledge: {
      failed: (channel, amount, _nowMs, proven) =>
        noted.push(`failed ${name(channel)} ${amount}${proven === amount ? '' : ` to ${proven}`}`),
      withdraw: channel => noted.push(`withdrawn ${name(channel)}`),
      moved: (channel, amount) => noted.push(`moved ${name(channel)} ${amount}`),
    },
    isOurs: id => id >> 40n === 103n && ours,
    onNews: () => news++,
  });
  return { noted, topics: payments.topics, news: () => news };
}

/** As lightningd v26.06.6 sends it. */
const sendpayFailure = (failcode: number, changes = {}) => ({
  sendpay_failure: {
    code: 204,
    message: 'failed',
    data: {
      payment_hash: HASH,
      groupid: 1,
      amount_msat: 10_000,
      amount_sent_msat: 10_010,
      status: 'failed',
      erring_index: 1,
      failcode,
      erring_node: nodeId(1),
      destination: nodeId(3),
      erring_channel: '103x1x0',
      erring_direction: 1,
      ...changes,
    },
  },
});

test('sendpay: only 0x1007 speaks of liquidity, at what was sent; gone and disabled withdraw; the rest says nothing', () => {
  for (const [failcode, expected] of [
    [0x1007, ['failed 103/1 10000 to 10010']],
    [0x1014, ['withdrawn 103/1']],
    [0x4008, ['withdrawn 103/1']],
    [0x400a, ['withdrawn 103/1']],
    [0x6002, ['withdrawn 103/1']],
    [0x100c, []],
    [0x100b, []],
    [0x100e, []],
    [0x2002, []],
    [0x400f, []],
    [0xc005, []],
  ] as const) {
    const { noted, topics, news } = world();
    topics.sendpay_failure(sendpayFailure(failcode));
    assert.deepEqual(noted, expected, failcode.toString(16));
    assert.equal(news(), expected.length);
  }
});

const START = {
  pay_part_start: {
    payment_hash: HASH,
    groupid: 6_304_337_300_957_484_000,
    partid: 1,
    total_payment_msat: 10_000,
    attempt_msat: 10_000,
    hops: [
      {
        next_node: nodeId(1),
        short_channel_id: '103x2x0',
        direction: 0,
        channel_in_msat: 10_020,
        channel_out_msat: 10_020,
      },
      {
        next_node: nodeId(2),
        short_channel_id: '104x2x0',
        direction: 1,
        channel_in_msat: 10_020,
        channel_out_msat: 10_000,
      },
    ],
  },
};
const end = (fields: object) => ({
  pay_part_end: {
    payment_hash: HASH,
    groupid: 6_304_337_300_957_484_000,
    partid: 1,
    duration: 0.1,
    ...fields,
  },
});

test('xpay: what a part that arrived has moved, hop by hop', () => {
  const { noted, topics } = world();
  topics.pay_part_start(START);
  topics.pay_part_end(end({ status: 'success' }));
  assert.deepEqual(noted, ['moved 103/0 10020', 'moved 104/1 10000']);
  topics.pay_part_end(end({ status: 'success' }));
  assert.equal(noted.length, 2, 'once');
});

test('xpay: a failure counts at the hop that it names, at the amount of that hop', () => {
  for (const [message, expected] of [
    ['1007000c', ['failed 104/1 10000']],
    ['4008', ['withdrawn 104/1']],
    ['100c', []],
  ] as const) {
    const { noted, topics } = world();
    topics.pay_part_start(START);
    topics.pay_part_end(
      end({
        status: 'failure',
        failed_short_channel_id: '104x2x0',
        failed_direction: 1,
        failed_msg: message,
      }),
    );
    assert.deepEqual(noted, expected);
  }
});

test('a failure of a part that we did not see start, and what has another form, is passed over', () => {
  const { noted, topics } = world();
  topics.pay_part_end(
    end({ status: 'failure', failed_short_channel_id: '104x2x0', failed_direction: 1, failed_msg: '1007' }),
  );
  topics.sendpay_failure(sendpayFailure(0x1007, { erring_channel: undefined }));
  topics.sendpay_failure(sendpayFailure(0x1007, { erring_channel: 'x' }));
  for (const odd of [null, undefined, 5, [], {}, { sendpay_failure: 1 }, { pay_part_start: {} }]) {
    for (const take of Object.values(topics)) take(odd);
  }
  assert.deepEqual(noted, []);
});

test('what the last node says of a sendpay blames nobody, since with 0x1007 it would blame whoever is before it', () => {
  const { noted, topics } = world();
  topics.sendpay_failure(sendpayFailure(0x1007, { erring_node: nodeId(3) }));
  assert.deepEqual(noted, []);
});

test('our own channels are never marked: lightningd knows them', () => {
  const { noted, topics } = world(true);
  topics.sendpay_failure(sendpayFailure(0x1007));
  topics.pay_part_start(START);
  topics.pay_part_end(end({ status: 'success' }));
  assert.deepEqual(noted, ['moved 104/1 10000']);
});
