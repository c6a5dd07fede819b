/** What kind of thing a JSON value is, without what it says. */

/** JSON whose keys one knows. */
export interface Json {
  [key: string]: Json;
}

/** The keys of a value, all the way down, and the types of what they hold; elements of an array taken together. */
export function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return [value.map(shapeOf).reduce(merged, undefined)];
  // The stand-in's client gives long integers as text, that of the real nodes does not.
  if (typeof value === 'string' && /^\d{16,}$/.test(value)) return 'number';
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(
    Object.entries(value)
      // They come and go: a real node may say that it has not seen the newest block yet.
      .filter(([key]) => !key.startsWith('warning_'))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, shapeOf(member)]),
  );
}

/** Two shapes as one: the keys of either, marked where only one has them. */
export function merged(one: unknown, other: unknown): unknown {
  if (one === undefined || other === undefined) return one ?? other;
  if (Array.isArray(one) && Array.isArray(other)) return [merged(one[0], other[0])];
  if (typeof one !== 'object' || typeof other !== 'object') return one === other ? one : `${one}|${other}`;
  const [ours, theirs] = [one as Json, other as Json];
  const keys = [...new Set([...Object.keys(ours), ...Object.keys(theirs)])].sort();
  return Object.fromEntries(
    keys.map(key => {
      const [bare] = key.split('?') as [string];
      const isEverywhere = key === bare && key in ours && key in theirs;
      return [isEverywhere ? key : `${bare}?`, merged(ours[key], theirs[key])];
    }),
  );
}
