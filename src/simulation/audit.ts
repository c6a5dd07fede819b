/**
 * The privacy audit: what our answers tell friends who do their best, beside what probing tells.
 *
 * Its parts depend on nothing but the options, so that they may run in any order and in several processes.
 */
import { AUDIT_RUNGS } from './audit-belief.ts';
import { askAsFriends, type FriendsFigures, type Timing } from './audit-friends.ts';
import { Movement } from './audit-movement.ts';
import { RebalanceWorld } from './audit-network.ts';
import { type MarginRule, marginsBy, type NuSearchFigures, searchNu } from './audit-nu-search.ts';
import { type ProberFigures, type ProbingRate, probe } from './audit-prober.ts';
import { type RebalanceFigures, rebalanceCases, STRATEGIES, type Strategy } from './audit-rebalance.ts';
import { type AuditBalances, AuditWorld } from './audit-world.ts';
import type { Network } from './network.ts';
import { Random } from './random.ts';

export interface AuditOptions {
  readonly seed: number;
  readonly days: number;
  /** Channels of a watched node, and how many nodes are watched in each scenario. */
  readonly channels: number;
  readonly nodes: number;
  /** Nodes whose ν two friends search for. */
  readonly searches: number;
  /** Rebalances of each kind. */
  readonly cases: number;
}

const KINDS: readonly AuditBalances[] = ['anywhere', 'depleted'];
const WATCHER_SAT = 5_000_000;
/** As much as 50 channels of the mean capacity have. */
const LARGE_SAT = 280_000_000;
const AMOUNTS_MSAT = [180_000_000n, 900_000_000n] as const;
const RATES: readonly ProbingRate[] = [24, 1440, 'literature'];
const MARGIN_RULES: readonly MarginRule[] = ['a week', 'for ever'];

interface Scenario {
  readonly name: string;
  readonly friends: number;
  readonly timing?: Timing;
  readonly bursts?: number;
  /** Questions an hour; three times that in a day. */
  readonly budget?: number;
  readonly isStill?: boolean;
  readonly isLarge?: boolean;
  readonly rungs?: readonly number[];
  readonly margins?: MarginRule;
}

/** As shipped, where nothing else is said. */
export const SCENARIOS: readonly Scenario[] = [
  { name: 'one friend', friends: 1 },
  { name: 'one friend, a question an hour', friends: 1, timing: 'spread' },
  { name: 'two friends', friends: 2 },
  { name: 'five friends', friends: 5, bursts: 6 },
  { name: 'one friend with a large channel', friends: 1, isLarge: true },
  { name: 'one friend, nothing moves', friends: 1, isStill: true },
  { name: 'one friend, budget 4', friends: 1, budget: 4 },
  { name: 'one friend, budget 2', friends: 1, budget: 2 },
  {
    name: 'one friend, rungs 1 × 10^k only',
    friends: 1,
    rungs: AUDIT_RUNGS.filter(rung => Number.isInteger(Math.log10(rung))),
  },
  { name: 'one friend, margins last for ever', friends: 1, margins: 'for ever' },
];

export type PartResult =
  | {
      readonly part: 'friends';
      readonly name: string;
      readonly kind: AuditBalances;
      readonly figures: FriendsFigures;
    }
  | {
      readonly part: 'prober';
      readonly rate: ProbingRate;
      readonly kind: AuditBalances;
      readonly figures: ProberFigures;
    }
  | { readonly part: 'nu'; readonly rule: MarginRule; readonly figures: readonly NuSearchFigures[] }
  | {
      readonly part: 'rebalance';
      readonly strategy: Strategy;
      readonly kind: AuditBalances;
      readonly amountSat: number;
      readonly figures: RebalanceFigures;
    };

export interface Part {
  readonly name: string;
  run(): Promise<PartResult>;
}

/** All parts, the longest first. */
export function partsOf(options: AuditOptions, network: () => Network): Part[] {
  const random = new Random(options.seed).fork('audit');
  const movements = new Map<string, Movement>();
  const movement = (kind: AuditBalances, moves: boolean) => {
    const known = movements.get(`${kind}|${moves}`) ?? new Movement(kind, moves);
    movements.set(`${kind}|${moves}`, known);
    return known;
  };
  const worlds = new Map<AuditBalances, RebalanceWorld>();
  const world = (kind: AuditBalances) => {
    const known = worlds.get(kind) ?? new RebalanceWorld(network(), kind, random.fork(`balances ${kind}`));
    worlds.set(kind, known);
    return known;
  };
  const watched = (kind: AuditBalances, node: number) => random.fork(`node ${kind}`).fork(node);
  const parts: (Part & { readonly work: number })[] = [];
  for (const kind of KINDS) {
    for (const scenario of SCENARIOS) {
      for (let node = 0; node < options.nodes; node++) {
        parts.push({
          name: `${scenario.name}, balances ${kind}`,
          work: scenario.friends + (scenario.timing === 'spread' ? 4 : 0),
          run: async () => ({
            part: 'friends',
            name: scenario.name,
            kind,
            figures: await friends(
              scenario,
              kind,
              options,
              watched(kind, node),
              movement(kind, !scenario.isStill),
            ),
          }),
        });
      }
    }
    for (const rate of RATES) {
      for (let node = 0; node < options.nodes; node++) {
        parts.push({
          name: `probing, balances ${kind}`,
          work: 1,
          run: async () => {
            const { channels, days } = options;
            const init = {
              random: watched(kind, node),
              channels,
              balances: kind,
              moves: true,
              watchersSat: [],
            };
            const figures = probe(new AuditWorld(init), movement(kind, true), days, rate);
            return { part: 'prober', rate, kind, figures };
          },
        });
      }
    }
    for (const strategy of STRATEGIES) {
      for (const amountMsat of AMOUNTS_MSAT) {
        parts.push({
          name: `rebalances, ${strategy}`,
          work: strategy === 'all asked' ? 3 : 0.5,
          run: async () => {
            const cases = random.fork(`cases ${amountMsat}`);
            const figures = await rebalanceCases(world(kind), strategy, amountMsat, options.cases, cases);
            return { part: 'rebalance', strategy, kind, amountSat: Number(amountMsat) / 1000, figures };
          },
        });
      }
    }
  }
  for (const rule of MARGIN_RULES) {
    parts.push({
      name: 'two friends who search for ν',
      work: 2,
      run: async () => {
        const figures: NuSearchFigures[] = [];
        const weeks = Math.max(1, Math.ceil(options.days / 7));
        for (let node = 0; node < options.searches; node++) {
          figures.push(await searchNu(random.fork('search').fork(node), options.channels, weeks, rule));
        }
        return { part: 'nu', rule, figures };
      },
    });
  }
  return parts.sort((a, b) => b.work - a.work);
}

function friends(
  {
    friends: count,
    timing = 'bursts',
    bursts = 3,
    budget = 8,
    isLarge = false,
    rungs,
    margins = 'a week',
  }: Scenario,
  kind: AuditBalances,
  { days, channels }: AuditOptions,
  random: Random,
  movement: Movement,
): Promise<FriendsFigures> {
  const world = new AuditWorld({
    random,
    channels,
    balances: kind,
    moves: movement.moves,
    watchersSat: Array.from({ length: count }, () => (isLarge ? LARGE_SAT : WATCHER_SAT)),
    watchersShare: isLarge ? 0.01 : 0.5,
    settings: { questionBudget: budget },
    hash: marginsBy(margins),
  });
  return askAsFriends(world, movement, {
    days,
    timing,
    questionsADay: 3 * budget,
    bursts,
    marginsLast: margins === 'for ever',
    ...(rungs === undefined ? {} : { rungs }),
  });
}
