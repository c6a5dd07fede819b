/** Draws a scene with Cytoscape, and tells what is pointed at. */
import cytoscape from 'cytoscape';
import type { Point } from '../layout.ts';
import type { NodeIndex, Picture } from '../picture.ts';
import { type Balance, balancesOf, type Scene, type SceneLine, type SceneNode } from '../scene.ts';
import { age, nameOf, number, sat, shortSat } from './words.ts';

/** Names with a second line that tells the balance. */
const FEW_FOR_BALANCES = 16;
const MARGIN = 24;
/** Little is not blown up to fill the page. */
const MAX_FIT_ZOOM = 1.5;

export interface GraphEvents {
  readonly onFriend: (friend: NodeIndex) => void;
  readonly onNothing: () => void;
}

export class Graph {
  readonly #picture: Picture;
  readonly #balances: ReadonlyMap<NodeIndex, Balance>;
  readonly #cy: cytoscape.Core;
  readonly #tip: HTMLElement;

  constructor(container: HTMLElement, tip: HTMLElement, picture: Picture, events: GraphEvents) {
    this.#picture = picture;
    this.#balances = balancesOf(picture);
    this.#tip = tip;
    this.#cy = cytoscape({
      container,
      style: styleOf(),
      autoungrabify: true,
      autounselectify: true,
      boxSelectionEnabled: false,
      minZoom: 0.05,
      maxZoom: 20,
      layout: { name: 'preset' },
    });
    this.#cy.on('tap', event => {
      const friend = event.target === this.#cy ? undefined : friendOf(event.target, picture);
      if (friend === undefined) events.onNothing();
      else events.onFriend(friend);
    });
    this.#cy.on('mouseover', 'node, edge', event => this.#point(event));
    this.#cy.on('mouseout viewport', () => {
      tip.hidden = true;
    });
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#cy.style(styleOf()));
    let size = `${container.clientWidth} ${container.clientHeight}`;
    new ResizeObserver(() => {
      const now = `${container.clientWidth} ${container.clientHeight}`;
      // It also calls at the start, when nothing has changed.
      if (now === size) return;
      size = now;
      this.#cy.resize();
      this.fit();
    }).observe(container);
  }

  draw(scene: Scene): void {
    this.#cy.batch(() => {
      this.#cy.elements().remove();
      this.#cy.add([
        ...scene.nodes.map(node => this.#nodeOf(node, scene)),
        ...scene.lines.map(line => lineOf(line, scene)),
      ]);
    });
    this.fit();
  }

  fit(): void {
    this.#cy.fit(this.#cy.elements(), MARGIN);
    if (this.#cy.zoom() <= MAX_FIT_ZOOM) return;
    this.#cy.zoom(MAX_FIT_ZOOM);
    this.#cy.center();
  }

  zoom(factor: number): void {
    const { width, height } = { width: this.#cy.width(), height: this.#cy.height() };
    this.#cy.zoom({ level: this.#cy.zoom() * factor, renderedPosition: { x: width / 2, y: height / 2 } });
  }

  #nodeOf(node: SceneNode, scene: Scene): cytoscape.ElementDefinition {
    const { id, kind, position, size, angle, isFaded, isUsable } = node;
    return {
      group: 'nodes',
      data: {
        id,
        index: node.node,
        kind,
        size,
        ...this.#labelOf(node, scene),
        ...turned(kind, angle),
      },
      position: { ...position },
      classes: [
        kind,
        isFaded ? 'faded' : '',
        isUsable ? '' : 'offline',
        ...sideOf(kind, angle, scene.friends),
      ].join(' '),
    };
  }

  #labelOf(
    { kind, node, size, hasTag }: SceneNode,
    { friends }: Scene,
  ): { readonly label: string; readonly font: number } {
    const name = nameOf(this.#picture, node);
    if (hasTag) return { label: '', font: 1 };
    if (kind === 'tag') return { label: name, font: size };
    if (kind === 'us') return { label: this.#hubLabel(name), font: size / 12 };
    const balance = this.#balances.get(node);
    if (kind === 'friend' && balance !== undefined && friends <= FEW_FOR_BALANCES) {
      return { label: `${name}\n${shortSat(balance.oursSat)} of ${shortSat(balance.totalSat)}`, font: 14 };
    }
    return { label: name, font: 12 };
  }

  #hubLabel(name: string): string {
    const all = [...this.#balances.values()];
    const ours = all.reduce((sum, { oursSat }) => sum + oursSat, 0);
    const total = all.reduce((sum, { totalSat }) => sum + totalSat, 0);
    return `${name}\n${shortSat(ours)} sat ours\n${shortSat(total - ours)} sat theirs`;
  }

  #point(event: cytoscape.EventObject): void {
    const text = this.#wordsOn(event.target);
    if (text === undefined) return;
    const { x, y } = event.renderedPosition;
    this.#tip.textContent = text;
    this.#tip.style.left = `${Math.min(x + 14, this.#cy.width() - 230)}px`;
    this.#tip.style.top = `${y + 14}px`;
    this.#tip.hidden = false;
  }

  #wordsOn(target: cytoscape.SingularElementReturnValue): string | undefined {
    const { kind, index, amountSat, ageS, count, flow } = target.data();
    const way = flow === 1 ? 'out' : 'in';
    if (kind === 'offer') return `${sat(amountSat)} ${way}, said ${age(ageS)} ago`;
    if (kind === 'stroke') return `${number(count)} offers ${way}, ${sat(amountSat)} in all`;
    if (kind === 'hop') return sat(amountSat);
    if (kind === 'us' || typeof index !== 'number') return undefined;
    const balance = this.#balances.get(index);
    const name = nameOf(this.#picture, index);
    if (balance === undefined) return name;
    const { oursSat, totalSat, isUsable } = balance;
    return `${name}: ${sat(oursSat)} ours, ${sat(totalSat - oursSat)} theirs${isUsable ? '' : ', offline'}`;
  }
}

function friendOf(
  target: cytoscape.SingularElementReturnValue,
  { friendCount }: Picture,
): NodeIndex | undefined {
  const { index, target: end, source } = target.data();
  const ends: readonly unknown[] = [index, ...[end, source].map(id => Number(String(id).replace(/\D/g, '')))];
  return ends.find((end): end is number => typeof end === 'number' && end > 0 && end <= friendCount);
}

/** Radial text reads from left to right on either side. */
function turned(kind: SceneNode['kind'], angle: number): object {
  if (kind !== 'tag') return {};
  const outward = angle - Math.PI / 2;
  return { turn: Math.sin(angle) >= -1e-9 ? outward : outward + Math.PI };
}

/** On which side of a node its name stands. */
function sideOf(kind: SceneNode['kind'], angle: number, friends: number): readonly string[] {
  if (kind === 'tag') return [Math.sin(angle) >= -1e-9 ? 'right' : 'left'];
  if (kind !== 'friend' && kind !== 'outer') return [];
  // Beyond a lone friend there are its offers.
  if (kind === 'friend' && friends === 1) return ['right'];
  const [x, y] = [Math.sin(angle), -Math.cos(angle)];
  if (Math.abs(x) > 0.5) return [x > 0 ? 'right' : 'left'];
  return [y > 0 ? 'bottom' : 'top'];
}

function lineOf(line: SceneLine, { hasWords }: Scene): cytoscape.ElementDefinition {
  const { isFaded, bend, share, ends, ...data } = line;
  const stop = `${Math.round((share ?? 0) * 100)}%`;
  return {
    group: 'edges',
    data: {
      ...data,
      from: pixels(ends?.[0]),
      to: pixels(ends?.[1]),
      stops: `0% ${stop} ${stop} 100%`,
      distances: bend?.distances.join(' ') ?? '0',
      weights: bend?.weights.join(' ') ?? '0.5',
      ...labelsOf(line, hasWords),
    },
    classes: [
      line.kind,
      line.flow === 1 ? 'out' : 'in',
      isFaded ? 'faded' : '',
      bend === undefined ? '' : 'bent',
    ].join(' '),
  };
}

function pixels(point: Point | undefined): string {
  return point === undefined ? 'outside-to-node' : `${point.x.toFixed(2)}px ${point.y.toFixed(2)}px`;
}

/** In the middle of a curve or of a hop; beside the friend's friend where many straight lines meet at a friend. */
function labelsOf({ kind, amountSat = 0, ageS = 0, hop, flow, bend }: SceneLine, hasWords: boolean): object {
  const none = { label: '', near: '', far: '' };
  if (kind === 'hop') return { ...none, label: `${hop}: ${shortSat(amountSat)}` };
  if (kind !== 'offer' || !hasWords) return none;
  const words = `${shortSat(amountSat)} · ${age(ageS)}`;
  if (bend !== undefined) return { ...none, label: words };
  return flow === 1 ? { ...none, far: words } : { ...none, near: words };
}

/** The page's own colours, which follow light and dark. */
function styleOf(): cytoscape.StylesheetJson {
  const colours = getComputedStyle(document.documentElement);
  const colour = (name: string) => colours.getPropertyValue(`--${name}`).trim();
  const words = {
    color: colour('text'),
    'font-family': 'system-ui, sans-serif',
    'text-background-color': colour('ground'),
    'text-background-opacity': 0.82,
    'text-background-padding': '2px',
    'min-zoomed-font-size': 7,
  };
  const side = (name: string, horizontal: string, vertical: string, x: number, y: number) => ({
    selector: `.${name}`,
    style: {
      'text-halign': horizontal,
      'text-valign': vertical,
      'text-margin-x': x,
      'text-margin-y': y,
      'text-justification': horizontal === 'right' ? 'left' : horizontal === 'left' ? 'right' : 'center',
    },
  });
  const sheet: object[] = [
    {
      selector: 'node',
      style: {
        ...words,
        width: 'data(size)',
        height: 'data(size)',
        label: 'data(label)',
        'font-size': 'data(font)',
        'text-wrap': 'wrap',
        'z-index': 5,
        'z-index-compare': 'manual',
      },
    },
    {
      selector: '.us',
      style: {
        'background-color': colour('hub'),
        'border-width': 2,
        'border-color': colour('line'),
        'text-valign': 'center',
        'text-background-opacity': 0,
        'font-weight': 'bold',
        'text-max-width': 'data(size)',
      },
    },
    {
      selector: '.friend',
      style: { 'background-color': colour('friend'), 'font-weight': 'bold' },
    },
    {
      selector: '.friend.offline',
      style: {
        'background-color': colour('ground'),
        'border-width': 2,
        'border-style': 'dashed',
        'border-color': colour('faint'),
        color: colour('faint'),
      },
    },
    { selector: '.outer', style: { 'background-color': colour('faint') } },
    {
      selector: '.tag',
      style: {
        'background-opacity': 0,
        width: 1,
        height: 1,
        'text-rotation': 'data(turn)',
        'text-background-opacity': 0,
      },
    },
    side('right', 'right', 'center', 5, 0),
    side('left', 'left', 'center', -5, 0),
    side('top', 'center', 'top', 0, -4),
    side('bottom', 'center', 'bottom', 0, 4),
    {
      selector: 'edge',
      style: {
        width: 'data(width)',
        'curve-style': 'bezier',
        'z-index-compare': 'manual',
        'arrow-scale': 1.1,
      },
    },
    {
      selector: '.balance',
      style: {
        'curve-style': 'straight',
        'source-endpoint': 'data(from)',
        'target-endpoint': 'data(to)',
        'line-fill': 'linear-gradient',
        'line-gradient-stop-colors': `${colour('ours')} ${colour('ours')} ${colour('theirs')} ${colour('theirs')}`,
        'line-gradient-stop-positions': 'data(stops)',
        'z-index': 2,
      },
    },
    ...(['out', 'in'] as const).flatMap(way => [
      {
        selector: `.offer.${way}, .stroke.${way}`,
        style: {
          'line-color': colour(way),
          'target-arrow-color': colour(way),
          'target-arrow-shape': 'triangle',
          'z-index': 3,
        },
      },
      { selector: `.offer.${way}`, style: { color: colour(way) } },
    ]),
    {
      selector: '.stroke',
      style: {
        'curve-style': 'straight',
        'source-endpoint': 'data(from)',
        'target-endpoint': 'data(to)',
        'arrow-scale': 0.5,
      },
    },
    {
      selector: '.offer, .hop',
      style: { ...words, label: 'data(label)', 'font-size': 11, 'text-rotation': 'autorotate' },
    },
    {
      selector: '.offer',
      style: {
        'source-label': 'data(near)',
        'source-text-offset': 48,
        'source-text-rotation': 'autorotate',
        'target-label': 'data(far)',
        'target-text-offset': 48,
        'target-text-rotation': 'autorotate',
      },
    },
    {
      selector: '.hop',
      style: {
        'curve-style': 'straight',
        'line-color': colour('circle'),
        'target-arrow-color': colour('circle'),
        'target-arrow-shape': 'triangle',
        'z-index': 8,
        'font-size': 14,
        'font-weight': 'bold',
      },
    },
    {
      selector: '.bent',
      style: {
        'curve-style': 'unbundled-bezier',
        'edge-distances': 'node-position',
        'control-point-distances': 'data(distances)',
        'control-point-weights': 'data(weights)',
      },
    },
    { selector: '.faded', style: { opacity: 0.13 } },
  ];
  // Its own types know neither `data(…)` everywhere nor lists of numbers as text, which it reads all the same.
  return sheet as cytoscape.StylesheetJson;
}
