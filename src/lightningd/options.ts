/** The plugin's options: what they are called, what they may be, and what they are while nobody has set them. */
import type { AnswerSettings } from '../sharing/answerer.ts';
import { TIMEOUT_RANGE_S } from './foafbalance.ts';
import type { CircleSettings } from './foafcircles.ts';
import type { Option } from './option-registry.ts';
import { parseNodeId, parseWholeNumber, shown } from './parameters.ts';
import type { Plugin } from './plugin.ts';

/** Blocks that a channel must have: a day's worth, so that opening a channel to look around costs time and fees. */
const DEFAULT_MIN_DEPTH = 144;

export interface Options {
  /** Seconds. */
  readonly timeout: Option<number>;
  /** Seconds. */
  readonly cacheTtl: Option<number>;
  /** Minutes between automatic questions; 0 is off. */
  readonly refresh: Option<number>;
  /** The name of the askrene layer; empty for none. */
  readonly layer: Option<string>;
  /** A folder, or empty. */
  readonly fixtures: Option<string>;
  /** @param network lightningd's: on regtest blocks come when the tester wants, so any depth will do */
  answerSettings(network: string): AnswerSettings;
  circleSettings(): CircleSettings & { readonly timeoutS: number };
}

/** Registers all options; their values are there after `init`. */
export function registerOptions(plugin: Plugin): Options {
  const share = plugin.addOption('foaf-share', 'friends', 'Whom to answer: friends or none', 'string', {
    dynamic: true,
    parse: value => parseShare(value),
  });
  const nodes = (name: string, description: string) =>
    plugin.addOption(name, '', description, 'string', {
      dynamic: true,
      parse: value => parseNodeIds(value),
    });
  const allow = nodes('foaf-allow', 'Answer only these node ids, comma-separated; all friends when empty');
  const deny = nodes('foaf-deny', 'Never answer these node ids, comma-separated; beats foaf-allow');
  const number = <T extends number | undefined>(
    name: string,
    value: T,
    description: string,
    minimum: number,
    maximum: number,
  ) =>
    plugin.addOption<T | number>(name, value, `${description} (${minimum} to ${maximum})`, 'int', {
      dynamic: true,
      parse: candidate => parseNumber(candidate, minimum, maximum),
    });
  const minDepth = number(
    'foaf-min-depth',
    undefined,
    `Blocks that a channel must have to count or to ask us; ${DEFAULT_MIN_DEPTH} when not given, on regtest 0`,
    0,
    10_000,
  );
  const answerTtl = number(
    'foaf-answer-ttl',
    300,
    'Seconds for which all answers come from one reading of our balances',
    1,
    86_400,
  );
  const questionBudget = number(
    'foaf-question-budget',
    8,
    'Questions that a friend may have answered in an hour; three times as many in a day',
    1,
    1000,
  );
  const omitPercent = number(
    'foaf-omit-percent',
    0,
    'Percent of our channels that nobody is told of, chosen anew every 28 days',
    0,
    50,
  );
  const { minimum, maximum } = TIMEOUT_RANGE_S;
  const timeout = number('foaf-timeout', 5, 'Seconds that foafbalance waits for replies', minimum, maximum);
  const maxFeePpm = number('foaf-maxfeeppm', 500, 'The most that a rebalance may cost, in ppm', 0, 100_000);
  const maxDelay = number('foaf-maxdelay', 500, 'Blocks that a circle may take in all', 40, 2016);
  return {
    timeout,
    cacheTtl: number('foaf-cache-ttl', 1200, "Seconds for which a friend's word counts", 1, 86_400),
    refresh: number('foaf-refresh', 0, 'Minutes between automatic questions to friends; 0 is off', 0, 1440),
    layer: plugin.addOption(
      'foaf-layer',
      'foaf',
      "The askrene layer that is told what friends offer, for xpay's --xpay-user-layer; none when empty",
      'string',
      { dynamic: true, parse: parseLayer },
    ),
    fixtures: plugin.addOption(
      'foaf-fixtures',
      '',
      'Folder with funds.json and channels.json, on regtest only',
      'string',
      {
        parse: String,
      },
    ),
    circleSettings: () => ({
      maxFeePpm: maxFeePpm.value,
      maxDelay: maxDelay.value,
      timeoutS: timeout.value,
    }),
    answerSettings: network => ({
      share: share.value,
      allow: allow.value,
      deny: deny.value,
      minDepth: minDepth.value ?? (network === 'regtest' ? 0 : DEFAULT_MIN_DEPTH),
      answerTtlMs: answerTtl.value * 1000,
      questionBudget: questionBudget.value,
      omitPercent: omitPercent.value,
    }),
  };
}

function parseShare(value: unknown): AnswerSettings['share'] {
  if (value === 'friends' || value === 'none') return value;
  throw new RangeError(`must be friends or none, got ${shown(value)}`);
}

/** xpay keeps what it learns in a layer of its own, which we would empty; askrene's own begin with `auto.`. */
function parseLayer(value: unknown): string {
  const name = value === undefined ? '' : String(value);
  if (/^[\w.:-]{0,64}$/.test(name) && name !== 'xpay' && !name.startsWith('auto.')) return name;
  throw new RangeError(
    `must be empty or up to 64 letters, digits, dots, colons, underscores and dashes, neither xpay nor auto.…, got ${shown(value)}`,
  );
}

function parseNumber(value: unknown, minimum: number, maximum: number): number {
  const number = parseWholeNumber(value, minimum, maximum);
  if (number !== undefined) return number;
  throw new RangeError(`must be a whole number, ${minimum} to ${maximum}, got ${shown(value)}`);
}

function parseNodeIds(value: unknown): ReadonlySet<string> {
  const ids = new Set<string>();
  if (value === undefined) return ids;
  for (const part of String(value)
    .split(',')
    .map(text => text.trim())) {
    if (part === '') continue;
    const id = parseNodeId(part);
    if (id === undefined) {
      throw new RangeError(`must be comma-separated node ids, got ${shown(part)}`);
    }
    ids.add(id);
  }
  return ids;
}
