/** The command `foafjit`: what was held and why not, what it cost and what may still be spent. */
import type { Earnings } from '../jit/earnings.ts';
import type { JitSettings, JustInTime } from '../jit/just-in-time.ts';
import type { Allowances, Ledger } from '../jit/ledger.ts';
import { REASONS } from '../jit/types.ts';
import type { Clock } from '../sharing/ports.ts';
import { type CommandSchema, parameterNames } from './command-schema.ts';
import { bindParameters } from './parameters.ts';
import schema from './schemas/foafjit.json' with { type: 'json' };

export const FOAFJIT: CommandSchema = schema;

export interface JitSources {
  readonly jit: JustInTime;
  readonly ledger: Ledger;
  readonly earnings: Earnings;
  readonly clock: Clock;
  readonly isLedgerReady: () => boolean;
  readonly settings: () => JitSettings;
  readonly allowances: () => Allowances;
}

/** @throws CommandError -32602 for any parameter */
export function foafjit(sources: JitSources, params: unknown): object {
  bindParameters(FOAFJIT.rpc, parameterNames(FOAFJIT), params);
  const { jit, ledger, earnings, clock } = sources;
  const { mode, holdMs } = sources.settings();
  const { perChannelMsat, totalMsat } = sources.allowances();
  const wallMs = clock.wallMs();
  const spent = ledger.spent();
  const channels = [...new Set([...spent.byChannelMsat.keys(), ...earnings.channels()])].sort();
  return {
    mode,
    hold_ms: holdMs,
    held: jit.held,
    circles_under_way: jit.underWay,
    enough: jit.enough,
    outcomes: Object.fromEntries(
      REASONS.flatMap(reason => {
        const count = jit.counts.get(reason);
        return count === undefined ? [] : [[reason, count]];
      }),
    ),
    week: {
      earned_msat: earnings.earnedByAllMsat(wallMs),
      spent_msat: spent.byAllMsat,
      allowance_msat: totalMsat,
      allowance_per_channel_msat: perChannelMsat,
      channels: channels.map(channel => {
        const { settled, ended } = earnings.share(channel, wallMs);
        return {
          short_channel_id: channel,
          earned_msat: earnings.earnedMsat(channel, wallMs),
          spent_msat: spent.byChannelMsat.get(channel) ?? 0n,
          remaining_msat: ledger.remainingMsat(channel, spent),
          share_settled: Number(settled) / Number(ended),
        };
      }),
    },
    ...(sources.isLedgerReady() && ledger.unreadable === 0
      ? {}
      : {
          warning_ledger: `what was spent before could not be read${ledger.unreadable > 0 ? '' : ' yet'}: nothing is spent`,
        }),
  };
}
