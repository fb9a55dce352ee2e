/** Text from files and file names, before a person sees it: on a page or on a terminal. */

/**
 * Without control characters, which XML forbids and terminals obey, and without those that turn the direction of what
 * follows: a file name must not be able to rearrange a line.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu, (character) =>
    character === '\n' || character === '\t' ? ' ' : '\ufffd',
  );
}

/** The same for several lines, which stay lines. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}
