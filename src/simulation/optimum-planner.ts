/**
 * A central planner who knows and moves all balances: how many channels could lie within a band at best.
 *
 * Circles leave each channel's capacity and what each node has in all its channels as they are; whatever else keeps both
 * can be made of circles. So the planner chooses the balance x of every channel of capacity c, 0 ≤ x ≤ c, with each node's
 * sum given. To count channels within a band from b to 1 − b is a mixed-integer programme; here its relaxation is solved
 * to optimality by HiGHS: the largest Σ min(1, x / bc, (c − x) / bc). Its value is a bound above what anybody can reach,
 * and the channels within the band in its solution are what this planner reaches.
 *
 * Hazard: capacities differ by seven orders of magnitude. Amounts are scaled to the network's mean, and what comes back is
 * checked against both conservations.
 */
import loadHighs from 'highs';
import { at } from './network.ts';
import { channelOf, leavingFrom, type PaperNetwork } from './paper-network.ts';

export class PlannerError extends Error {
  override readonly name = 'PlannerError';
}

export interface Plan {
  /** Channels within the band in the planner's solution, as a share of all. */
  readonly reached: number;
  /** What no balances whatever can pass, likewise. */
  readonly bound: number;
  /** By directed channel, in millisatoshi, not rounded. */
  readonly holdings: Float64Array;
}

/** Within the band but for what the solver rounds, as a share of the capacity. */
const TOLERANCE = 1e-6;
/** How far a node's sum may be off, as a share of what it has in its channels: the solver's own tolerance, with room. */
const SUM_TOLERANCE = 1e-5;

/** HiGHS's code for an optimal solution (`kHighsModelStatusOptimal`). */
const OPTIMAL = 7;

/**
 * The planner's balances for a band.
 *
 * @param edge where the band begins, as a share of the capacity; it ends at 1 less that
 * @throws PlannerError when the solver does not reach the optimum or breaks what must be conserved
 */
export async function planFor(network: PaperNetwork, edge: number): Promise<Plan> {
  const { nodeCount, channelCount, capacity, source, start } = network;
  const scale = capacity.reduce((sum, one) => sum + one, 0) / channelCount;
  // A channel's balance in three parts, filled in this order since their costs rise: up to the band, in it, beyond it.
  const numCols = 3 * channelCount;
  const columns = {
    colCost: new Float64Array(numCols),
    colLower: new Float64Array(numCols),
    colUpper: new Float64Array(numCols),
  };
  const starts = Int32Array.from({ length: numCols + 1 }, (_, column) => 2 * column);
  const indices = new Int32Array(2 * numCols);
  const values = new Float64Array(2 * numCols);
  const sums = new Float64Array(nodeCount);
  for (let channel = 0; channel < channelCount; channel++) {
    const size = at(capacity, channel) / scale;
    const [first, second] = [at(source, 2 * channel), at(source, 2 * channel + 1)];
    const parts = [
      { width: edge * size, cost: -1 / (edge * size) },
      { width: (1 - 2 * edge) * size, cost: 0 },
      { width: edge * size, cost: 1 / (edge * size) },
    ];
    for (const [part, { width, cost }] of parts.entries()) {
      const column = 3 * channel + part;
      columns.colUpper[column] = width;
      columns.colCost[column] = cost;
      indices.set(
        [first, second].sort((a, b) => a - b),
        2 * column,
      );
      values.set(first < second ? [1, -1] : [-1, 1], 2 * column);
    }
    const held = at(start, 2 * channel) / scale;
    sums[first] = at(sums, first) + held;
    sums[second] = at(sums, second) - held;
  }
  const highs = await loadHighs();
  const solution = highs.withModel(
    {
      numCols,
      numRows: nodeCount,
      ...columns,
      rowLower: sums,
      rowUpper: sums,
      matrix: { format: 'csc', numRows: nodeCount, numCols, starts, indices, values },
    },
    model => {
      model.options.set({ output_flag: false });
      model.run();
      const status = model.getModelStatus();
      if (status !== OPTIMAL) throw new PlannerError(`the solver ended with status ${status}`);
      return model.getSolution().colValue;
    },
  );
  const holdings = new Float64Array(2 * channelCount);
  let reached = 0;
  let bound = 0;
  for (let channel = 0; channel < channelCount; channel++) {
    const parts = [0, 1, 2].map(part => solution[3 * channel + part] ?? 0);
    const held = scale * parts.reduce((sum, part) => sum + part, 0);
    const total = at(capacity, channel);
    holdings[2 * channel] = held;
    holdings[2 * channel + 1] = total - held;
    const nearest = Math.min(held, total - held) / total;
    if (nearest >= edge - TOLERANCE) reached++;
    bound += Math.min(1, nearest / edge);
  }
  check(network, holdings);
  return { reached: reached / channelCount, bound: bound / channelCount, holdings };
}

function check(network: PaperNetwork, holdings: Float64Array): void {
  const { capacity, start, nodeCount } = network;
  for (let node = 0; node < nodeCount; node++) {
    let off = 0;
    let total = 0;
    for (const edge of leavingFrom(network, node)) {
      off += at(holdings, edge) - at(start, edge);
      total += at(capacity, channelOf(edge));
    }
    if (Math.abs(off) > SUM_TOLERANCE * total) throw new PlannerError(`node ${node} is off by ${off} msat`);
  }
}
