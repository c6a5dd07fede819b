/** All experiments, in the order in which they run when none is named. */
import { adoption } from './adoption.ts';
import { attempts } from './attempts.ts';
import type { Experiment } from './experiment.ts';

export const EXPERIMENTS: readonly Experiment[] = [attempts, adoption];
