import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Plot } from '../../src/simulation/experiment.ts';
import { svgOf } from '../../src/simulation/plot.ts';
import { progressBar, tableText } from '../../src/simulation/report.ts';
import { mean, quantile, share } from '../../src/simulation/statistics.ts';

test('a table is aligned, numbers to the right, and reads as Markdown', () => {
  const rows = [
    ['nobody', 1.5],
    ['all', 12],
  ];
  assert.equal(
    tableText({ title: 'Tries', columns: ['sharing', 'n'], rows }),
    [
      'Tries',
      '',
      '| sharing |   n |',
      '| ------- | --: |',
      '| nobody  | 1.5 |',
      '| all     |  12 |',
      '',
    ].join('\n'),
  );
});

test('the bar shows on a terminal alone', () => {
  const written: string[] = [];
  const write = (text: string) => written.push(text);
  const silent = progressBar({ write }, 'x');
  silent.progress(0.5, 'half');
  silent.end();
  assert.deepEqual(written, []);
  const bar = progressBar({ isTTY: true, write }, 'attempts');
  bar.progress(0.5, 'half');
  bar.progress(0.5001, 'half');
  bar.end();
  assert.equal(written.length, 2);
  assert.match(written[0] ?? '', /attempts █{15}░{15} 50 % half$/);
});

const PLOT: Plot = {
  name: 'p',
  title: 'Fees < 500 & more',
  kind: 'line',
  x: { label: 'sharing', names: ['0 %', '100 %'] },
  y: { label: 'share', minimum: 0, maximum: 1 },
  series: [
    {
      name: 'a',
      points: [
        { x: 0, y: 0 },
        { x: 1, y: 1, low: 0.5, high: 1 },
      ],
    },
    { name: 'b', points: [{ x: 0, y: 0.5 }] },
  ],
};

test('a plot places values on its axes, and escapes text', () => {
  const svg = svgOf(PLOT);
  assert.match(svg, /<title>Fees &lt; 500 &amp; more<\/title>/);
  // From 72 to 700 pixels across, from 366 up to 46.
  assert.match(svg, /M72 366L700 46/);
  assert.match(svg, /M700 206V46/);
  assert.match(svg, />100 %<\/text>/);
  assert.equal(svg, svgOf(PLOT));
  const bars = svgOf({ ...PLOT, kind: 'bar' });
  assert.equal(bars.match(/<rect [^>]*fill="#0072b2"/g)?.length, 2);
  const logarithmic = svgOf({
    ...PLOT,
    x: { label: 'channels', logarithmic: true },
    series: [
      {
        name: 'a',
        points: [
          { x: 10, y: 0 },
          { x: 100, y: 0.5 },
          { x: 1000, y: 1 },
        ],
      },
    ],
  });
  assert.match(logarithmic, /M72 366L386 206L700 46/);
});

test('shares and means with their intervals, against known values', () => {
  // Wilson's interval for 5 of 10 (Newcombe 1998): 0.2366 to 0.7634.
  const half = share(5, 10);
  assert.deepEqual([half.value, half.low.toFixed(4), half.high.toFixed(4)], [0.5, '0.2366', '0.7634']);
  assert.deepEqual([share(0, 10).low, share(10, 10).high.toFixed(9)], [0, '1.000000000']);
  const three = mean([1, 2, 3]);
  assert.equal(three.value, 2);
  assert.equal((three.high - 2).toFixed(4), (1.959964 / Math.sqrt(3)).toFixed(4));
  assert.equal(quantile([4, 1, 3, 2], 0.5), 2);
  assert.equal(quantile([4, 1, 3, 2], 0.95), 4);
});
