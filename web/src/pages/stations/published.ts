import type { Schemas } from "../../api/client";
import type { Key } from "../../language";

type Item = Schemas["NodeConfigItem"];

/** What a station tells of one thing, with all values of it. */
export interface Told {
  /** Text of what is told; null for a word that these pages do not know. */
  label: Key | null;
  key: string;
  values: string[];
}

const LABELS: Record<string, Key> = {
  allowed_algorithms: "stations.images",
  allowed_users: "stations.users",
  allowed_orgs: "stations.organizations",
};
/** Said by the collaboration already. */
const LEFT_OUT = new Set(["encryption"]);

/** Group what a station tells of its configuration; later values of a key join the first. */
export function groupTold(config: readonly Item[]): Told[] {
  const found = new Map<string, Told>();
  for (const { key, value } of config) {
    if (LEFT_OUT.has(key)) continue;
    const told = found.get(key) ?? { key, label: LABELS[key] ?? null, values: [] };
    told.values.push(value);
    found.set(key, told);
  }
  return [...found.values()];
}
