/**
 * Never twice, and never in the dark: whatever call is lost, and wherever the process dies, for one purpose one payment
 * completes at most, nothing new is paid while another may complete, and in the end nothing is left.
 */
import assert from 'node:assert/strict';
import { AsyncLocalStorage } from 'node:async_hooks';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Circle } from '../../src/circles/types.ts';
import { createPayments, LABEL_PREFIX } from '../../src/lightningd/payments.ts';
import {
  type FindCircles,
  GaveUpError,
  type Rebalanced,
  Rebalancer,
} from '../../src/rebalance/rebalancer.ts';
import type { NodeView } from '../../src/sharing/node-view.ts';
import { channel, ManualClock, nodeId, scid, settled, US, view } from '../sharing/world.ts';
import { FakeLightningd, type Fate, type Payment, Process, type Way } from './fake-lightningd.ts';

const AMOUNT = 50_000_000n;
/** What `find` keeps to. */
const FEE_LIMIT = 20_000n;
/** Time enough for whatever hangs, lingers or is tried again. */
const END_MS = 3_000_000;
const LONGEST_OUT_MS = 90_000_000;

/** From one peer by one channel to another and back to us. */
function circle(out: number, between: string, home: number, feeMsat: bigint): Circle {
  const hop = (id: string, channelId: string, amountMsat: bigint) => ({
    id,
    shortChannelId: scid(channelId),
    direction: 0 as const,
    amountMsat,
    delay: 40,
    known: 'offered' as const,
  });
  return {
    feeMsat,
    feePpm: 0n,
    probability: 1,
    expectedCostMsat: feeMsat,
    delay: 108,
    hops: [
      hop(nodeId(out), `1x${out}x0`, AMOUNT + feeMsat),
      hop(nodeId(home), between, AMOUNT),
      hop(US, `1x${home}x0`, AMOUNT),
    ],
  };
}

/** Three ways from 1 to 2, one from 3 to 4, and one that shares an end with each. */
const CIRCLES = [
  circle(1, '9x1x0', 2, 1_000n),
  circle(1, '9x2x0', 2, 2_000n),
  circle(3, '9x3x0', 2, 3_000n),
  circle(3, '9x4x0', 4, 4_000n),
  circle(1, '9x5x0', 2, FEE_LIMIT),
];

class World {
  readonly clock = new ManualClock();
  readonly node = new FakeLightningd(this.clock);
  readonly told: { readonly label: string; readonly how: 'reported' | 'found' }[] = [];
  readonly arrived: Payment[] = [];
  readonly wrong: string[] = [];
  process = new Process();
  open = 0;
  rebalancer: Rebalancer;
  #purposes = 0;
  /** So that each label tells what it is for. */
  readonly #purpose = new AsyncLocalStorage<number>();

  constructor() {
    this.node.onSend = (label, payment) => this.#onSend(label, payment);
    this.node.onArrived = payment => this.arrived.push(payment);
    this.rebalancer = this.#start(this.process);
  }

  /** One purpose: what becomes of it, unless the process dies. */
  async pay(circles: readonly Circle[], retryForMs = 600_000): Promise<Rebalanced | Error> {
    const { process } = this;
    const purpose = ++this.#purposes;
    this.open++;
    const find: FindCircles = async ({ peers, channels }) => ({
      circles: circles.filter(
        ({ hops }) =>
          !hops.slice(0, -1).some(({ id }) => peers.has(id)) &&
          !hops.some(({ shortChannelId }) => channels.has(shortChannelId)),
      ),
    });
    try {
      const done = await this.#purpose.run(purpose, () =>
        this.rebalancer.rebalance(find, retryForMs, () => {}),
      );
      const label = this.#labelOf(done.paymentHash);
      if (process.isAlive) this.told.push({ label, how: 'reported' });
      return done;
    } catch (error) {
      assert.ok(error instanceof Error);
      return error;
    } finally {
      this.open--;
    }
  }

  /** A new process, as after a crash or a restart. Nobody hears of the old one any more. */
  restart(): void {
    this.process.isAlive = false;
    this.process = new Process();
    this.open = 0;
    this.rebalancer = this.#start(this.process);
    this.rebalancer.adopt();
  }

  async pass(ms: number, stepMs = 1000): Promise<void> {
    for (let passed = 0; passed < ms; passed += stepMs) await this.clock.advance(stepMs);
  }

  /** Until nothing goes on any more. */
  async end(): Promise<void> {
    for (let passed = 0; passed < END_MS; passed += 1000) {
      await this.clock.advance(1000);
      const { journal, invoices } = this.node;
      const unpaid = [...invoices.values()].some(({ status }) => status === 'unpaid');
      if (this.open === 0 && journal.size === 0 && !unpaid && !this.#isAnyPending()) break;
    }
    await this.pass(30_000);
  }

  check(): void {
    assert.deepEqual(this.wrong, []);
    const { journal, invoices } = this.node;
    assert.deepEqual([...journal.keys()], [], 'the journal is empty');
    assert.deepEqual(
      [...invoices].filter(([, { status }]) => status === 'unpaid'),
      [],
      'no invoice is left',
    );
    for (const { label } of this.arrived) {
      assert.ok(
        this.told.some(told => told.label === label),
        `somebody is told of ${label}`,
      );
    }
    const purposes = this.arrived.map(({ label }) => purposeOf(label));
    assert.equal(new Set(purposes).size, purposes.length, 'each purpose once');
    for (const { label } of this.told) assert.ok(this.arrived.some(payment => payment.label === label));
  }

  #start(process: Process): Rebalancer {
    const { node, clock } = this;
    let tries = 0;
    const rpc = node.rpc(process);
    return new Rebalancer({
      payments: createPayments(rpc, 40),
      knowledge: { failed: () => {}, withdraw: () => {}, moved: () => {} },
      view: () => node.meet(process, () => this.#view()),
      clock,
      newLabel: () => `${LABEL_PREFIX}${this.#purpose.getStore()}-${++tries}`,
      log: message => {
        const [, label] = /^rebalance (\S+) was left open: it has arrived$/.exec(message) ?? [];
        if (label !== undefined && process.isAlive) this.told.push({ label, how: 'found' });
      },
      onNews: () => {},
    });
  }

  /** Our four channels, with what has been paid. */
  #view(): NodeView {
    const held = new Map([1, 2, 3, 4].map(peer => [nodeId(peer), 500_000_000n]));
    for (const { route, status } of this.node.payments.values()) {
      const [out = '', home = ''] = endsOf(route);
      if (status !== 'complete') continue;
      held.set(out, (held.get(out) ?? 0n) - BigInt(route[0]?.amount_msat ?? 0n));
      held.set(home, (held.get(home) ?? 0n) + AMOUNT);
    }
    return view(
      [1, 2, 3, 4].map(peer => channel(peer, `1x${peer}x0`, 0, { toUsMsat: held.get(nodeId(peer)) ?? 0n })),
    );
  }

  #onSend(label: string, { route }: Payment): void {
    const own = this.node.invoices.get(label);
    // What is sent late, after its invoice was deleted, cannot complete.
    if (own?.status !== 'unpaid') return;
    if (!this.node.journal.has(label)) this.wrong.push(`${label} is not noted`);
    const sent = BigInt(route[0]?.amount_msat ?? 0n);
    if (sent - own.amountMsat > FEE_LIMIT) this.wrong.push(`${label} costs too much`);
    for (const other of this.node.payments.values()) {
      const invoice = this.node.invoices.get(other.label);
      if (invoice === undefined || other.label === label) continue;
      const isSamePurpose = purposeOf(other.label) === purposeOf(label);
      const mayComplete = invoice.status === 'unpaid';
      if (isSamePurpose) this.wrong.push(`${label} beside ${other.label}`);
      const taken = new Set(endsOf(other.route));
      if (mayComplete && endsOf(route).some(end => taken.has(end)))
        this.wrong.push(`${label} on the channels of ${other.label}`);
    }
  }

  #isAnyPending(): boolean {
    return [...this.node.payments.values()].some(({ status }) => status === 'pending');
  }

  #labelOf(hash: string): string {
    return this.node.payments.get(hash)?.label ?? assert.fail(`nothing was sent for ${hash}`);
  }
}

function purposeOf(label: string): string {
  return label.slice(LABEL_PREFIX.length).split('-')[0] ?? '';
}

/** Both friends of a circle of three. */
function endsOf(route: Payment['route']): string[] {
  return route.slice(0, -1).map(({ id }) => id);
}

const ways: fc.Arbitrary<Way[]> = fc.array(
  fc.record({
    how: fc.constantFrom('arrives' as const, 'fails' as const, 'withholds' as const),
    heldMs: fc.constantFrom(0, 500, 30_000, 59_500, 60_000, 61_000, 130_000, 1_000_000),
  }),
  { maxLength: 6 },
);

const fates: fc.Arbitrary<Fate[]> = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant('answers' as const) },
    {
      weight: 3,
      arbitrary: fc.constantFrom<Fate>('before', 'after', 'late'),
    },
    { weight: 1, arbitrary: fc.constantFrom<Fate>('dies before', 'dies after') },
  ),
  { maxLength: 60 },
);

test('whatever is lost and wherever it dies: never twice, and nothing is left in the end', async () => {
  await fc.assert(
    fc.asyncProperty(ways, fates, fc.boolean(), async (someWays, someFates, isRestarted) => {
      const world = new World();
      world.node.ways = [...someWays];
      world.node.fates = [...someFates];
      world.rebalancer.adopt();
      let purposes = 0;
      // Three purposes, the later ones in the midst of what became of the first; a process that died is replaced.
      for (const at of [0, 2_000, 70_000]) {
        await world.pass(at);
        if (!world.process.isAlive) world.restart();
        purposes++;
        world.pay(purposes === 2 ? CIRCLES.slice(2) : CIRCLES);
        await settled();
        if (!world.process.isAlive) world.restart();
      }
      if (isRestarted) {
        await world.pass(3_000);
        world.restart();
      }
      // As long as processes die, there are new ones.
      for (let each = 0; each < 100 && world.node.fates.length > 0; each++) {
        await world.pass(15_000);
        if (!world.process.isAlive) world.restart();
        await settled();
      }
      world.node.fates = [];
      if (!world.process.isAlive) world.restart();
      await world.end();
      world.check();

      // Nothing stays locked, and nobody is left out for ever.
      await world.clock.advance(LONGEST_OUT_MS);
      world.node.ways = [];
      const both = [world.pay(CIRCLES.slice(0, 1)), world.pay(CIRCLES.slice(3, 4))];
      await world.end();
      for (const done of await Promise.all(both)) {
        assert.ok(!(done instanceof Error), String(done));
        assert.equal(done.attempts.length, 1);
      }
      world.check();
    }),
    { numRuns: 100, includeErrorInReport: true },
  );
});

test('each single call lost or last, one after the other: the same', async () => {
  const kinds: Fate[] = ['before', 'after', 'late', 'dies before', 'dies after'];
  const courses: Way[][] = [
    [{ how: 'arrives', heldMs: 0 }],
    [{ how: 'fails', heldMs: 0 }],
    [{ how: 'arrives', heldMs: 90_000 }],
    [{ how: 'withholds', heldMs: 90_000 }],
    [{ how: 'fails', heldMs: 90_000 }],
  ];
  for (const course of courses) {
    for (const kind of kinds) {
      for (let place = 0; place < 16; place++) {
        const world = new World();
        world.node.ways = [...course];
        world.node.fates = [...Array<Fate>(place).fill('answers'), kind];
        world.rebalancer.adopt();
        world.pay(CIRCLES);
        for (let each = 0; each < 10; each++) {
          await world.pass(30_000);
          if (!world.process.isAlive) world.restart();
        }
        world.node.fates = [];
        await world.end();
        world.check();
      }
    }
  }
});

test('what arrived is complete, though the preimage is held back', async () => {
  const world = new World();
  world.node.ways = [{ how: 'withholds', heldMs: 600_000 }];
  const paying = world.pay(CIRCLES);
  await world.pass(130_000);
  const done = await paying;
  assert.ok(!(done instanceof Error), String(done));
  assert.equal(done.attempts.length, 1);
  assert.equal(world.node.journal.size, 1, 'noted until it is settled');
  assert.equal(world.node.payments.size, 1);
  await world.end();
  world.check();
});

test('what hangs is cancelled after a minute, its friends are left out, and others are tried', async () => {
  const world = new World();
  world.node.ways = [{ how: 'arrives', heldMs: 600_000 }];
  const paying = world.pay(CIRCLES);
  await world.pass(59_000);
  assert.equal(world.node.payments.size, 1);
  await world.pass(5_000);
  const done = await paying;
  assert.ok(!(done instanceof Error), String(done));
  // 1 and 2 were on the first: what is left goes from 3 to 4.
  assert.deepEqual(
    done.circle.hops.map(({ id }) => id),
    [nodeId(3), nodeId(4), US],
  );
  assert.equal(done.attempts[0]?.outcome, 'held by somebody for too long, cancelled');
  await world.end();
  world.check();
  const none = await world.pay(CIRCLES.slice(0, 3));
  assert.ok(none instanceof GaveUpError);
  assert.equal(none.reason, 'no_circle');
});

test('a lost connection leaves nobody out', async () => {
  const world = new World();
  world.node.ways = [{ how: 'fails', heldMs: 30_000 }];
  // adopt; view, note, invoice, sendpay; then waitsendpay.
  world.node.fates = ['answers', 'answers', 'answers', 'answers', 'answers', 'before'];
  const paying = world.pay(CIRCLES.slice(0, 2));
  await world.pass(40_000);
  const done = await paying;
  assert.ok(!(done instanceof Error), String(done));
  assert.equal(done.attempts.length, 2);
  await world.end();
  world.check();
});

test('while lightningd cannot be asked nothing new is paid on the same channels', async () => {
  const world = new World();
  world.node.ways = [{ how: 'arrives', heldMs: 100_000 }];
  world.node.fates = [...Array<Fate>(5).fill('answers'), ...Array<Fate>(6).fill('before')];
  const first = await Promise.race([world.pay(CIRCLES), world.pass(61_000)]);
  assert.ok(first instanceof GaveUpError);
  assert.equal(first.reason, 'unsettled');
  const second = await world.pay(CIRCLES.slice(0, 3));
  assert.ok(second instanceof GaveUpError);
  assert.equal(second.reason, 'no_circle');
  await world.end();
  world.check();
});
