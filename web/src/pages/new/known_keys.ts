/*
 * What this browser knows of earlier tasks: the fingerprints of the public keys for which it has
 * encrypted, and the collaborations that were encrypted.
 *
 * SECURITY: the server names the keys, and says which collaboration is encrypted. A key that
 * changes could be one of the server itself, so a person has to compare it. A collaboration that is
 * no longer encrypted would show it the input. Both are public; no key is ever stored.
 */
const KEYS = "vantage6.fingerprints";
const ENCRYPTED = "vantage6.encrypted";

export type Familiarity = "new" | "known" | "changed";

export function familiarityOf(organization: number, fingerprint: string): Familiarity {
  const all = read(KEYS);
  if (!Object.hasOwn(all, organization)) return "new";
  return all[organization] === fingerprint ? "known" : "changed";
}

/** Remember the keys that a task was encrypted for; changed ones only where they were compared. */
export function rememberKeys(fingerprints: Map<number, string>, isCompared: boolean): void {
  const found = [...fingerprints].filter(
    ([organization, each]) => isCompared || familiarityOf(organization, each) !== "changed",
  );
  write(KEYS, { ...read(KEYS), ...Object.fromEntries(found) });
}

/** Remember that a collaboration is encrypted. */
export function rememberEncrypted(collaboration: number): void {
  if (!wasEncrypted(collaboration)) write(ENCRYPTED, { ...read(ENCRYPTED), [collaboration]: true });
}

/** Whether this browser has known a collaboration as encrypted. */
export function wasEncrypted(collaboration: number): boolean {
  return Object.hasOwn(read(ENCRYPTED), collaboration);
}

function write(store: string, known: Record<string, unknown>): void {
  try {
    localStorage.setItem(store, JSON.stringify(known));
  } catch {
    // A browser without storage knows nothing of earlier tasks: each key is new.
  }
}

function read(store: string): Record<string, unknown> {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(store) ?? "{}");
    return typeof found === "object" && found !== null ? { ...found } : {};
  } catch {
    return {};
  }
}
