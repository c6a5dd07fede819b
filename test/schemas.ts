/** The JSON schemas of our commands, for tests that have results of theirs. */
import assert from 'node:assert/strict';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { commands, definitions } from '../scripts/command-pages.ts';

const ajv = new Ajv2020({ allErrors: true, allowUnionTypes: true });
ajv.addSchema(definitions);

const validators = new Map<string, Readonly<Record<'request' | 'response', ValidateFunction>>>(
  commands.map(({ rpc, request, response }) => [
    rpc,
    { request: ajv.compile(request), response: ajv.compile(response) },
  ]),
);

/** That what a command was given, or has answered, is as its schema has it. */
export function assertAsSchema(command: string, part: 'request' | 'response', value: unknown): void {
  const validate = validators.get(command)?.[part] ?? assert.fail(`there is no schema of ${command}`);
  assert.ok(validate(value), `${command}, ${part}: ${ajv.errorsText(validate.errors)}`);
}
