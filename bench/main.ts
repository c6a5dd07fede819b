/**
 * Runs the benches named on the command line, or all, and prints what they measured (docs/benchmarks.md).
 *
 * Each measures ours and a floor in turns within one run; what counts is the ratio of their medians.
 */
import { execFileSync } from 'node:child_process';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { asking } from './asking.ts';
import { circles } from './circles.ts';
import { codec } from './codec.ts';
import { framing } from './framing.ts';
import { hook } from './hook.ts';
import { jit } from './jit.ts';
import { knowledge } from './knowledge.ts';
import { largeNode } from './large-node.ts';
import { type Row, type Skipped, table } from './measure.ts';
import { memory } from './memory.ts';
import { ROOT } from './paths.ts';
import { picture } from './picture.ts';
import { startUp } from './start-up.ts';

const BENCHES: ReadonlyMap<string, () => Promise<readonly (Row | Skipped)[]>> = new Map([
  ['start-up', startUp],
  ['memory', memory],
  ['hook', hook],
  ['jit', jit],
  ['codec', codec],
  ['framing', framing],
  ['knowledge', knowledge],
  ['circles', circles],
  ['large-node', largeNode],
  ['picture', picture],
  ['asking', asking],
]);

const wanted = process.argv.slice(2);
const unknown = wanted.find(name => !BENCHES.has(name));
if (unknown !== undefined) {
  console.error(`no bench ${unknown}, expected ${[...BENCHES.keys()].join(', ')}`);
  process.exit(2);
}
// What lightningd starts is the bundle, unless the sources are newer.
execFileSync(process.execPath, [join(ROOT, 'scripts', 'build.mjs')], { stdio: 'inherit' });
const [load = 0] = loadavg();
console.log(`Node.js ${process.version}, ${availableParallelism()} cores, load ${load.toFixed(1)}`);
const results: (Row | Skipped)[] = [];
for (const [name, bench] of BENCHES) {
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  console.error(`${name} …`);
  results.push(...(await bench()));
}
console.log(table(results));
