/** Without letters and digits that look like each other. */
const KINDS = ["ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnpqrstuvwxyz", "23456789"];
const LENGTH = 20;

/** Return a random password that meets the demands of the server, to be read aloud in fours. */
export function makePassword(): string {
  for (;;) {
    const all = KINDS.join("");
    const found = Array.from({ length: LENGTH }, () => all[below(all.length)] ?? "").join("");
    const isMixed = KINDS.every((kind) => [...found].some((one) => kind.includes(one)));
    if (isMixed) return (found.match(/.{4}/g) ?? []).join("-");
  }
}

/** Return a random number below a limit, each as likely as the others. */
function below(limit: number): number {
  const one = new Uint8Array(1);
  const fair = 256 - (256 % limit);
  do crypto.getRandomValues(one);
  while ((one[0] ?? 0) >= fair);
  return (one[0] ?? 0) % limit;
}
