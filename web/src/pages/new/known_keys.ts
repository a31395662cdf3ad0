/*
 * Fingerprints of the public keys for which this browser has encrypted before.
 *
 * SECURITY: the server names the keys. One that changes could be a key of the server itself, so a
 * person has to compare it. Fingerprints are public; no key is ever stored.
 */
const STORE = "vantage6.fingerprints";

export type Familiarity = "new" | "known" | "changed";

export function familiarityOf(organization: number, fingerprint: string): Familiarity {
  const known = read()[organization];
  if (known === undefined) return "new";
  return known === fingerprint ? "known" : "changed";
}

/** Remember the keys that a task was encrypted for. */
export function rememberKeys(fingerprints: Map<number, string>): void {
  try {
    localStorage.setItem(STORE, JSON.stringify({ ...read(), ...Object.fromEntries(fingerprints) }));
  } catch {
    // A browser without storage knows no earlier keys: each one is new.
  }
}

function read(): Record<string, unknown> {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(STORE) ?? "{}");
    return typeof found === "object" && found !== null ? { ...found } : {};
  } catch {
    return {};
  }
}
