/**
 * What a command takes and gives, as JSON Schema: one file for each under schemas/. The usage that lightningd shows, the
 * names that parameters are bound by and the tables in docs/commands/ all come from there, so that none can be wrong alone.
 */
import type { CallContext, MethodExtras, Plugin } from './plugin.ts';

/** The part of such a file that the plugin itself needs. */
export interface CommandSchema {
  readonly rpc: string;
  readonly title: string;
  readonly description: string;
  readonly request: {
    readonly required?: readonly string[];
    /** In the order in which they are given by position. */
    readonly properties: Readonly<Record<string, object>>;
  };
}

export function parameterNames({ request }: CommandSchema): string[] {
  return Object.keys(request.properties);
}

/** `direction amount [peers]`, as lightningd's `help` shows it. */
export function usageOf(schema: CommandSchema): string {
  const { required = [] } = schema.request;
  return parameterNames(schema)
    .map(name => (required.includes(name) ? name : `[${name}]`))
    .join(' ');
}

/** Registers a command as its schema has it. @param check see `MethodExtras` */
export function addCommand(
  plugin: Plugin,
  schema: CommandSchema,
  callback: (params: unknown, context: CallContext) => unknown,
  check?: MethodExtras['check'],
): void {
  const { rpc, title, description } = schema;
  plugin.addMethod(rpc, callback, usageOf(schema), title, description, check === undefined ? {} : { check });
}
