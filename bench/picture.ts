/**
 * foafgraph's page for 500 friends who offer a thousand channels each, all at random, to as many nodes as the real
 * network has: how large it is, how long drawing it takes and how long a real browser takes to open it.
 *
 * What it must hold (issue 8) stands where other benches have a floor.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as v from 'valibot';
import { Chromium, missingChromium } from '../test/picture/chromium.ts';
import { draw } from '../test/picture/draw.ts';
import { largeFacts, smallFacts } from '../test/picture/samples.ts';
import { median, type Row, type Skipped } from './measure.ts';
import { ROOT } from './paths.ts';

const OPENINGS = 5;
const ALLOWED = { mb: 3, openMs: 2_000, stretchMs: 20, memoryMb: 300 };

const report = v.object({
  made: v.array(v.object({ ms: v.number(), longest: v.object({ wallMs: v.number(), cpuMs: v.number() }) })),
  beforeMb: v.number(),
  mostMb: v.number(),
});

export async function picture(): Promise<(Row | Skipped)[]> {
  // What does not depend on the facts is built once, for all pictures.
  await draw(smallFacts());
  const facts = largeFacts();
  const html = await draw(facts);
  const mb = Buffer.byteLength(html) / 1e6;
  const rows: (Row | Skipped)[] = [
    { name: 'picture, 500,000 offers, size', unit: 'MB', ours: mb, floor: ALLOWED.mb, bound: 1 },
    ...(await making()),
  ];
  const missing = missingChromium();
  if (missing !== undefined) return [...rows, { name: 'picture, opening it', skipped: missing }];
  await using browser = await Chromium.start();
  const times: number[] = [];
  for (let opening = 0; opening < OPENINGS; opening++) {
    const started = performance.now();
    const { page } = await browser.open(html);
    times.push(performance.now() - started);
    await page.close();
  }
  const openMs = median(times);
  return [
    ...rows,
    {
      name: 'picture, 500,000 offers, opening it',
      unit: 'ms',
      ours: openMs,
      floor: ALLOWED.openMs,
      bound: 1,
    },
  ];
}

/** As the plugin does, with its options of V8. */
async function making(): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'bs-bench-'));
  const script = join(ROOT, 'bench', 'picture-making.ts');
  const options = ['--heap-growing-percent=30', '--import', 'tsx'];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [...options, script, folder]);
    const { made, beforeMb, mostMb } = v.parse(report, JSON.parse(stdout));
    // The first finds code that is not yet optimised.
    const warm = made.slice(1);
    const add = (name: string, unit: 'ms' | 'MB', ours: number, floor: number) => ({
      name: `picture, 500,000 offers, ${name}`,
      unit,
      ours,
      floor,
    });
    const ms = median(warm.map(one => one.ms));
    const cpuMs = Math.max(...warm.map(({ longest }) => longest.cpuMs));
    const wallMs = Math.max(...warm.map(({ longest }) => longest.wallMs));
    return [
      add('making it', 'ms', ms, ALLOWED.openMs),
      { ...add('longest work in one stretch', 'ms', cpuMs, ALLOWED.stretchMs), bound: 1 },
      add('longest wait of a hook', 'ms', wallMs, ALLOWED.stretchMs),
      add('memory for making it', 'MB', mostMb - beforeMb, ALLOWED.memoryMb),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
