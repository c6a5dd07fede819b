/** The command line: what it writes, and what it says to bad input. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const SCRIPT = fileURLToPath(new URL('../../scripts/simulate.ts', import.meta.url));

function simulate(...args: readonly string[]): Promise<{ status: unknown; stdout: string; stderr: string }> {
  return new Promise(resolve => {
    execFile(process.execPath, ['--import', 'tsx', SCRIPT, ...args], (error, stdout, stderr) =>
      resolve({ status: error === null ? 0 : error.code, stdout, stderr }),
    );
  });
}

test('an experiment prints its tables and writes figures and plots, the same by seed', async t => {
  const out = mkdtempSync(join(tmpdir(), 'bs-simulate-'));
  t.after(() => rmSync(out, { recursive: true }));
  const args = ['--experiment', 'adoption', '--size', '300', '--cases', '4', '--seed', '5', '--out', out];
  const first = await simulate(...args);
  assert.deepEqual([first.status, first.stderr], [0, '']);
  assert.match(first.stdout, /^300 channels between 59 nodes \(a made-up network\), seed 5\n/);
  assert.match(first.stdout, /\| alone +\|/);
  const figures = () => readFileSync(join(out, 'adoption.json'), 'utf8');
  const before = figures();
  assert.match(before, /"seed": 5/);
  assert.match(readFileSync(join(out, 'adoption.svg'), 'utf8'), /^<svg /);
  await simulate(...args, '--threads', '1');
  assert.equal(figures(), before);
});

test('bad input is told, with what would be right', async () => {
  const bad: readonly (readonly [readonly string[], RegExp])[] = [
    [['--experiment', 'luck'], /^--experiment: must be one of attempts, .*, got luck\n/],
    [['--seed', '1.5'], /^--seed: must be a whole number from 0 to \d+, got 1\.5\n/],
    [['--channels', SCRIPT], /simulate\.ts: .*JSON/],
    [['--channels', SCRIPT, '--size', '50'], /^--size: only for a made network/],
    [['--colour'], /Unknown option '--colour'/],
  ];
  for (const [args, message] of bad) {
    const { status, stderr } = await simulate(...args);
    assert.equal(status, 2);
    assert.match(stderr, message);
    assert.match(stderr, /Usage: npm run simulate/);
  }
});
