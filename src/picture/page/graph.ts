/** Draws a scene with Cytoscape, what is straight by itself, and tells what is pointed at. */
import cytoscape from 'cytoscape';
import type { NodeIndex, Picture } from '../picture.ts';
import { type Balance, balancesOf, type Scene, type SceneLine, type SceneNode } from '../scene.ts';
import { Bars, coloursOf, FADED, FONT, LEAST_FONT } from './bars.ts';
import { element } from './dom.ts';
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
  readonly #bars: Bars;
  readonly #tip: HTMLElement;

  constructor(container: HTMLElement, tip: HTMLElement, picture: Picture, events: GraphEvents) {
    this.#picture = picture;
    this.#balances = balancesOf(picture);
    this.#tip = tip;
    const canvas = element('canvas');
    const above = element('div');
    container.append(canvas, above);
    this.#bars = new Bars(canvas, node => nameOf(picture, node));
    this.#cy = cytoscape({
      container: above,
      style: styleOf(),
      autoungrabify: true,
      autounselectify: true,
      boxSelectionEnabled: false,
      minZoom: 0.05,
      maxZoom: 20,
      layout: { name: 'preset' },
    });
    this.#cy.on('tap', event => {
      const friend = friendOf(this.#pointed(event), picture);
      if (friend === undefined) events.onNothing();
      else events.onFriend(friend);
    });
    this.#cy.on('mousemove', event => this.#point(event));
    const hideTip = () => {
      tip.hidden = true;
    };
    this.#cy.on('viewport', hideTip);
    container.addEventListener('mouseleave', hideTip);
    // In the same frame, so that both move as one.
    this.#cy.on('render', () => this.#bars.paint(this.#cy.zoom(), this.#cy.pan()));
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
      this.#bars.refresh();
      this.#cy.style(styleOf());
    });
    let size = `${container.clientWidth} ${container.clientHeight}`;
    new ResizeObserver(() => {
      const now = `${container.clientWidth} ${container.clientHeight}`;
      // It also calls at the start, when nothing has changed.
      if (now === size) return;
      size = now;
      this.#bars.refresh();
      this.#cy.resize();
      this.fit();
    }).observe(container);
  }

  /** Resolves when what was to be drawn first is on the canvas. */
  drawn(): Promise<void> {
    return new Promise(resolve => this.#cy.one('render', () => resolve()));
  }

  draw(scene: Scene): void {
    this.#bars.show(scene);
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
    // Cytoscape's own `fit` knows nothing of what is painted beside it.
    const { x1, y1, x2, y2 } = this.#bars.around(this.#cy.elements().boundingBox());
    const { width, height } = { width: this.#cy.width(), height: this.#cy.height() };
    const fitting = Math.min(
      (width - 2 * MARGIN) / (x2 - x1),
      (height - 2 * MARGIN) / (y2 - y1),
      MAX_FIT_ZOOM,
    );
    const zoom = Math.max(fitting, this.#cy.minZoom());
    this.#cy.viewport({
      zoom,
      pan: { x: (width - zoom * (x1 + x2)) / 2, y: (height - zoom * (y1 + y2)) / 2 },
    });
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
        node: node.node,
        kind,
        size,
        ...this.#labelOf(node, scene),
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

  /** The element or the bar at an event's place. */
  #pointed({ target, position }: cytoscape.EventObject): Pointed {
    return target === this.#cy ? (this.#bars.at(position, this.#cy.zoom()) ?? {}) : target.data();
  }

  #point(event: cytoscape.EventObject): void {
    const text = this.#wordsOn(this.#pointed(event));
    this.#tip.hidden = text === undefined;
    if (text === undefined) return;
    const { x, y } = event.renderedPosition;
    this.#tip.textContent = text;
    this.#tip.style.left = `${Math.min(x + 14, this.#cy.width() - 230)}px`;
    this.#tip.style.top = `${y + 14}px`;
  }

  #wordsOn({ kind, node, amountSat = 0, ageS = 0, count = 0, flow }: Pointed): string | undefined {
    const way = flow === 1 ? 'out' : 'in';
    if (kind === 'offer') return `${sat(amountSat)} ${way}, said ${age(ageS)} ago`;
    if (kind === 'stroke') return `${number(count)} offers ${way}, ${sat(amountSat)} in all`;
    if (kind === 'hop') return sat(amountSat);
    if (kind === 'us' || node === undefined) return undefined;
    const balance = this.#balances.get(node);
    const name = nameOf(this.#picture, node);
    if (balance === undefined) return name;
    const { oursSat, totalSat, isUsable } = balance;
    return `${name}: ${sat(oursSat)} ours, ${sat(totalSat - oursSat)} theirs${isUsable ? '' : ', offline'}`;
  }
}

/** What an element or a bar tells of itself. */
interface Pointed {
  readonly kind?: string;
  readonly node?: NodeIndex;
  readonly source?: string;
  readonly target?: string;
  readonly amountSat?: number;
  readonly ageS?: number;
  readonly count?: number;
  readonly flow?: 0 | 1;
}

function friendOf({ node, source, target }: Pointed, { friendCount }: Picture): NodeIndex | undefined {
  const ends = [node, ...[target, source].map(id => Number(id?.replace(/\D/g, '')))];
  return ends.find(end => end !== undefined && end > 0 && end <= friendCount);
}

/** On which side of a node its name stands. */
function sideOf(kind: SceneNode['kind'], angle: number, friends: number): readonly string[] {
  if (kind !== 'friend' && kind !== 'outer') return [];
  // Beyond a lone friend there are its offers.
  if (kind === 'friend' && friends === 1) return ['right'];
  const [x, y] = [Math.sin(angle), -Math.cos(angle)];
  if (Math.abs(x) > 0.5) return [x > 0 ? 'right' : 'left'];
  return [y > 0 ? 'bottom' : 'top'];
}

function lineOf(line: SceneLine, { hasWords }: Scene): cytoscape.ElementDefinition {
  const { isFaded, bend, ...data } = line;
  return {
    group: 'edges',
    data: {
      ...data,
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

/** In the middle of a curve or of a hop; beside the friend's friend where many straight lines meet at a friend. */
function labelsOf({ kind, amountSat = 0, ageS = 0, hop, flow, bend }: SceneLine, hasWords: boolean): object {
  const none = { label: '', near: '', far: '' };
  if (kind === 'hop') return { ...none, label: `${hop}: ${shortSat(amountSat)}` };
  if (kind !== 'offer' || !hasWords) return none;
  const words = `${shortSat(amountSat)} · ${age(ageS)}`;
  if (bend !== undefined) return { ...none, label: words };
  return flow === 1 ? { ...none, far: words } : { ...none, near: words };
}

function styleOf(): cytoscape.StylesheetJson {
  const colours = coloursOf();
  const words = {
    color: colours.text,
    'font-family': FONT,
    'text-background-color': colours.ground,
    'text-background-opacity': 0.82,
    'text-background-padding': '2px',
    'min-zoomed-font-size': LEAST_FONT,
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
        'background-color': colours.hub,
        'border-width': 2,
        'border-color': colours.line,
        'text-valign': 'center',
        'text-background-opacity': 0,
        'font-weight': 'bold',
        'text-max-width': 'data(size)',
      },
    },
    {
      selector: '.friend',
      style: { 'background-color': colours.friend, 'font-weight': 'bold' },
    },
    {
      selector: '.friend.offline',
      style: {
        'background-color': colours.ground,
        'border-width': 2,
        'border-style': 'dashed',
        'border-color': colours.faint,
        color: colours.faint,
      },
    },
    { selector: '.outer', style: { 'background-color': colours.faint } },
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
    ...(['out', 'in'] as const).flatMap(way => [
      {
        selector: `.offer.${way}`,
        style: {
          'line-color': colours[way],
          'target-arrow-color': colours[way],
          'target-arrow-shape': 'triangle',
          'z-index': 3,
          color: colours[way],
        },
      },
    ]),
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
        'line-color': colours.circle,
        'target-arrow-color': colours.circle,
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
    { selector: '.faded', style: { opacity: FADED } },
  ];
  // Its own types know neither `data(…)` everywhere nor lists of numbers as text, which it reads all the same.
  return sheet as cytoscape.StylesheetJson;
}
