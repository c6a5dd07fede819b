import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drawBalances } from '../../src/simulation/balances.ts';
import { madeUpNetwork } from '../../src/simulation/made-up-network.ts';
import { planFor } from '../../src/simulation/optimum-planner.ts';
import { solve } from '../../src/simulation/optimum-worker.ts';
import { joined, pairedNetwork } from '../../src/simulation/paper-network.ts';
import { Random } from '../../src/simulation/random.ts';

const MILLION = 1_000_000_000;

/** `[FROM, TO, CAPACITY IN MILLIONS OF SAT, WHAT FROM HAS OF IT]`. */
function sample(...channels: readonly (readonly [number, number, number, number])[]) {
  const pairs = channels.map(([from, to, capacity], index) => ({
    channels: [index],
    ends: [from, to] as const,
    capacity: capacity * MILLION,
    baseFees: [0, 0] as [number, number],
  }));
  return joined(
    pairs,
    channels.map(([, , , held]) => held * MILLION),
  );
}

const near = (value: number, expected: number) => assert.ok(Math.abs(value - expected) < 1e-6, `${value}`);

test('a circle can be brought into any band, a line can not be moved at all', async () => {
  const circle = await planFor(sample([0, 1, 1, 1], [1, 2, 1, 1], [2, 0, 1, 1]), 0.4);
  near(circle.reached, 1);
  near(circle.bound, 1);
  const line = await planFor(sample([0, 1, 1, 0], [1, 2, 1, 0.5], [2, 3, 1, 0.2]), 0.4);
  near(line.reached, 1 / 3);
  // 0, 1, and 0.2 / 0.4.
  near(line.bound, 1.5 / 3);
});

test('where not all fit, the bound is what halves would come to', async () => {
  // What goes round comes to at most 0.4 of the small channel's million: 0.04 of the large ones of ten.
  const { reached, bound, holdings } = await planFor(sample([0, 1, 10, 0], [1, 2, 10, 0], [0, 2, 1, 1]), 0.4);
  // Moving m along 0 → 2 → 1 → 0: ζ of the small one 1 − m, of the large ones m / 10. All of m: 2 × (1 / 10) / 0.4 + 0 = 0.5;
  // m = 0.6: 2 × 0.06 / 0.4 + 1 = 1.3, and beyond it the small one loses 2.5 a million where the large ones win 0.5.
  near(reached, 1 / 3);
  near(bound, 1.3 / 3);
  near((holdings[4] ?? 0) / MILLION, 0.4);
});

const NETWORK = madeUpNetwork(1000, new Random(1));
const WORLD = pairedNetwork(NETWORK, drawBalances(NETWORK, 'depleted', new Random(1)));

test('the figures of a small network for one seed; no rule passes the bound', async () => {
  const plans = await Promise.all(
    [0.4, 0.1].map(bandFrom => solve([WORLD], { world: 0, what: { bandFrom } })),
  );
  const rules = await Promise.all(
    (['plugin', 'squares5', 'halves5', 'band5'] as const).map(rule =>
      solve([WORLD], { world: 0, what: { rule: { rule, seed: rule, stops: [20], payers: [] } } }),
    ),
  );
  const shown = [...plans, ...rules].map(result =>
    'bound' in result
      ? [result.reached, result.bound]
      : [result.after.within40To60, result.after.within10To90],
  );
  const [middle = [], wide = [], ...after] = shown;
  for (const [in40 = 1, in10 = 1] of after) assert.ok(in40 <= (middle[1] ?? 0) && in10 <= (wide[1] ?? 0));
  assert.deepEqual(
    shown.map(pair => pair.map(value => value.toFixed(3)).join(' ')),
    ['0.634 0.685', '0.772 0.796', '0.138 0.615', '0.150 0.593', '0.454 0.681', '0.501 0.682'],
  );
});
