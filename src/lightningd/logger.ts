/**
 * Hazard: pino's own destinations write to stdout, which belongs to JSON-RPC, and lightningd kills a plugin that logs
 * at a level it does not know. So pino writes into this stream only, which turns each line into a `log` notification
 * at one of the four levels that every lightningd knows.
 */
import { type Logger, pino } from 'pino';
import type { LogLevel } from './plugin.ts';

export type { Logger } from 'pino';

/** Where lines go: `Plugin.log`. */
export type LogSink = (message: string, level: LogLevel) => void;

/** pino's levels as numbers: 10 trace, 20 debug, 30 info, 40 warn, 50 error, 60 fatal. */
function levelOf(level: number): LogLevel {
  if (level <= 20) return 'debug';
  if (level <= 30) return 'info';
  return level <= 40 ? 'unusual' : 'broken';
}

/** A pino logger whose lines are `message key=value …` in lightningd's log. lightningd filters by its own log level. */
export function createLogger(sink: LogSink): Logger {
  return pino(
    { base: null, timestamp: false, level: 'debug' },
    {
      write(line: string) {
        const { level, msg, ...fields } = JSON.parse(line) as { level: number; msg?: string };
        const details = Object.entries(fields).map(
          ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
        );
        sink([msg ?? '', ...details].join(' '), levelOf(level));
      },
    },
  );
}
