/**
 * What the cases of rebalances on real nodes have in common: a ledger of all balances to the millisatoshi, and what
 * must be left of a rebalance: nothing.
 */
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { type RegtestNetwork, type RegtestNode, RpcFailure, waitFor } from './harness.ts';

/** A plugin that holds HTLCs, beside ours. */
export const HOLDER = fileURLToPath(new URL('holder.ts', import.meta.url));
/** lightningd waits for nobody longer than that here: a hung rebalance takes a minute, and what comes after it. */
const REBALANCE_TIMEOUT_MS = 180_000;

export interface Hop {
  id: string;
  short_channel_id: string;
  amount_msat: number;
  known: string;
}

export interface Circles {
  circles: { fee_msat: number; fee_ppm: number; probability: number; delay: number; hops: Hop[] }[];
  warning_no_circle?: string;
}

interface End {
  short_channel_id: string;
  to_us_msat_before: number;
  to_us_msat_after: number;
}

export interface Rebalanced {
  status: string;
  amount_msat: number;
  fee_msat: number;
  attempts: number;
  payment_hash: string;
  out: End;
  in: End;
  hops: Hop[];
}

/** What a `foafrebalance` that gave up tells of its tries. */
export interface Tried {
  attempts: { outcome: string; short_channel_ids: string[]; erring_channel?: string }[];
}

interface OwnChannel {
  peer_id: string;
  short_channel_id: string;
  to_us_msat: number;
  htlcs: { payment_hash: string; direction: 'in' | 'out' }[];
}

interface Invoice {
  label: string;
  status: string;
  payment_hash: string;
}

export async function channelsOf(node: RegtestNode): Promise<OwnChannel[]> {
  const { channels } = await node.rpc<{ channels: OwnChannel[] }>('listpeerchannels');
  return channels;
}

export async function balance(node: RegtestNode, id: string): Promise<number> {
  const channel = (await channelsOf(node)).find(each => each.short_channel_id === id);
  return channel?.to_us_msat ?? assert.fail(`no channel ${id}`);
}

/** What every node has in each of its channels, by node and channel. */
export type Ledger = ReadonlyMap<string, number>;

/** All balances, once nothing is on its way. */
export async function ledger({ nodes }: RegtestNetwork): Promise<Ledger> {
  return await waitFor(
    'all HTLCs to be gone',
    async () => {
      const all = await Promise.all(nodes.map(async node => ({ node, channels: await channelsOf(node) })));
      if (all.some(({ channels }) => channels.some(({ htlcs }) => htlcs.length > 0))) return undefined;
      return new Map(
        all.flatMap(({ node, channels }) =>
          channels.map(channel => [`${node.id} ${channel.short_channel_id}`, channel.to_us_msat] as const),
        ),
      );
    },
    60_000,
  );
}

/** The balances after the circles of `payer` that were paid, each hop of which carries its amount and nothing else. */
export function after(before: Ledger, payer: RegtestNode, ...circles: readonly (readonly Hop[])[]): Ledger {
  const now = new Map(before);
  const add = (key: string, amount: number) => {
    now.set(key, (now.get(key) ?? assert.fail(`nobody has ${key}`)) + amount);
  };
  for (const hops of circles) {
    let from = payer.id;
    for (const { id, short_channel_id, amount_msat } of hops) {
      add(`${from} ${short_channel_id}`, -amount_msat);
      add(`${id} ${short_channel_id}`, amount_msat);
      from = id;
    }
    assert.equal(from, payer.id, 'a circle');
  }
  return now;
}

/** To the millisatoshi, every channel of every node; and what all have together never changes. */
export function assertLedger(actual: Ledger, expected: Ledger): void {
  assert.deepEqual([...actual].sort(), [...expected].sort());
  const total = (balances: Ledger) => [...balances.values()].reduce((sum, amount) => sum + amount, 0);
  assert.equal(total(actual), total(expected));
}

export function rebalance(node: RegtestNode, params: object = {}): Promise<Rebalanced> {
  return node.rpc<Rebalanced>('foafrebalance', params, { timeoutMs: REBALANCE_TIMEOUT_MS });
}

/** The error that a call must end with. */
export async function refusal(call: Promise<unknown>): Promise<RpcFailure> {
  const error = await call.then(
    result => assert.fail(`it answered ${JSON.stringify(result)}`),
    (failure: unknown) => failure,
  );
  assert.ok(error instanceof RpcFailure, String(error));
  return error;
}

export function outcomes({ data }: RpcFailure): string[] {
  return (data as Tried).attempts.map(({ outcome }) => outcome);
}

/** The invoices of rebalances. */
export async function invoicesOf(node: RegtestNode): Promise<Invoice[]> {
  const { invoices } = await node.rpc<{ invoices: Invoice[] }>('listinvoices');
  return invoices.filter(({ label }) => label.startsWith('balancesharing-rebalance-'));
}

/** The labels of what is noted in the journal. */
export async function journalOf(node: RegtestNode): Promise<string[]> {
  const { datastore } = await node.rpc<{ datastore: { key: string[] }[] }>('listdatastore', {
    key: ['balancesharing', 'rebalances'],
  });
  return datastore.map(({ key }) => key.at(-1) ?? '');
}

/** Waits until the journal holds just that: what is settled leaves it after its caller was told. */
export async function untilJournal(node: RegtestNode, labels: readonly string[]): Promise<void> {
  await waitFor(
    `the journal to hold ${labels.join(', ') || 'nothing'}`,
    async () => ((await journalOf(node)).sort().join() === [...labels].sort().join() ? true : undefined),
    60_000,
  );
}

/** The hashes of the payments of a node, by status. */
export async function paymentsOf(node: RegtestNode, status: string): Promise<string[]> {
  const { payments } = await node.rpc<{ payments: { payment_hash: string; status: string }[] }>(
    'listsendpays',
  );
  return payments.filter(payment => payment.status === status).map(({ payment_hash }) => payment_hash);
}

/**
 * Waits until the journal is empty. Then nothing must be left: no unpaid invoice of a rebalance, nothing on its way; and
 * what was paid is what the rebalances told of, each once.
 */
export async function assertNothingLeft(node: RegtestNode, paid: readonly string[]): Promise<void> {
  await untilJournal(node, []);
  assert.deepEqual(
    (await invoicesOf(node)).map(({ status, payment_hash }) => [status, payment_hash]).sort(),
    paid.map(hash => ['paid', hash]).sort(),
  );
  assert.deepEqual(await paymentsOf(node, 'pending'), []);
  assert.deepEqual((await paymentsOf(node, 'complete')).sort(), [...paid].sort());
}

/** Waits until a node with the holder holds one more HTLC. @returns its payment hash. */
export async function nextHeld(node: RegtestNode, from: number): Promise<string> {
  const line = await node.waitForLog(/holder\.ts: holding [0-9a-f]{64}/, { from });
  return /holding ([0-9a-f]{64})/.exec(line)?.[1] ?? assert.fail(line);
}
