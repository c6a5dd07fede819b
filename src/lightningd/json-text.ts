/** Marks a bigint on its way through JSON.stringify; no text of ours holds this character. */
const MARK = '\u0001';
const MARKED = /"\\u0001(-?[0-9]+)"/g;

/**
 * JSON of a value in which amounts are bigints: they become integers, however large (JSON.rawJSON is missing in
 * Node 20).
 *
 * @param indent spaces for each level; all on one line when left out
 */
export function jsonText(value: unknown, indent = 0): string {
  let marked = false;
  const text = JSON.stringify(
    value,
    (_key, member: unknown) => {
      if (typeof member !== 'bigint') return member;
      const number = Number(member);
      if (Number.isSafeInteger(number)) return number;
      marked = true;
      return MARK + member.toString();
    },
    indent,
  );
  return marked ? text.replace(MARKED, '$1') : text;
}
