/**
 * Parameters of commands and values of options: a person's input, read once, here. Every refusal is a -32602 that
 * names the parameter, what was expected and what came.
 */
import { MAX_AMOUNT_MSAT } from '../wire/codec.ts';
import { CommandError, ErrorCode } from './errors.ts';

/** A parameter that is wrong: `foafbalance: amount: must be a positive amount, got 0`. */
export function invalidParameter(command: string, name: string, problem: string): CommandError {
  return new CommandError(ErrorCode.invalidParams, `${command}: ${name}: ${problem}`);
}

/**
 * Brings positional and named parameters into one form; `null` is left out.
 *
 * @param names the command's parameters in their order
 * @throws CommandError -32602 for an unknown name or too many values
 */
export function bindParameters(
  command: string,
  names: readonly string[],
  params: unknown,
): Record<string, unknown> {
  const bound: Record<string, unknown> = {};
  if (Array.isArray(params)) {
    if (params.length > names.length) {
      const problem = `too many parameters: at most ${names.length} (${names.join(', ')}), got ${params.length}`;
      throw new CommandError(ErrorCode.invalidParams, `${command}: ${problem}`);
    }
    names.forEach((name, index) => {
      if (params[index] !== null && params[index] !== undefined) bound[name] = params[index];
    });
    return bound;
  }
  if (typeof params !== 'object' || params === null) return bound;
  for (const [name, value] of Object.entries(params)) {
    if (!names.includes(name)) {
      throw invalidParameter(command, name, `unknown parameter, expected ${names.join(', ')}`);
    }
    if (value !== null) bound[name] = value;
  }
  return bound;
}

/** Whatever came, short enough for a message. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : jsonOf(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'nothing';
  } catch {
    // Nested deeper than the stack is: JSON.parse reads more than JSON.stringify writes.
    return 'something nested too deeply';
  }
}

/** A whole number between two bounds, from a number or its text; `undefined` for anything else. */
export function parseWholeNumber(value: unknown, minimum: number, maximum: number): number | undefined {
  const number = typeof value === 'string' && /^-?[0-9]{1,15}$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number)) return undefined;
  return number >= minimum && number <= maximum ? number : undefined;
}

const TRUE = new Set<unknown>([true, 'true']);
const FALSE = new Set<unknown>([false, 'false']);

/** `true` or `false`, or their text; `undefined` for anything else. */
export function parseBoolean(value: unknown): boolean | undefined {
  if (TRUE.has(value)) return true;
  return FALSE.has(value) ? false : undefined;
}

const NODE_ID = /^0[23][0-9a-f]{64}$/;

/** A node id: 66 hex digits of a compressed public key, lower-cased; `undefined` for anything else. */
export function parseNodeId(value: unknown): string | undefined {
  if (typeof value !== 'string') return undefined;
  const id = value.toLowerCase();
  return NODE_ID.test(id) ? id : undefined;
}

const AMOUNT = /^([0-9]{1,40})(?:\.([0-9]{1,11}))?(msat|sat|btc)?$/;
/** Decimal places of each unit in millisatoshis. */
const PLACES = { msat: 0, sat: 3, btc: 11 } as const;

/**
 * An amount as Core Lightning's users write it: `50000` and `50000sat` are satoshis, `50000000msat`, `0.0005btc`.
 * Decimals are for btc only.
 *
 * @returns millisatoshis, 1 to `MAX_AMOUNT_MSAT`, or what is wrong, in words
 */
export function parseAmount(value: unknown): bigint | string {
  const text = typeof value === 'number' ? numberText(value) : value;
  const match = typeof text === 'string' ? AMOUNT.exec(text) : null;
  const [, whole = '', fraction = '', unit] = match ?? [];
  if (match === null || (fraction !== '' && unit !== 'btc')) {
    return typeof text === 'string' && /^-[0-9]/.test(text)
      ? `must be a positive amount, got ${shown(value)}`
      : `must be satoshis or an amount like 50000sat, 50000000msat or 0.0005btc, got ${shown(value)}`;
  }
  const places = PLACES[(unit ?? 'sat') as keyof typeof PLACES];
  const amountMsat = BigInt(whole) * 10n ** BigInt(places) + BigInt(fraction.padEnd(places, '0') || '0');
  if (amountMsat === 0n) return `must be a positive amount, got ${shown(value)}`;
  if (amountMsat > MAX_AMOUNT_MSAT) return `must be at most 20000000btc, got ${shown(value)}`;
  return amountMsat;
}

/** Without the exponent that large numbers get. */
function numberText(value: number): string {
  return Number.isInteger(value) ? BigInt(value).toString() : String(value);
}
