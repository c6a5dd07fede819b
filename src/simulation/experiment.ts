/** What an experiment is: something that runs on a network and comes back with tables, figures and plots. */
import type { Network } from './network.ts';
import type { Random } from './random.ts';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  /** Numbers are set to the right. */
  readonly rows: readonly (readonly (string | number)[])[];
}

export interface Series {
  readonly name: string;
  /** Ascending x; a bar chart takes the n-th point of each series to its n-th group. */
  readonly points: readonly Point[];
}

export interface Point {
  readonly x: number;
  readonly y: number;
  /** An interval around y, where there is one. */
  readonly low?: number;
  readonly high?: number;
}

export interface Plot {
  /** Its file's name, without `.svg`. */
  readonly name: string;
  readonly title: string;
  readonly kind: 'line' | 'bar';
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

export interface Axis {
  readonly label: string;
  /** Equal ratios are equally far apart; all values must be above 0. */
  readonly logarithmic?: boolean;
  /** Written instead of numbers: of a bar chart's groups, or where a line's points lie. */
  readonly names?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
}

export interface ExperimentResult {
  readonly tables: readonly Table[];
  /** Every figure that was measured, with what it was measured by. */
  readonly figures: Json;
  readonly plots: readonly Plot[];
}

export interface ExperimentOptions {
  /** How many cases, where an experiment draws cases; its own default when left out. */
  readonly cases?: number;
  /** How many threads may work. The figures do not depend on it. */
  readonly threads: number;
}

/** Told how far a run is, 0 to 1, and at what. */
export type Progress = (done: number, what: string) => void;

export interface Experiment {
  /** As the command line names it. */
  readonly name: string;
  /** One line. */
  readonly describe: string;
  run(
    network: Network,
    options: ExperimentOptions,
    random: Random,
    progress: Progress,
  ): Promise<ExperimentResult>;
}
