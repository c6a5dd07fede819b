/**
 * foafgraph's page for 500 friends who offer a thousand channels each, all at random, to as many nodes as the real
 * network has: how large it is, how long drawing it takes and how long a real browser takes to open it.
 *
 * What it must hold (issue 8) stands where other benches have a floor.
 */
import { Chromium, missingChromium } from '../test/picture/chromium.ts';
import { draw } from '../test/picture/draw.ts';
import { largeFacts, smallFacts } from '../test/picture/samples.ts';
import { median, type Row, type Skipped } from './measure.ts';

const OPENINGS = 5;
const ALLOWED = { mb: 3, openMs: 2_000 };

export async function picture(): Promise<(Row | Skipped)[]> {
  // What does not depend on the facts is built once, for all pictures.
  await draw(smallFacts());
  const facts = largeFacts();
  const from = performance.now();
  const html = await draw(facts);
  const drawMs = performance.now() - from;
  const mb = Buffer.byteLength(html) / 1e6;
  const rows: (Row | Skipped)[] = [
    { name: 'picture, 500,000 offers, size', unit: 'MB', ours: mb, floor: ALLOWED.mb, bound: 1 },
    { name: 'picture, 500,000 offers, making it', unit: 'ms', ours: drawMs, floor: ALLOWED.openMs },
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
