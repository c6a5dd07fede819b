/**
 * Writes what src/lightningd/schemas/ says of the commands into their pages under docs/commands/ and into README.md, between
 * `<!-- from the schema: … -->` and `<!-- end -->`. All else there is written by hand.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type CommandSchema, usageOf } from '../src/lightningd/command-schema.ts';

export const ROOT = fileURLToPath(new URL('..', import.meta.url));
export const README = `${ROOT}README.md`;
/** Pages that are written by hand, but for their examples. */
export const PAGES_WITH_EXAMPLES = [`${ROOT}docs/picture.md`];
const SCHEMAS = `${ROOT}src/lightningd/schemas/`;
const REF = 'definitions.json#/$defs/';

/** A JSON Schema, as far as the commands' use it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly default?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly description?: string;
}

export interface CommandFile extends CommandSchema {
  readonly request: Schema & CommandSchema['request'];
  readonly response: Schema;
  readonly errors: readonly { readonly code: number; readonly when: string }[];
  readonly asks_lightningd?: boolean;
  readonly see_also: readonly string[];
}

function read<T>(name: string): T {
  return JSON.parse(readFileSync(`${SCHEMAS}${name}`, 'utf8')) as T;
}

export const definitions = read<{ readonly $defs: Readonly<Record<string, Schema>> }>('definitions.json');

/** All commands, by name. */
export const commands: readonly CommandFile[] = readdirSync(SCHEMAS)
  .filter(name => name !== 'definitions.json')
  .sort()
  .map(name => read<CommandFile>(name));

export function pagePath({ rpc }: CommandSchema): string {
  return `${ROOT}docs/commands/${rpc}.md`;
}

/** Our errors where lightningd could not be asked: src/lightningd/errors.ts. */
const LIGHTNINGD_ERRORS = [
  '3470: lightningd is unreachable',
  '3471: it did not answer in time',
  '3472: it refused a call; its error is in `data`',
  '3473: it answered in a form that we do not know',
];

const BLOCKS: Readonly<Record<string, (command: CommandFile) => string>> = {
  synopsis: command => {
    const { rpc, title, request } = command;
    const { required = [], properties } = request;
    const words = Object.keys(properties).map(name =>
      required.includes(name) ? `*${name}*` : `[*${name}*]`,
    );
    return `# ${rpc} – ${title.charAt(0).toLowerCase()}${title.slice(1)}\n\n## SYNOPSIS\n\n${[`**${rpc}**`, ...words].join(' ')}`;
  },
  parameters: ({ request: { properties, required = [] } }) => {
    const names = Object.entries(properties as Readonly<Record<string, Schema>>);
    if (names.length === 0) return 'It takes none.';
    return table(
      ['parameter', 'type', 'is'],
      names.map(([name, schema]) => [
        `**${name}**${required.includes(name) ? '' : ', optional'}`,
        typeOf(schema),
        `${schema.description ?? ''}${schema.default === undefined ? '' : `; \`${schema.default}\` when left out`}`,
      ]),
    );
  },
  result: ({ response }) =>
    `An object (its [JSON Schema](../../src/lightningd/schemas)) with:\n\n${fields(response, '').join('\n')}`,
  errors: ({ errors, asks_lightningd = false }) =>
    [...errors.map(({ code, when }) => `${code}: ${when}`), ...(asks_lightningd ? LIGHTNINGD_ERRORS : [])]
      .map(line => `- ${line}`)
      .join('\n'),
  'see also': ({ see_also }) => see_also.map(name => `[${name}](${name}.md)`).join(', '),
};

/** A page with what comes from the schema as it should be. @throws RangeError for a block of an unknown name */
export function upToDate(page: string, command: CommandFile): string {
  return fill(page, name => BLOCKS[name]?.(command));
}

/** The README likewise: its list of commands. */
export function readmeUpToDate(readme: string): string {
  const rows = commands.map(command => [
    `[\`${`${command.rpc} ${usageOf(command)}`.trim()}\`](docs/commands/${command.rpc}.md)`,
    command.title.charAt(0).toLowerCase() + command.title.slice(1),
  ]);
  return fill(readme, name => (name === 'commands' ? table(['command', 'does'], rows) : undefined));
}

function fill(page: string, textOf: (name: string) => string | undefined): string {
  return page.replace(/<!-- from the schema: ([a-z ]+) -->.*?<!-- end -->/gs, (_, name: string) => {
    const text = textOf(name);
    if (text === undefined) throw new RangeError(`no block is called ${name}`);
    return `<!-- from the schema: ${name} -->\n${text}\n<!-- end -->`;
  });
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

/** A line for each field, those of objects within below it. */
function fields(schema: Schema, indent: string): string[] {
  const { properties = {}, required = [] } = schema;
  return Object.entries(properties).flatMap(([name, field]) => {
    const optional = required.includes(name) ? '' : ', optional';
    const line = `${indent}- **${name}** (${typeOf(field)}${optional}): ${field.description ?? ''}`;
    return [line, ...fields(resolve(field.items ?? field), `${indent}  `)];
  });
}

function resolve(schema: Schema): Schema {
  return schema.$ref === undefined ? schema : (definitions.$defs[schema.$ref.slice(REF.length)] ?? {});
}

function typeOf(schema: Schema): string {
  const { $ref, items, anyOf, type, minimum, maximum } = schema;
  const target = resolve(schema);
  if (target.properties !== undefined) return 'object';
  if (target.anyOf !== undefined && $ref !== undefined) return typeOf(target);
  if ($ref !== undefined) return $ref.slice(REF.length).replaceAll('_', ' ');
  if (anyOf !== undefined) return anyOf.map(typeOf).join(' or ');
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum !== undefined) return schema.enum.map(value => `\`${value}\``).join(', ');
  if (items !== undefined)
    return `array of ${typeOf(items)}${items.properties || items.$ref?.endsWith('hop') ? 's' : ''}`;
  if (type === 'integer' && maximum !== undefined) return `integer, ${minimum} to ${maximum}`;
  return String(type);
}
