/** Types for bolt01 4.0.0, which ships none: only what the codec uses. Everything is a hex or a decimal string. */
declare module 'bolt01' {
  /** Reads one BigSize from the front of `encoded` (hex); `length` is in bytes. Throws Error. */
  export function decodeBigSize(args: { encoded: string }): { decoded: string; length: number };
  /** Writes one BigSize. Throws Error when `number` is no decimal u64. */
  export function encodeBigSize(args: { number: string }): { encoded: string };
  /** Sorts by type and writes the records. Throws Error on duplicates or values that are no hex. */
  export function encodeTlvStream(args: { records: { type: string; value: string }[] }): { encoded: string };
  /** Quadratic and lax (order, duplicates, unknown even types): the tests and benches compare against it. */
  export function decodeTlvStream(args: { encoded: string }): { records: { type: string; value: string }[] };
}
