/** What was thrown, in words, for logs and answers: libraries and lightningd may throw anything. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
