/** All experiments, in the order in which they run when none is named. */
import type { Experiment } from './experiment.ts';

export const EXPERIMENTS: readonly Experiment[] = [];
