/**
 * Line and bar charts as SVG text.
 *
 * Our own, since the libraries that draw charts want a browser's document, or are several times the size of this
 * project. Colours are Okabe and Ito's, told apart by the colour-blind too; lines differ in their marks as well.
 */
import type { Axis, Plot, Point, Series } from './experiment.ts';

const WIDTH = 720;
const HEIGHT = 420;
const MARGIN = { top: 46, right: 20, bottom: 54, left: 72 };
const LEGEND_ROW = 18;
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'];
const TICKS = 6;

/** Places a value of an axis along `from` to `to` pixels. */
type Scale = (value: number) => number;

export function svgOf(plot: Plot): string {
  const legendRows = plot.series.length > 1 ? plot.series.length : 0;
  const height = HEIGHT + legendRows * LEGEND_ROW;
  const bottom = HEIGHT - MARGIN.bottom;
  const points = plot.series.flatMap(series => series.points);
  const isBar = plot.kind === 'bar';
  const ys = points.flatMap(({ y, low = y, high = y }) => [y, low, high]);
  const [yMin, yMax] = rangeOf(isBar ? [...ys, 0] : ys, plot.y);
  const groups = plot.x.names?.length ?? Math.max(0, ...plot.series.map(series => series.points.length));
  const xs = points.map(({ x }) => x);
  const [xMin, xMax] = isBar ? [-0.5, groups - 0.5] : rangeOf(xs, plot.x);
  const x = scaleOf(plot.x, xMin, xMax, MARGIN.left, WIDTH - MARGIN.right);
  const y = scaleOf(plot.y, yMin, yMax, bottom, MARGIN.top);
  const draw = (series: Series, index: number) =>
    isBar ? bars(series, index, plot.series.length, x, y) : line(series, index, x, y);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(plot.title)}</title>`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    text(WIDTH / 2, 24, plot.title, 'middle', 'font-size="15"'),
    ...yAxis(plot.y, yMin, yMax, y),
    ...xAxis(plot.x, xMin, xMax, x, isBar, xs, bottom),
    ...plot.series.flatMap(draw),
    ...(legendRows === 0 ? [] : plot.series.flatMap(({ name }, index) => legend(name, index))),
    '</svg>',
    '',
  ].join('\n');
}

function rangeOf(values: readonly number[], axis: Axis): [number, number] {
  const finite = values.filter(Number.isFinite);
  let low = axis.minimum ?? Math.min(...finite);
  let high = axis.maximum ?? Math.max(...finite);
  if (!Number.isFinite(low) || !Number.isFinite(high)) [low, high] = [0, 1];
  if (low === high) [low, high] = axis.logarithmic ? [low / 2, high * 2] : [low - 0.5, high + 0.5];
  return [low, high];
}

function scaleOf({ logarithmic }: Axis, low: number, high: number, from: number, to: number): Scale {
  const place = (value: number) => (logarithmic ? Math.log10(value) : value);
  const [start, end] = [place(low), place(high)];
  return value => round(from + ((place(value) - start) / (end - start)) * (to - from));
}

/** Round numbers within a range: 1, 2 or 5 times a power of ten apart, or powers of ten. */
function ticksOf({ logarithmic }: Axis, low: number, high: number): number[] {
  const ticks: number[] = [];
  if (logarithmic) {
    for (let power = Math.ceil(Math.log10(low)); power <= Math.log10(high); power++) ticks.push(10 ** power);
    return ticks;
  }
  const raw = (high - low) / TICKS;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * ([1, 2, 5].find(factor => factor * power >= raw) ?? 10);
  for (let tick = Math.ceil(low / step); tick * step <= high + step / 1000; tick++) ticks.push(tick * step);
  return ticks;
}

function yAxis(axis: Axis, low: number, high: number, y: Scale): string[] {
  const middle = (MARGIN.top + HEIGHT - MARGIN.bottom) / 2;
  return [
    ...ticksOf(axis, low, high).flatMap(tick => [
      `<path d="M${MARGIN.left} ${y(tick)}H${WIDTH - MARGIN.right}" stroke="#dddddd"/>`,
      text(MARGIN.left - 8, y(tick) + 4, label(tick), 'end'),
    ]),
    text(18, middle, axis.label, 'middle', `transform="rotate(-90 18 ${middle})"`),
  ];
}

function xAxis(
  axis: Axis,
  low: number,
  high: number,
  x: Scale,
  isBar: boolean,
  xs: readonly number[],
  bottom: number,
): string[] {
  const places = isBar ? axis.names?.map((_, group) => group) : axis.names && [...new Set(xs)];
  const named = places?.map((place, index) => [place, axis.names?.[index] ?? ''] as const);
  const ticks = named ?? ticksOf(axis, low, high).map(tick => [tick, label(tick)] as const);
  return [
    `<path d="M${MARGIN.left} ${bottom}H${WIDTH - MARGIN.right}" stroke="#000000"/>`,
    ...ticks.flatMap(([place, name]) => [
      `<path d="M${x(place)} ${bottom}v5" stroke="#000000"/>`,
      text(x(place), bottom + 20, name, 'middle'),
    ]),
    text((MARGIN.left + WIDTH - MARGIN.right) / 2, bottom + 42, axis.label, 'middle'),
  ];
}

function line({ points }: Series, index: number, x: Scale, y: Scale): string[] {
  const path = points.map((point, at) => `${at === 0 ? 'M' : 'L'}${x(point.x)} ${y(point.y)}`).join('');
  return [
    `<path d="${path}" fill="none" stroke="${colourOf(index)}" stroke-width="2"/>`,
    ...points.flatMap(point => [
      ...interval(point, x(point.x), y, colourOf(index)),
      mark(index, x(point.x), y(point.y)),
    ]),
  ];
}

function bars({ points }: Series, index: number, count: number, x: Scale, y: Scale): string[] {
  const width = (0.8 * (x(1) - x(0))) / count;
  return points.flatMap((point, group) => {
    const left = round(x(group) + (index - count / 2) * width);
    const [top, foot] = [Math.min(y(point.y), y(0)), Math.max(y(point.y), y(0))];
    return [
      `<rect x="${left}" y="${top}" width="${round(width)}" height="${round(foot - top)}" fill="${colourOf(index)}"/>`,
      ...interval(point, round(left + width / 2), y, '#000000'),
    ];
  });
}

function interval({ low, high }: Point, x: number, y: Scale, colour: string): string[] {
  if (low === undefined || high === undefined) return [];
  return [`<path d="M${x} ${y(low)}V${y(high)}" stroke="${colour}"/>`];
}

/** Circles and squares in turn. */
function mark(index: number, x: number, y: number): string {
  const fill = `fill="${colourOf(index)}"`;
  return index % 2 === 0
    ? `<circle cx="${x}" cy="${y}" r="4" ${fill}/>`
    : `<rect x="${round(x - 3.5)}" y="${round(y - 3.5)}" width="7" height="7" ${fill}/>`;
}

function legend(name: string, index: number): string[] {
  const y = HEIGHT + index * LEGEND_ROW;
  return [mark(index, MARGIN.left + 8, y), text(MARGIN.left + 20, y + 4, name, 'start')];
}

function text(x: number, y: number, content: string, anchor: string, more = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${more && ` ${more}`}>${escaped(content)}</text>`;
}

function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length] ?? '#000000';
}

function label(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function escaped(content: string): string {
  return content
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
