/** What the cases of one level come to, beside the same cases at the first level. */
import type { CaseOutcome } from './attempts-batch.ts';
import type { Json, Table } from './experiment.ts';
import type { CaseResult } from './rebalance-case.ts';
import { type Estimate, mean, percent, quantile, share } from './statistics.ts';

/** Fees in millisatoshi. Figures marked so are of the solvable cases: some circle within the limits would have worked. */
export interface Figures {
  readonly level: string;
  readonly cases: number;
  readonly solvable: number;
  /** Through at the first try: of the solvable cases, and of all. */
  readonly first: Estimate;
  readonly firstOfAll: Estimate;
  /** Through at last, of the solvable cases. */
  readonly solved: Estimate;
  /** Tries of the solvable cases, those given up among them. */
  readonly tries: Estimate;
  readonly triesP95: number;
  /** How many fewer tries than at the first level, as a share of those. */
  readonly fewerTries: number;
  /** Of the cases that are solved both here and at the first level: the fee, the first level's, and the difference. */
  readonly both: number;
  readonly fee: Estimate;
  readonly firstLevelFee: Estimate;
  readonly dearer: Estimate;
  /** What the solvable cases cost whoever knows all balances. */
  readonly cheapestFee: Estimate;
  /** How many answers friends gave, over all tries of a case. */
  readonly answers: number;
}

/** @param place that of the level among the results */
export function figuresOf(level: string, outcomes: readonly CaseOutcome[], place: number): Figures {
  const solvable = outcomes.filter(({ cheapest }) => cheapest !== undefined);
  const here = solvable.map(outcome => resultAt(outcome, place));
  const firstLevel = solvable.map(outcome => resultAt(outcome, 0));
  const firsts = here.filter(({ isComplete, tries }) => isComplete && tries === 1).length;
  const both = solvable.filter(
    outcome => resultAt(outcome, place).isComplete && resultAt(outcome, 0).isComplete,
  );
  const feesAt = (at: number) => both.map(outcome => resultAt(outcome, at).feeMsat);
  const triesOf = (results: readonly CaseResult[]) => results.map(({ tries }) => tries);
  return {
    level,
    cases: outcomes.length,
    solvable: solvable.length,
    first: share(firsts, solvable.length),
    firstOfAll: share(firsts, outcomes.length),
    solved: share(here.filter(({ isComplete }) => isComplete).length, solvable.length),
    tries: mean(triesOf(here)),
    triesP95: quantile(triesOf(here), 0.95),
    fewerTries: 1 - mean(triesOf(here)).value / mean(triesOf(firstLevel)).value,
    both: both.length,
    fee: mean(feesAt(place)),
    firstLevelFee: mean(feesAt(0)),
    dearer: mean(both.map(outcome => resultAt(outcome, place).feeMsat - resultAt(outcome, 0).feeMsat)),
    cheapestFee: mean(solvable.map(({ cheapest }) => cheapest ?? 0)),
    answers: mean(here.map(({ answers }) => answers)).value,
  };
}

function resultAt({ results }: CaseOutcome, place: number): CaseResult {
  const result = results[place];
  if (result === undefined) throw new RangeError(`no level ${place}`);
  return result;
}

export function figuresTable(title: string, first: string, levels: readonly Figures[]): Table {
  const sat = (msat: number) => (msat / 1000).toFixed(0);
  const range = ({ low, high }: Estimate, text: (value: number) => string) => `${text(low)} to ${text(high)}`;
  return {
    title: `${title}; ${levels[0]?.cases} cases, of which a circle would have worked in ${levels[0]?.solvable}`,
    columns: [
      first,
      'answers',
      'first try',
      '95 %',
      'of all cases',
      'solved',
      'tries',
      '95 %',
      'p95',
      'fewer tries',
      'fee, sat',
      'the first level, sat',
    ],
    rows: levels.map(figures => [
      figures.level,
      figures.answers.toFixed(1),
      percent(figures.first.value),
      range(figures.first, percent),
      percent(figures.firstOfAll.value),
      percent(figures.solved.value),
      figures.tries.value.toFixed(2),
      range(figures.tries, value => value.toFixed(2)),
      figures.triesP95,
      percent(figures.fewerTries),
      sat(figures.fee.value),
      sat(figures.firstLevelFee.value),
    ]),
  };
}

/** As JSON; what was measured of nothing is null. */
export function jsonOf(figures: Figures): Json {
  const estimate = ({ value, low, high }: Estimate) => ({ value, low, high });
  const { first, firstOfAll, solved, tries, fee, firstLevelFee, dearer, cheapestFee, ...rest } = figures;
  return {
    ...rest,
    first: estimate(first),
    firstOfAll: estimate(firstOfAll),
    solved: estimate(solved),
    tries: estimate(tries),
    feeMsat: estimate(fee),
    firstLevelFeeMsat: estimate(firstLevelFee),
    dearerMsat: estimate(dearer),
    cheapestFeeMsat: estimate(cheapestFee),
  };
}
