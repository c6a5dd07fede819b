/** Tables and a progress bar for people. */
import type { Progress, Table } from './experiment.ts';

/** A table as lines of text; also one in Markdown. */
export function tableText({ title, columns, rows }: Table): string {
  const cells = [columns, ...rows.map(row => row.map(String))];
  const widths = columns.map((_, column) => Math.max(...cells.map(row => (row[column] ?? '').length)));
  const isNumber = columns.map((_, column) => rows.some(row => typeof row[column] === 'number'));
  const line = (row: readonly string[]) =>
    `| ${widths
      .map((width, column) => {
        const cell = row[column] ?? '';
        return isNumber[column] ? cell.padStart(width) : cell.padEnd(width);
      })
      .join(' | ')} |`;
  const ruler = widths.map((width, column) =>
    isNumber[column] ? `${'-'.repeat(Math.max(1, width - 1))}:` : '-'.repeat(width),
  );
  const [head = [], ...body] = cells;
  return [title, '', line(head), line(ruler), ...body.map(line), ''].join('\n');
}

/** How much must have changed before the bar is drawn again. */
const STEP = 0.002;
const BAR_WIDTH = 30;

/**
 * A bar on a terminal, nothing elsewhere: a log file wants no thousand lines of it.
 *
 * @returns what to tell of progress, and what clears the bar away
 */
export function progressBar(
  stream: { readonly isTTY?: boolean; write(text: string): unknown },
  name: string,
): { readonly progress: Progress; readonly end: () => void } {
  if (stream.isTTY !== true) return { progress: () => {}, end: () => {} };
  let shown = -1;
  let lastWhat = '';
  const progress: Progress = (done, what) => {
    if (done - shown < STEP && what === lastWhat && done < 1) return;
    shown = done;
    lastWhat = what;
    const full = Math.round(Math.min(1, done) * BAR_WIDTH);
    const bar = '█'.repeat(full) + '░'.repeat(BAR_WIDTH - full);
    stream.write(`\r\u001b[K${name} ${bar} ${Math.round(100 * done)} % ${what}`);
  };
  return { progress, end: () => stream.write('\r\u001b[K') };
}
