/**
 * Something that a real node does not survive, or that gets a plugin killed: it stops the stand-in node that it
 * happens to, with this message as the reason.
 */
export class Misconduct extends Error {
  override readonly name = 'Misconduct';
}

/** Something that came, short enough for a reason. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : String(JSON.stringify(value));
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}

/** The fields of an object; none for anything else. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return isObject(value) ? value : {};
}

/** Whether a value is a JSON object, neither an array nor `null`. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
