/** The demo's answers in words and bars. Pure. */

/** A channel, as one of its ends lists it. */
export interface DemoChannel {
  /** Whose list it is from. */
  readonly node_id: string;
  readonly peer_id: string;
  readonly short_channel_id: string;
  readonly to_us_msat: number;
  readonly total_msat: number;
}

/** What `foafbalance` answered. */
export interface DemoAnswer {
  readonly id: string;
  readonly direction: 0 | 1;
  readonly amount_msat: number;
  readonly friends: readonly DemoFriend[];
}

interface DemoFriend {
  readonly peer_id: string;
  readonly status: string;
  readonly reason?: string;
  readonly amount_msat?: number;
  readonly age_ms?: number;
  readonly channels: readonly { short_channel_id: string; source: string; destination: string }[];
}

/** Node ids to names. */
export type Names = ReadonlyMap<string, string>;
/** Gives a text a look, where the output can show it. */
export type Paint = (look: 'bold' | 'dim' | 'green' | 'yellow', text: string) => string;

const BAR_CELLS = 24;
const NAME_CELLS = 6;
const AMOUNT_CELLS = 9;

const ANSI = { bold: 1, dim: 2, green: 32, yellow: 33 } as const;
/** For terminals. */
export const colourful: Paint = (look, text) => `\u001b[${ANSI[look]}m${text}\u001b[0m`;
/** For everything else. */
export const plain: Paint = (_look, text) => text;

/** `  alice    700,000 ████████░░░   300,000 bob     102x1x1` */
export function channelLine(channel: DemoChannel, names: Names, paint: Paint): string {
  const { to_us_msat: ours, total_msat: total } = channel;
  // The least balance is still to be seen.
  const filled = Math.min(BAR_CELLS - 1, Math.max(1, Math.round((ours / total) * BAR_CELLS)));
  const bar = paint('green', '█'.repeat(filled)) + paint('yellow', '░'.repeat(BAR_CELLS - filled));
  return [
    `  ${nameOf(channel.node_id, names).padEnd(NAME_CELLS)}`,
    satoshis(ours).padStart(AMOUNT_CELLS),
    bar,
    satoshis(total - ours).padStart(AMOUNT_CELLS),
    nameOf(channel.peer_id, names).padEnd(NAME_CELLS),
    paint('dim', channel.short_channel_id),
  ].join(' ');
}

/** What was asked, and a line for each channel that somebody offers. */
export function answerLines({ id, direction, amount_msat, friends }: DemoAnswer, names: Names, paint: Paint) {
  const asker = nameOf(id, names);
  const amount = `${satoshis(amount_msat)} sat`;
  const asked =
    direction === 1
      ? `"I would send ${amount} through you: on which of your channels would you pass it on?"`
      : `"I would receive ${amount} from you: on which of your channels would you take it in?"`;
  return [
    `  ${asker} asks ${friends
      .map(({ peer_id }) => nameOf(peer_id, names))
      .sort()
      .join(', ')}: ${asked}`,
    '',
    ...[...friends]
      .sort((a, b) => (nameOf(a.peer_id, names) < nameOf(b.peer_id, names) ? -1 : 1))
      .flatMap(friend => friendLines(friend, direction, asker, names, paint)),
  ];
}

function friendLines(
  { peer_id, status, reason, amount_msat, age_ms, channels }: DemoFriend,
  direction: 0 | 1,
  asker: string,
  names: Names,
  paint: Paint,
): string[] {
  const friend = nameOf(peer_id, names);
  const start = `  ${friend.padEnd(NAME_CELLS)}`;
  if (amount_msat === undefined || age_ms === undefined) return [`${start} ${reason ?? status}`];
  const said = `${satoshis(amount_msat)} sat, said ${Math.round(age_ms / 1000)} s ago`;
  if (channels.length === 0) return [`${start} would use none of its channels ${paint('dim', `(${said})`)}`];
  return channels.map(({ short_channel_id, source, destination }) => {
    const hop = [source, destination].map(node => nameOf(node, names));
    const way = direction === 1 ? [asker, ...hop] : [...hop, asker];
    const arrows = way.map(name => name.padEnd(NAME_CELLS)).join('→ ');
    return `${start} ${paint('green', arrows)} ${short_channel_id.padEnd(8)} ${paint('dim', `(${said})`)}`;
  });
}

function nameOf(id: string, names: Names): string {
  return names.get(id) ?? id.slice(0, NAME_CELLS);
}

function satoshis(msat: number): string {
  return Math.round(msat / 1000).toLocaleString('en-US');
}
