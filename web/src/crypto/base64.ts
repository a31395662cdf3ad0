/** Characters that are turned into text at once; more would overflow the stack. */
const PIECE = 0x8000;

/** Return standard base64 with padding and without line breaks. */
export function toBase64(bytes: Uint8Array): string {
  return btoa(toBinary(bytes));
}

/** Return the bytes behind a base64 text; characters outside the alphabet are skipped. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const plain = /^[A-Za-z0-9+/]*={0,2}$/.test(text) ? text : text.replace(/[^A-Za-z0-9+/=]/g, "");
  if (plain.length % 4) throw new Error("This is not base64.");
  try {
    return fromBinary(atob(plain));
  } catch {
    throw new Error("This is not base64.");
  }
}

/** Tell whether bytes are nothing but standard base64 with padding. */
export function isBase64(bytes: Uint8Array): boolean {
  if (!bytes.length || bytes.length % 4) return false;
  let padding = 0;
  while (padding < 2 && bytes[bytes.length - 1 - padding] === 0x3d) padding += 1;
  return bytes.subarray(0, bytes.length - padding).every(isOfAlphabet);
}

function isOfAlphabet(code: number): boolean {
  return (
    (code >= 0x41 && code <= 0x5a) || // A to Z
    (code >= 0x61 && code <= 0x7a) || // a to z
    (code >= 0x2f && code <= 0x39) || // the slash, 0 to 9
    code === 0x2b // plus
  );
}

/** Return bytes as a text of one character for each byte, as node-forge and `btoa` take them. */
export function toBinary(bytes: Uint8Array): string {
  const pieces: string[] = [];
  for (let start = 0; start < bytes.length; start += PIECE)
    pieces.push(String.fromCharCode(...bytes.subarray(start, start + PIECE)));
  return pieces.join("");
}

export function fromBinary(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at);
  return bytes;
}
