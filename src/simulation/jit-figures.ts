/** What a stream of payments comes to in one world, beside the same stream with nothing. */
import type { Json, Table } from './experiment.ts';
import type { Tally } from './jit-network.ts';
import type { StreamOutcome } from './jit-stream.ts';
import { type Estimate, mean, percent, quantile, share } from './statistics.ts';

/** Fees in millisatoshi. */
export interface JitFigures {
  readonly world: string;
  readonly payments: number;
  /** Of all payments. */
  readonly arrived: Estimate;
  readonly first: Estimate;
  /** How many more arrive than with nothing, as a share of all; the same payments are compared. */
  readonly more: Estimate;
  readonly tries: number;
  /** What the payers of those that arrived paid in all. */
  readonly paidFees: number;
  /** Of those that arrived. */
  readonly tookS: Estimate;
  readonly tookP95S: number;
  readonly tally: Tally;
  readonly circles: number;
  readonly circleFees: number;
  readonly reasons: Readonly<Record<string, number>>;
}

/** @param nothing what came of the same stream without just-in-time routing */
export function jitFiguresOf(world: string, outcome: StreamOutcome, nothing: StreamOutcome): JitFigures {
  const { payments, tally, circles, circleFees, reasons } = outcome;
  const arrived = payments.filter(({ isComplete }) => isComplete);
  const seconds = arrived.map(({ tookMs }) => tookMs / 1000);
  const isOne = (is: boolean | undefined) => (is ? 1 : 0);
  const more = payments.map(
    ({ isComplete }, index) => isOne(isComplete) - isOne(nothing.payments[index]?.isComplete),
  );
  return {
    world,
    payments: payments.length,
    arrived: share(arrived.length, payments.length),
    first: share(arrived.filter(({ tries }) => tries === 1).length, payments.length),
    more: mean(more),
    tries: payments.reduce((sum, { tries }) => sum + tries, 0),
    paidFees: arrived.reduce((sum, { fee }) => sum + fee, 0),
    tookS: mean(seconds),
    tookP95S: quantile(seconds, 0.95),
    tally,
    circles,
    circleFees,
    reasons,
  };
}

/** With a digit, since circles are small. */
const sat = (msat: number) => (msat / 1000).toFixed(1);
const points = (value: number) => `${value < 0 ? '' : '+'}${(100 * value).toFixed(2)}`;

export function jitTable(title: string, worlds: readonly JitFigures[]): Table {
  return {
    title,
    columns: [
      'just-in-time routing',
      'arrived',
      '95 %',
      'first try',
      'points more',
      '95 %',
      'forwards',
      'lacking',
      'their fee, ppm (median)',
      'held',
      'sent on',
      'circles',
      'they cost, sat',
      'those sent on earned, sat',
      'payers paid, sat',
      'mean s',
      'p95 s',
    ],
    rows: worlds.map(
      ({ world, arrived, first, more, tally, circles, circleFees, paidFees, tookS, tookP95S }) => [
        world,
        percent(arrived.value),
        `${percent(arrived.low)} to ${percent(arrived.high)}`,
        percent(first.value),
        points(more.value),
        `${points(more.low)} to ${points(more.high)}`,
        tally.forwards,
        tally.lacking,
        quantile(tally.lackingPpm, 0.5).toFixed(1),
        tally.held,
        tally.helped,
        circles,
        sat(circleFees),
        sat(tally.helpedFees),
        sat(paidFees),
        tookS.value.toFixed(1),
        tookP95S.toFixed(1),
      ],
    ),
  };
}

/** Only the reasons that there were. */
export function reasonsTable(title: string, worlds: readonly JitFigures[]): Table {
  const reasons = [...new Set(worlds.flatMap(figures => Object.keys(figures.reasons)))].sort();
  return {
    title,
    columns: ['just-in-time routing', ...reasons],
    rows: worlds
      .filter(figures => Object.keys(figures.reasons).length > 0)
      .map(figures => [figures.world, ...reasons.map(reason => figures.reasons[reason] ?? 0)]),
  };
}

/** As JSON; what was measured of nothing is null. */
export function jitJsonOf({ tally, paidFees, circleFees, ...figures }: JitFigures): Json {
  const estimate = ({ value, low, high }: Estimate) => ({ value, low, high });
  const { helpedFees, earned, lackingPpm, ...counts } = tally;
  return {
    ...figures,
    arrived: estimate(figures.arrived),
    first: estimate(figures.first),
    more: estimate(figures.more),
    tookS: estimate(figures.tookS),
    ...counts,
    lackingPpm: [0.1, 0.25, 0.5, 0.75, 0.9].map(part => ({ part, value: quantile(lackingPpm, part) })),
    paidFeesMsat: paidFees,
    circleFeesMsat: circleFees,
    helpedFeesMsat: helpedFees,
    earnedMsat: earned,
  };
}
