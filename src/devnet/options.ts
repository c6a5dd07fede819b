/** What a plugin's options are set to: by the node's configuration in `init`, by `setconfig` later. */
import { fits, type Manifest, type ManifestOption } from './manifest.ts';
import { invalid } from './parameters.ts';

/** An option's value: text, a whole number or a truth value, by its type. */
export type OptionValue = string | number | boolean;
/** Options by their names. */
export type OptionValues = Readonly<Record<string, OptionValue>>;

/**
 * The options for `init`: those given, and the defaults of the others. One with neither is left out.
 *
 * @throws Error for an option that the plugin does not have, over which lightningd does not start, or a bad value
 */
export function initialOptions({ options }: Manifest, given: OptionValues): OptionValues {
  const values: Record<string, OptionValue> = {};
  for (const { name, type, default: value } of options) {
    const chosen = given[name] ?? value;
    if (chosen === undefined || (type === 'flag' && chosen === false)) continue;
    if (!fits(type, chosen)) throw new Error(`--${name}=${chosen}: is not of type ${type}`);
    values[name] = chosen;
  }
  for (const name of Object.keys(given)) {
    if (!options.some(option => option.name === name)) throw new Error(`--${name}: unknown option`);
  }
  return values;
}

/** The option that `setconfig` is about. @throws RpcFault -32602 */
export function dynamicOption({ options }: Manifest, name: unknown): ManifestOption {
  const option = options.find(candidate => candidate.name === name);
  const token = `invalid token '${JSON.stringify(name)}'`;
  if (option === undefined) throw invalid(`config: Unknown config option: ${token}`);
  if (option.dynamic !== true) throw invalid(`config: Not a dynamic config option: ${token}`);
  return option;
}

/** What `setconfig` answers once the plugin has taken the new value. */
export function setconfigAnswer(option: ManifestOption, text: string, pluginPath: string): object {
  const { name, type } = option;
  return {
    config: {
      config: name,
      ...(type === 'int'
        ? { value_int: Number(text) }
        : type === 'bool'
          ? { value_bool: text === 'true' }
          : { value_str: text }),
      source: 'setconfig transient',
      plugin: pluginPath,
      dynamic: true,
    },
  };
}
