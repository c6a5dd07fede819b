/**
 * The page as one file.
 *
 * Hazard: what is shown comes from strangers. Nothing of it is ever part of the markup: it is in the packed facts, whose
 * alphabet is base64's, and the page's script writes it as text only. The policy lets no other script or style run,
 * and nothing load.
 */
import { createHash } from 'node:crypto';

/** The most bytes that a file should have. */
const MAX_BYTES = 3_000_000;
/** What the markup around script, style and facts takes at most. */
const MARKUP_BYTES = 4_000;

/** What the page is made of besides the facts; the same for every picture. */
export interface PageParts {
  readonly script: string;
  readonly style: string;
}

/** How many characters the packed facts may have. */
export function factsBudget({ script, style }: PageParts): number {
  return MAX_BYTES - MARKUP_BYTES - Buffer.byteLength(script) - Buffer.byteLength(style);
}

/**
 * @param facts base64, as `pack` made it
 * @returns the file's text, in pieces
 */
export function pageOf({ script, style }: PageParts, facts: readonly string[]): readonly string[] {
  const policy = [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "base-uri 'none'",
    "form-action 'none'",
    // No text can become markup, whatever the script did with it.
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
  const before = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>Friends and what they offer</title>
<style id="${STYLE_ID}">${style}</style>
</head>
<body>
<noscript>This picture is drawn by a script in this file. It needs a browser with JavaScript; it loads nothing from anywhere.</noscript>
<main id="page"></main>
<script type="application/octet-stream" id="facts">`;
  const after = `</script>
<script>${script}</script>
</body>
</html>
`;
  return [before, ...facts, after];
}

/** Cytoscape adds a rule of its own to the page unless there is an element of this name; ours has that rule. */
const STYLE_ID = '__________cytoscape_stylesheet';

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
