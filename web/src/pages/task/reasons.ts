import page from "../../../../docs/reasons.md?raw";

/** What each code of a reason means, and what to do: from the page of the documentation. */
const MEANINGS = readTable(page);

/** Return what to do about a reason; undefined for a code that the page does not know. */
export function remedyOf(code: string | null | undefined): string | undefined {
  return code ? MEANINGS.get(code) : undefined;
}

/** Return the last column of a table of Markdown by its first one, as plain text. */
export function readTable(markdown: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of markdown.split("\n")) {
    const [, code, , meaning] = /^\| `(\w+)` \| ([^|]*) \| (.*) \|$/.exec(line) ?? [];
    if (code && meaning) found.set(code, plainOf(meaning));
  }
  return found;
}

function plainOf(markdown: string): string {
  return markdown
    .replace(/\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replaceAll("`", "")
    .trim();
}
