/**
 * What friends believe of all channels together, for several values of ν at once.
 *
 * Hazard: whether a channel is named depends on ν, and ν is the sum of what is believed of all channels. Who puts its
 * best guess of ν into its beliefs finds it confirmed by them, right or wrong. So each value of ν has beliefs of its own,
 * and is weighed by how well it foretold the answers and by whether its balances add up to it.
 */
import type { Flow } from '../wire/codec.ts';
import { Belief, type Grid, Naming } from './audit-belief.ts';
import type { Movement } from './audit-movement.ts';
import type { AuditChannel } from './audit-world.ts';

const FIRST_COUNT = 15;
/** A value that is this much less likely than the best one is dropped. */
const HOPELESS = 1e-3;
/** With no more values than this left, each is split in two, until they lie this close. */
const FEW = 4;
const CLOSEST = 0.003;

interface Hypothesis {
  readonly nu: number;
  readonly beliefs: readonly Belief[];
  readonly namings: readonly Naming[];
  /** Natural logarithms: of how well it foretold the answers, and with whether the sum is right. */
  readonly evidence: number;
  readonly weight: number;
}

export class NuHypotheses {
  readonly #channels: readonly AuditChannel[];
  readonly #watchers: readonly AuditChannel[];
  readonly #namings = new Map<string, Naming>();
  #width: number;
  #all: Hypothesis[];

  constructor(channels: readonly AuditChannel[], watchers: readonly AuditChannel[], movement: Movement) {
    this.#channels = channels;
    this.#watchers = watchers;
    const beliefs = channels.map(one => new Belief(movement.grid(one.capacitySat, one.leaning)));
    const { mean, sd } = this.#sum(beliefs);
    // Three standard deviations each way.
    this.#width = (6 * sd) / (FIRST_COUNT - 1);
    this.#all = Array.from({ length: FIRST_COUNT }, (_, place) =>
      this.#hypothesis(
        mean + (place - (FIRST_COUNT - 1) / 2) * this.#width,
        beliefs.map(belief => belief.copy()),
        0,
      ),
    );
    this.#weigh();
  }

  get nu(): number {
    return this.#mean(({ nu }) => nu);
  }

  /** How likely a channel lies in a cell. */
  chanceOf(index: number, cell: number): number {
    return this.#mean(({ beliefs }) => beliefs[index]?.chanceOf(cell) ?? 0);
  }

  /** What is believed of one channel now, or after time has passed. */
  belief(index: number, grid: Grid, change: (belief: Belief) => void): Float64Array {
    const later = new Belief(grid, 1);
    later.chances.fill(0);
    for (const { beliefs, weight } of this.#all) {
      const marginal = beliefs[index]?.marginal() ?? [];
      for (const [cell, chance] of marginal.entries()) {
        later.chances[cell] = (later.chances[cell] ?? 0) + weight * chance;
      }
    }
    change(later);
    return later.chances;
  }

  /** By rung: how much the answers about all channels may tell, in bits. */
  entropies(flow: Flow): number[] {
    return this.#channels
      .map((_, index) => {
        const mixed: number[] = [];
        for (const { beliefs, namings, weight } of this.#all) {
          const [belief, naming] = [beliefs[index], namings[index]];
          if (belief === undefined || naming === undefined) continue;
          for (const [rung, chance] of belief.chancesNamed(flow, naming).entries()) {
            mixed[rung] = (mixed[rung] ?? 0) + weight * chance;
          }
        }
        return mixed.map(entropyOf);
      })
      .reduce((sums, one) => one.map((entropy, rung) => entropy + (sums[rung] ?? 0)), []);
  }

  hear(flow: Flow, rung: number, isNamed: (channel: AuditChannel) => boolean): void {
    this.#all = this.#all.map(one => {
      let evidence = one.evidence;
      for (const [index, channel] of this.#channels.entries()) {
        const [belief, naming] = [one.beliefs[index], one.namings[index]];
        if (belief !== undefined && naming !== undefined) {
          evidence += Math.log(belief.hear(flow, rung, isNamed(channel), naming));
        }
      }
      return { ...one, evidence };
    });
    this.#weigh();
  }

  /** Changes all that is believed, as time does. */
  change(change: (belief: Belief) => void): void {
    for (const { beliefs } of this.#all) for (const belief of beliefs) change(belief);
  }

  /**
   * Days on end, sums of balances that have moved err apart: what each foretells of ν counts again.
   *
   * @param part how far today's sum is another one than those before it, 0 to 1
   */
  rememberSum(part: number): void {
    this.#all = this.#all.map(one => ({
      ...one,
      evidence: one.evidence + part * this.#misfit(one.nu, one.beliefs),
    }));
  }

  /** Drops what has become unlikely, and looks closer at what is left. To be called now and then. */
  focus(): void {
    const best = Math.max(...this.#all.map(({ weight }) => weight));
    const left = this.#all.filter(({ weight }) => weight > HOPELESS * best);
    if (left.length <= FEW && this.#width > CLOSEST) {
      this.#width /= 2;
      this.#all = left.flatMap(({ nu, beliefs, evidence }) =>
        [-1, 1].map(side =>
          this.#hypothesis(
            nu + (side * this.#width) / 2,
            beliefs.map(belief => belief.copy()),
            evidence,
          ),
        ),
      );
    } else {
      this.#all = left;
    }
    this.#weigh();
  }

  #hypothesis(nu: number, beliefs: readonly Belief[], evidence: number): Hypothesis {
    return {
      nu,
      beliefs,
      namings: beliefs.map(({ grid }) => this.#naming(grid, nu)),
      evidence,
      weight: 0,
    };
  }

  #naming(grid: Grid, nu: number): Naming {
    const key = `${grid.capacitySat}|${grid.leaning}|${nu}`;
    let naming = this.#namings.get(key);
    if (naming === undefined) {
      naming = new Naming(grid, nu, this.#width);
      this.#namings.set(key, naming);
    }
    return naming;
  }

  #mean(of: (one: Hypothesis) => number): number {
    return this.#all.reduce((sum, one) => sum + one.weight * of(one), 0);
  }

  #weigh(): void {
    const logs = this.#all.map(one => one.evidence + this.#misfit(one.nu, one.beliefs));
    const best = Math.max(...logs);
    const weights = logs.map(log => Math.exp(log - best));
    const sum = weights.reduce((total, weight) => total + weight, 0);
    this.#all = this.#all.map((one, place) => ({ ...one, weight: (weights[place] ?? 0) / sum }));
  }

  /** The logarithm of how likely balances that are believed to add up to one ν add up to the other. */
  #misfit(nu: number, beliefs: readonly Belief[]): number {
    const { mean, sd } = this.#sum(beliefs);
    const wide = Math.hypot(sd, this.#width / Math.sqrt(12));
    return -(((nu - mean) / wide) ** 2) / 2 - Math.log(wide);
  }

  #sum(beliefs: readonly Belief[]): { mean: number; sd: number } {
    let [ours, variance, total] = [0, 0, 0];
    for (const belief of beliefs) {
      const capacity = belief.grid.capacitySat;
      const moments = belief.moments();
      ours += capacity * moments.mean;
      variance += capacity * capacity * moments.variance;
      total += capacity;
    }
    // They know what is theirs.
    for (const own of this.#watchers) {
      ours += own.oursSat;
      total += own.capacitySat;
    }
    return { mean: ours / total, sd: Math.sqrt(variance) / total };
  }
}

function entropyOf(chance: number): number {
  if (chance <= 0 || chance >= 1) return 0;
  return -chance * Math.log2(chance) - (1 - chance) * Math.log2(1 - chance);
}
