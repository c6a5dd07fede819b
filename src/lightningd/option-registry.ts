/** A plugin's options: what the manifest says of them, and what lightningd has set them to. */
import { CommandError, ErrorCode } from './errors.ts';

/** Stands for a missing default where one must be given: an empty value means "not given". */
const NOT_SET = '';

export interface OptionExtras<T> {
  /** Whether `setconfig` may change it while the node runs. @default false */
  readonly dynamic?: boolean;
  /** Reads what lightningd gives: a value of the option's type, or its text. @throws RangeError with what is wrong */
  readonly parse: (value: unknown) => T;
}

/** As the manifest says it; without one the value stays `undefined` until the operator sets it. */
export type OptionDefault = string | number | boolean | undefined;

/** An option as its readers see it. */
export interface Option<T> {
  readonly name: string;
  /** The default until `init`, then what lightningd said last. */
  value: T;
}

interface RegisteredOption {
  readonly type: string;
  readonly default: unknown;
  readonly description: string;
  readonly dynamic: boolean;
  /** Reads a value; the returned function makes it the option's. @throws RangeError with what is wrong */
  readonly read: (value: unknown) => () => void;
}

export class OptionRegistry {
  readonly #options = new Map<string, RegisteredOption>();

  /** See `Plugin.addOption`. */
  add<T>(
    name: string,
    defaultValue: OptionDefault,
    description: string,
    type: string,
    { dynamic = false, parse }: OptionExtras<T>,
  ): Option<T> {
    const option = { name, value: (defaultValue === undefined ? undefined : parse(defaultValue)) as T };
    const read = (value: unknown) => {
      const parsed = parse(value);
      return () => {
        option.value = parsed;
      };
    };
    this.#options.set(name, { type, default: defaultValue, description, dynamic, read });
    return option;
  }

  /** @param defaultsRequired whether each needs a default, as the 2020 autoreload demands */
  manifest(defaultsRequired: boolean): object[] {
    return [...this.#options].map(([name, { type, default: value, description, dynamic }]) => ({
      name,
      description,
      // What stands for a missing default is a text.
      ...(value === undefined && defaultsRequired
        ? { type: 'string', default: NOT_SET }
        : { type, default: value }),
      ...(dynamic ? { dynamic } : {}),
    }));
  }

  /**
   * Takes the values of `init`. Those of options that are not ours are passed over: autoreload leaves its own in.
   *
   * @returns what is wrong, in words
   */
  load(values: Readonly<Record<string, unknown>>): string | undefined {
    for (const [name, value] of Object.entries(values)) {
      const registered = this.#options.get(name);
      if (registered === undefined || (registered.default === undefined && value === NOT_SET)) continue;
      try {
        registered.read(value)();
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        return `option ${name}: ${error.message}`;
      }
    }
    return undefined;
  }

  /**
   * Reads a value for `setconfig`.
   *
   * @returns what makes it the option's
   * @throws CommandError -32602 when there is no such option, it cannot change, or the value is bad
   */
  read(name: string, value: unknown): () => void {
    const registered = this.#options.get(name);
    if (registered === undefined || !registered.dynamic) {
      throw new CommandError(
        ErrorCode.invalidParams,
        `setconfig: config: must be a dynamic option of this plugin, got ${name}`,
      );
    }
    try {
      return registered.read(value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new CommandError(ErrorCode.invalidParams, `setconfig: ${name}: ${error.message}`);
    }
  }
}
