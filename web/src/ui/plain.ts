/**
 * Control characters (C0 without tab and line feed, DEL, C1), separators of lines and paragraphs,
 * halves of surrogate pairs, marks that turn the direction of text, and what shows nothing: fillers,
 * selectors of variants, tags. The same as in `vantage6.common.terminal_text`.
 */
const CONTROLS =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]|\p{Surrogate}/gu;

/**
 * Return a text of other people with its invisible and direction-changing characters written out.
 *
 * SECURITY: names, logs and descriptions come from other people. Such characters make one name look
 * like another. They are written as `\u202e`, as the command line and JSON write them.
 */
export function plain(text: string | null | undefined): string {
  return (text ?? "").replace(CONTROLS, escape);
}

/** Return such a text on one line: for names, in tables, titles and labels. */
export function plainLine(text: string | null | undefined): string {
  return plain(text).replace(/\n/g, "\\n").replace(/\t/g, " ");
}

function escape(found: string): string {
  return [...Array(found.length).keys()]
    .map((at) => `\\u${found.charCodeAt(at).toString(16).padStart(4, "0")}`)
    .join("");
}
