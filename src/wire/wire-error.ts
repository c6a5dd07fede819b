/**
 * What is wrong with a message, as a stable word: it names the counter under which the message is dropped.
 *
 * - `not_hex`: no even-length hexadecimal text
 * - `oversized`: over the 65,535 bytes of a Lightning message (BOLT 8)
 * - `truncated`: ends inside its type, a record's header or a record's value
 * - `other_type`: its two-byte type is not 347
 * - `not_minimal`: a BigSize or tu64 written longer than needed (BOLT 1)
 * - `out_of_order`: record types that do not strictly ascend; a duplicate is the same thing (BOLT 1)
 * - `unknown_even`: an even record type that we do not know (BOLT 1)
 * - `bad_length`: a record whose value has a length that its type does not allow
 * - `bad_value`: a value outside its range
 * - `missing_record`: a record without which the message means nothing
 * - `stray_record`: a record that this kind of message does not have
 */
export type WireErrorReason =
  | 'not_hex'
  | 'oversized'
  | 'truncated'
  | 'other_type'
  | 'not_minimal'
  | 'out_of_order'
  | 'unknown_even'
  | 'bad_length'
  | 'bad_value'
  | 'missing_record'
  | 'stray_record';

/** The only error that `src/wire/` throws, whatever bytes it is given. */
export class WireError extends Error {
  override readonly name = 'WireError';
  readonly reason: WireErrorReason;

  constructor(reason: WireErrorReason, message: string) {
    super(message);
    this.reason = reason;
  }
}
