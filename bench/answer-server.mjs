/**
 * Stands in for lightningd's RPC and answers every call with `CHANNELS` channels as `listchannels` would: compact, in
 * one write as lightningd does, ended by a blank line. A process of its own, lest its work counts as the reader's.
 *
 *     node answer-server.mjs SOCKET CHANNELS
 */
import { createServer } from 'node:net';

const [, , path, channels] = process.argv;

const result = JSON.stringify({
  channels: Array.from({ length: Number(channels) }, (_, index) => ({
    source: `02${(index % 15_000).toString(16).padStart(64, '0')}`,
    destination: `03${((index * 7) % 15_000).toString(16).padStart(64, '0')}`,
    short_channel_id: `${700_000 + (index >> 4)}x${index % 3000}x${index % 2}`,
    direction: index % 2,
    public: true,
    amount_msat: 1_000_000_000 + index * 1000,
    message_flags: 1,
    channel_flags: index % 2,
    active: true,
    last_update: 1_795_000_000 + index,
    base_fee_millisatoshi: 1000,
    fee_per_millionth: index % 2000,
    delay: 80,
    htlc_minimum_msat: 1000,
    htlc_maximum_msat: 990_000_000 + index * 990,
    features: '',
  })),
});

createServer(socket => {
  socket.on('data', request => {
    const { id } = JSON.parse(request.toString());
    socket.write(Buffer.from(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${result}}\n\n`));
  });
  socket.on('error', () => {});
}).listen(path, () => process.stdout.write('listening\n'));
// Whoever started us has ended.
process.stdin.on('end', () => process.exit(0)).resume();
