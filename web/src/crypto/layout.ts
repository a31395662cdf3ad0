/** Stands between the parts of an encrypted message; not a character of base64. */
export const SEPARATOR = "$";

/** Tell whether a text is laid out as an encrypted message; any `$` is none of base64. */
export function isEncrypted(text: string): boolean {
  return text.includes(SEPARATOR);
}
