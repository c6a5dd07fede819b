/** The options of just-in-time routing. */
import type { JitSettings } from '../jit/just-in-time.ts';
import type { Allowances } from '../jit/ledger.ts';
import { LONGEST_HOLD_MS } from './held-hook.ts';
import type { Option } from './option-registry.ts';
import { parseWholeNumber, shown } from './parameters.ts';
import type { Plugin } from './plugin.ts';

export const MODE_OPTION = 'foaf-jit';
const SHORTEST_HOLD_MS = 500;
/** A hundredth of a bitcoin: a week's circles should never come near it. */
const MAX_ALLOWANCE_SAT = 1_000_000;

export interface JitOptions {
  readonly mode: Option<JitSettings['mode']>;
  readonly holdMs: Option<number>;
  settings(): JitSettings;
  allowances(): Allowances;
}

export function registerJitOptions(plugin: Plugin): JitOptions {
  const mode = plugin.addOption(
    MODE_OPTION,
    'passive',
    'passive: fill a channel after a forward failed there; active: hold the forward meanwhile',
    'string',
    { dynamic: true, parse: parseMode },
  );
  const number = (name: string, value: number, description: string, minimum: number, maximum: number) =>
    plugin.addOption(name, value, `${description} (${minimum} to ${maximum})`, 'int', {
      dynamic: true,
      parse: candidate => {
        const parsed = parseWholeNumber(candidate, minimum, maximum);
        if (parsed !== undefined) return parsed;
        throw new RangeError(`must be a whole number, ${minimum} to ${maximum}, got ${shown(candidate)}`);
      },
    });
  const holdMs = number(
    'foaf-jit-hold-ms',
    4000,
    'Milliseconds that a forward is held at most',
    SHORTEST_HOLD_MS,
    LONGEST_HOLD_MS,
  );
  const allowance = (name: string, what: string) =>
    number(name, 100, `Satoshis a week for circles beyond a quarter of ${what}`, 0, MAX_ALLOWANCE_SAT);
  const perChannel = allowance('foaf-jit-allowance', 'what a channel earned, for each channel');
  const total = allowance('foaf-jit-allowance-total', 'what all channels earned, for all together');
  return {
    mode,
    holdMs,
    settings: () => ({ mode: mode.value, holdMs: holdMs.value }),
    allowances: () => ({
      perChannelMsat: BigInt(perChannel.value) * 1000n,
      totalMsat: BigInt(total.value) * 1000n,
    }),
  };
}

function parseMode(value: unknown): JitSettings['mode'] {
  if (value === 'passive' || value === 'active') return value;
  throw new RangeError(`must be passive or active, got ${shown(value)}`);
}
