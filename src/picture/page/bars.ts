/**
 * Bars, strokes and names that are written outwards, on a canvas below Cytoscape's.
 *
 * Hazard: 500 friends have 2,000 of them. As elements of Cytoscape they took 0.7 s of the page's thread before
 * anything was seen, most of it for their styles.
 */
import { at, type Point } from '../layout.ts';
import type { NodeIndex } from '../picture.ts';
import type { Scene, SceneBar, SceneTag } from '../scene.ts';

/** How much of what stands back is seen. */
export const FADED = 0.13;
/** Smaller text is not written, in pixels of the screen. */
export const LEAST_FONT = 7;
export const FONT = 'system-ui, sans-serif';
/** So near, in pixels of the screen, is pointed at. */
const REACH = 8;
const MEASURED_PX = 10;
/** A stroke's head is as long as it is wide: what Cytoscape draws as a triangle of half its size. */
const HEAD = { least: 14.5, share: 0.3 };

export interface Box {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

interface Tag extends SceneTag {
  readonly to: Point;
  readonly width: number;
  readonly text: string;
}

type Mark = SceneBar | Tag;

export class Bars {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  readonly #nameOf: (node: NodeIndex) => string;
  #marks: readonly Mark[] = [];
  #colours = coloursOf();
  /** Zoom and place of what is painted; none when it has to be painted anew. */
  #painted = '';

  constructor(canvas: HTMLCanvasElement, nameOf: (node: NodeIndex) => string) {
    const context = canvas.getContext('2d');
    if (context === null) throw new Error('this browser has no canvas');
    this.#canvas = canvas;
    this.#context = context;
    this.#nameOf = nameOf;
  }

  show({ bars, tags }: Scene): void {
    // All names in one size: setting a font takes longer than measuring.
    this.#context.font = `${MEASURED_PX}px ${FONT}`;
    this.#marks = [...bars, ...tags.map(tag => this.#written(tag))];
    this.#painted = '';
  }

  /** After colours or the canvas' size have changed. */
  refresh(): void {
    this.#colours = coloursOf();
    this.#painted = '';
  }

  /** The box, widened to hold all that is painted here. */
  around({ x1, y1, x2, y2 }: Box): Box {
    const box = { x1, y1, x2, y2 };
    for (const { from, to } of this.#marks) {
      box.x1 = Math.min(box.x1, from.x, to.x);
      box.y1 = Math.min(box.y1, from.y, to.y);
      box.x2 = Math.max(box.x2, from.x, to.x);
      box.y2 = Math.max(box.y2, from.y, to.y);
    }
    return box;
  }

  /** The nearest one that a pointer at this point means. */
  at(point: Point, zoom: number): Mark | undefined {
    let nearest: Mark | undefined;
    let least = REACH / zoom;
    for (const mark of this.#marks) {
      if (mark.kind === 'tag' && !isWritten(mark, zoom)) continue;
      const distance = distanceTo(point, mark) - mark.width / 2;
      if (distance < least) [nearest, least] = [mark, distance];
    }
    return nearest;
  }

  paint(zoom: number, pan: Point): void {
    const place = `${zoom} ${pan.x} ${pan.y}`;
    if (place === this.#painted) return;
    this.#painted = place;
    const ratio = devicePixelRatio;
    this.#canvas.width = this.#canvas.clientWidth * ratio;
    this.#canvas.height = this.#canvas.clientHeight * ratio;
    this.#context.setTransform(zoom * ratio, 0, 0, zoom * ratio, pan.x * ratio, pan.y * ratio);
    for (const mark of this.#marks) {
      this.#context.globalAlpha = mark.isFaded ? FADED : 1;
      if (mark.kind === 'tag') {
        if (isWritten(mark, zoom)) this.#write(mark);
      } else if (mark.kind === 'balance') this.#paintBalance(mark);
      else this.#paintStroke(mark);
    }
  }

  #paintBalance({ from, to, width, share = 0 }: SceneBar): void {
    const border = between(from, to, share);
    this.#line(from, border, width, this.#colours.ours);
    this.#line(border, to, width, this.#colours.theirs);
  }

  #paintStroke({ from, to, width, flow }: SceneBar): void {
    const colour = flow === 1 ? this.#colours.out : this.#colours.in;
    const [x, y] = [to.x - from.x, to.y - from.y];
    const length = Math.hypot(x, y) || 1;
    const head = HEAD.share * Math.max(HEAD.least, (width * 13.37) ** 0.9 / 2);
    this.#line(from, between(from, to, 1 - Math.min(1, width / length)), width, colour);
    const back = between(from, to, 1 - head / length);
    const [acrossX, acrossY] = [(-y / length) * (head / 2), (x / length) * (head / 2)];
    const context = this.#context;
    context.fillStyle = colour;
    context.beginPath();
    context.moveTo(to.x, to.y);
    context.lineTo(back.x + acrossX, back.y + acrossY);
    context.lineTo(back.x - acrossX, back.y - acrossY);
    context.fill();
  }

  #line(from: Point, to: Point, width: number, colour: string): void {
    const context = this.#context;
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
  }

  /** Reads from left to right on either side. */
  #write({ text, from, angle, size }: Tag): void {
    const context = this.#context;
    const isRight = Math.sin(angle) >= -1e-9;
    context.save();
    context.translate(from.x, from.y);
    context.rotate(angle + (isRight ? -Math.PI / 2 : Math.PI / 2));
    context.font = `${size}px ${FONT}`;
    context.fillStyle = this.#colours.text;
    context.textBaseline = 'middle';
    context.textAlign = isRight ? 'left' : 'right';
    context.fillText(text, 0, 0);
    context.restore();
  }

  /** With the room that its name takes. */
  #written(tag: SceneTag): Tag {
    const text = this.#nameOf(tag.node);
    const length = (this.#context.measureText(text).width * tag.size) / MEASURED_PX;
    const step = at(tag.angle, length);
    return {
      ...tag,
      to: { x: tag.from.x + step.x, y: tag.from.y + step.y },
      width: tag.size,
      text,
    };
  }
}

function isWritten({ size }: SceneTag, zoom: number): boolean {
  return size * zoom >= LEAST_FONT;
}

/** @param part of the way, 0 to 1 */
function between(from: Point, to: Point, part: number): Point {
  return { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part };
}

/** How far a point is from a straight line between two others. */
function distanceTo({ x, y }: Point, { from, to }: Pick<Mark, 'from' | 'to'>): number {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const part = ((x - from.x) * dx + (y - from.y) * dy) / (dx ** 2 + dy ** 2 || 1);
  const nearest = between(from, to, Math.max(0, Math.min(1, part)));
  return Math.hypot(x - nearest.x, y - nearest.y);
}

/** The page's own colours, which follow light and dark. */
export function coloursOf() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    text: colour('text'),
    ground: colour('ground'),
    hub: colour('hub'),
    line: colour('line'),
    friend: colour('friend'),
    faint: colour('faint'),
    ours: colour('ours'),
    theirs: colour('theirs'),
    out: colour('out'),
    in: colour('in'),
    circle: colour('circle'),
  };
}
