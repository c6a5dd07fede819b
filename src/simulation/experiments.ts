/** All experiments, in the order in which they run when none is named. */
import { adoption } from './adoption.ts';
import { attempts } from './attempts.ts';
import type { Experiment } from './experiment.ts';
import { jit } from './jit.ts';
import { optimum } from './optimum.ts';
import { paper } from './paper.ts';

export const EXPERIMENTS: readonly Experiment[] = [attempts, adoption, paper, optimum, jit];
