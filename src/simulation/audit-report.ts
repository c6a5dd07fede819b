/** The audit's results as tables and figures. */
import { type AuditOptions, type PartResult, SCENARIOS } from './audit.ts';
import type { Json, Table } from './experiment.ts';
import { quantile } from './statistics.ts';

export interface AuditReport {
  readonly tables: readonly Table[];
  readonly figures: Json;
}

type Numbers = Readonly<Record<string, number>>;

export function reportOf(options: AuditOptions, results: readonly PartResult[]): AuditReport {
  const observers = observersOf(results);
  const searches = results
    .filter(result => result.part === 'nu')
    .map(({ rule, figures }) => ({
      rule,
      questionsAWeek: (figures[0]?.questions ?? 0) / (figures[0]?.errors.length ?? 1),
      shiftedSatAWeek: mean(figures.map(one => one.shiftedSat / one.errors.length)),
      weeks: (figures[0]?.errors ?? []).map((_, week) => {
        const errors = figures.map(one => one.errors[week] ?? Number.NaN);
        return { median: quantile(errors, 0.5), in10: quantile(errors, 0.9) };
      }),
    }))
    .sort((a, b) => a.rule.localeCompare(b.rule));
  const rebalances = results
    .filter(result => result.part === 'rebalance')
    .map(({ strategy, kind, amountSat, figures }) => ({
      strategy,
      kind,
      amountSat,
      ...figures,
      bitsPerSuccess: figures.bits / figures.succeeded,
      channelsPerSuccess: figures.channels / figures.succeeded,
    }))
    .sort(
      (a, b) =>
        a.kind.localeCompare(b.kind) || a.amountSat - b.amountSat || b.bitsPerSuccess - a.bitsPerSuccess,
    );
  const weeks = searches[0]?.weeks.length ?? 0;
  const tables: Table[] = [
    {
      title: `What an observer knows of ${options.channels} channels (${options.days} days, mean of ${options.nodes} nodes)`,
      columns: [
        'balances',
        'observer',
        'questions a day',
        'off by, median',
        '9 in 10 within',
        'not asking, median',
        '9 in 10 within',
        'bits held a channel',
        'learned a channel and day',
        'ν off by',
      ],
      rows: observers.map(({ kind, name, ...one }) => [
        kind,
        name,
        Math.round(one.questions),
        share(one.errorMedian),
        share(one.error90),
        share(one.priorErrorMedian),
        share(one.priorError90),
        one.heldBits.toFixed(2),
        one.learnedBits.toFixed(2),
        Number.isNaN(one.nuError) ? '' : one.nuError.toFixed(4),
      ]),
    },
    {
      title: `Two friends who search for ν in ${options.searches} nodes: off by, median and 9 in 10 within`,
      columns: ['margins last', ...Array.from({ length: weeks }, (_, week) => `week ${week + 1}`)],
      rows: searches.map(({ rule, weeks: all }) => [
        rule,
        ...all.map(({ median, in10 }) => `${median.toFixed(4)} / ${in10.toFixed(4)}`),
      ]),
    },
    {
      title: `One rebalance: what it tells about others' balances (${options.cases} cases each)`,
      columns: [
        'balances',
        'amount, sat',
        'how',
        'succeeded',
        'at the first try',
        'questions',
        'probes',
        'bits per success',
        'channels per success',
        'bits a channel',
      ],
      rows: rebalances.map(one => [
        one.kind,
        one.amountSat.toLocaleString('en'),
        one.strategy,
        share(one.succeeded / one.cases),
        share(one.firstTry / one.cases),
        (one.questions / one.cases).toFixed(1),
        (one.probes / one.cases).toFixed(1),
        one.bitsPerSuccess.toFixed(1),
        one.channelsPerSuccess.toFixed(1),
        (one.bits / one.channels).toFixed(2),
      ]),
    },
  ];
  return {
    tables,
    figures: {
      options: { ...options },
      observers: observers.map(one => ({ ...one, nuError: Number.isNaN(one.nuError) ? null : one.nuError })),
      searches,
      rebalances,
    },
  };
}

/** The mean over nodes, in the order of the scenarios. */
function observersOf(results: readonly PartResult[]) {
  const groups = new Map<string, { kind: string; name: string; all: Numbers[] }>();
  for (const result of results) {
    if (result.part !== 'friends' && result.part !== 'prober') continue;
    const name =
      result.part === 'friends'
        ? result.name
        : result.rate === 'literature'
          ? 'prober, 1600 channels in 14 h'
          : `prober, ${result.rate} a day`;
    const group = groups.get(`${result.kind}|${name}`) ?? { kind: result.kind, name, all: [] };
    groups.set(`${result.kind}|${name}`, group);
    const { figures } = result;
    const { errorMedian, error90, priorErrorMedian, priorError90, heldBits, learnedBits } = figures;
    group.all.push({
      errorMedian,
      error90,
      priorErrorMedian,
      priorError90,
      heldBits,
      learnedBits,
      questions: 'probesADay' in figures ? figures.probesADay : figures.questionsADay,
      nuError: 'nuErrors' in figures ? quantile(figures.nuErrors, 0.5) : Number.NaN,
      justAfterMedian: 'justAfter' in figures ? (figures.justAfter?.errorMedian ?? errorMedian) : errorMedian,
      justAfterBits: 'justAfter' in figures ? (figures.justAfter?.heldBits ?? heldBits) : heldBits,
    });
  }
  const order = SCENARIOS.map(({ name }) => name);
  const place = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length);
  return [...groups.values()]
    .map(({ kind, name, all }) => ({
      kind,
      name,
      questions: of(all, 'questions'),
      errorMedian: of(all, 'errorMedian'),
      error90: of(all, 'error90'),
      priorErrorMedian: of(all, 'priorErrorMedian'),
      priorError90: of(all, 'priorError90'),
      heldBits: of(all, 'heldBits'),
      learnedBits: of(all, 'learnedBits'),
      nuError: of(all, 'nuError'),
      justAfterMedian: of(all, 'justAfterMedian'),
      justAfterBits: of(all, 'justAfterBits'),
    }))
    .sort(
      (a, b) => a.kind.localeCompare(b.kind) || place(a.name) - place(b.name) || a.questions - b.questions,
    );
}

function of(all: readonly Numbers[], figure: string): number {
  return mean(all.map(one => one[figure] ?? Number.NaN));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function share(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}
