/**
 * JSON of a value in which amounts are bigints: they become integers, however large (JSON.rawJSON is missing in
 * Node 20).
 *
 * @param indent spaces for each level; all on one line when left out
 */
export function jsonText(value: unknown, indent = 0): string {
  // Large ones travel as texts behind a mark. A text of the value's own that looks like one makes the mark longer.
  for (let mark = '\u0001'; ; mark += '\u0001') {
    let marked = 0;
    const text = JSON.stringify(
      value,
      (_key, member: unknown) => {
        if (typeof member !== 'bigint') return member;
        const number = Number(member);
        if (Number.isSafeInteger(number)) return number;
        marked++;
        return mark + member.toString();
      },
      indent,
    );
    if (marked === 0) return text;
    const pieces = text.split(new RegExp(`"${'\\\\u0001'.repeat(mark.length)}(-?[0-9]+)"`));
    // Each number stands between two other pieces.
    if (pieces.length === 2 * marked + 1) return pieces.join('');
  }
}
