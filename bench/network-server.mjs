/**
 * Stands in for the RPC of a node with two channels to each of the largest nodes of a real network: a process of its
 * own, lest its work counts as the plugin's. Messages that the plugin sends come out on stdout, a line of JSON each.
 *
 *     node network-server.mjs SOCKET CHANNELS.json.gz FRIENDS
 */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { gunzipSync } from 'node:zlib';

const [, , path, file, count] = process.argv;
const OURS = `03${'f'.repeat(64)}`;
const BTC_MSAT = 100_000_000_000;

const { channels } = JSON.parse(gunzipSync(readFileSync(file)).toString());
const from = new Map();
const to = new Map();
for (const channel of channels) {
  add(from, channel.source, channel);
  add(to, channel.destination, channel);
}
const size = id => (from.get(id) ?? []).filter(({ active }) => active).length;
const friends = [...from.keys()]
  .sort((a, b) => size(b) - size(a) || (a < b ? -1 : 1))
  .slice(0, Number(count));
const own = friends.flatMap((id, index) => [ownChannel(id, 2 * index), ownChannel(id, 2 * index + 1)]);
process.stdout.write(`${JSON.stringify({ friends: friends.map(id => ({ id, channels: named(id) })) })}\n`);

const answers = {
  getinfo: () => ({ id: OURS, blockheight: 900_100 }),
  listpeerchannels: () => ({ channels: own }),
  listchannels: ({ source, destination }) => ({
    channels: (source === undefined ? to.get(destination) : from.get(source)) ?? [],
  }),
  listnodes: () => ({ nodes: [] }),
  listdatastore: () => ({ datastore: [] }),
  makesecret: () => ({ secret: '33'.repeat(32) }),
  sendcustommsg: params => {
    process.stdout.write(`${JSON.stringify(params)}\n`);
    return {};
  },
};

createServer(socket => {
  let text = '';
  socket.setEncoding('utf8').on('data', piece => {
    const requests = (text + piece).split('\n\n');
    text = requests.pop();
    for (const request of requests) {
      const { id, method, params } = JSON.parse(request);
      const result = JSON.stringify(answers[method]?.(params) ?? {});
      socket.write(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}\n\n`);
    }
  });
  socket.on('error', () => {});
}).listen(path, () => process.stdout.write('listening\n'));
// Whoever started us has ended.
process.stdin.on('end', () => process.exit(0)).resume();

function add(lists, id, channel) {
  const list = lists.get(id);
  if (list === undefined) lists.set(id, [channel]);
  else list.push(channel);
}

/** What a friend can name at a million sat: at most 1000, ascending. */
function named(id) {
  const fits = from
    .get(id)
    .filter(
      ({ active, htlc_minimum_msat: least, htlc_maximum_msat: most }) =>
        active && least <= 1e9 && most >= 1e9,
    );
  return fits.map(({ short_channel_id }) => short_channel_id).slice(0, 1000);
}

function ownChannel(peerId, index) {
  const limits = { htlc_minimum_msat: 0, htlc_maximum_msat: BTC_MSAT };
  const terms = { fee_base_msat: (index % 3) * 500, fee_proportional_millionths: (index * 37) % 400 };
  // From three tenths with one peer to seven with another, so that something leans.
  const ours = (BTC_MSAT / 100) * (3 + (Math.floor(index / 2) % 5));
  const update = { ...limits, ...terms, cltv_expiry_delta: index % 2 === 0 ? 34 : 80 };
  return {
    peer_id: peerId,
    peer_connected: true,
    reestablished: true,
    state: 'CHANNELD_NORMAL',
    private: false,
    short_channel_id: `${800_000 + index}x1x0`,
    to_us_msat: ours,
    total_msat: BTC_MSAT / 10,
    spendable_msat: ours,
    receivable_msat: BTC_MSAT / 10 - ours,
    updates: { local: update, remote: update },
  };
}
