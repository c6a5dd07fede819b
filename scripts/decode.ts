// npm run decode -- HEX: what the command foafdecode would say, without a node.
import { CommandError } from '../src/lightningd/errors.ts';
import { foafdecode } from '../src/lightningd/foafdecode.ts';
import { jsonText } from '../src/lightningd/json-text.ts';

try {
  console.log(jsonText(foafdecode(process.argv.slice(2)), 2));
} catch (error) {
  if (!(error instanceof CommandError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
