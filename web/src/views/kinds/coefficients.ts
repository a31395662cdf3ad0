import { blocksOf, type Block } from "../blocks";
import { entry, isRecord, isRecordList, numberOf, type Json, type JsonRecord } from "../json";

/** One estimate with its interval. */
export interface ForestRow {
  label: string;
  estimate: number;
  lower: number;
  upper: number;
  /** Share of an organization in a pooled estimate, from 0 to 1. */
  weight?: number;
  isPooled?: boolean;
  isPrediction?: boolean;
}

export interface Forest {
  rows: ForestRow[];
  /** What the axis shows, such as `hazard_ratio`. */
  measure: string;
  isRatio: boolean;
  /** Terms that are in the table only. */
  leftOut: string[];
}

const RATIO = "_ratio";
/** Of these nobody reads a ratio, and it would make all others too small to see. */
const INTERCEPT = "Intercept";

/** Return terms with ratios first, for which people ask, as the command line does. */
export function coefficientBlocks(value: Json, above: Json): Block[] {
  return blocksOf(isRecordList(value) ? value.map(withRatiosFirst) : value, above);
}

function withRatiosFirst(term: JsonRecord): JsonRecord {
  const names = Object.keys(term);
  const first = names.filter((name) => name === "term" || name.includes(RATIO));
  if (first.length > 1 && names.includes("p_value")) first.push("p_value");
  const order = new Set([...first, ...names]);
  return Object.fromEntries([...order].map((name) => [name, term[name] ?? null]));
}

/** Return what a forest plot needs; null where the terms have another form. */
export function readForest(value: Json): Forest | null {
  if (!isRecordList(value)) return null;
  if (value.every((one) => isRecordList(one.sites))) return readPooled(value);
  const measure = ratioOf(value);
  const names = measure
    ? [measure, `${measure}_lower`, `${measure}_upper`]
    : ["estimate", "lower", "upper"];
  const forest: Forest = {
    rows: [],
    measure: measure ?? "estimate",
    isRatio: Boolean(measure),
    leftOut: [],
  };
  for (const [at, term] of value.entries()) {
    const label = String(term.term ?? at + 1);
    const row = rowOf(
      label,
      names.map((name) => entry(term, name)),
      forest.isRatio,
    );
    if (row && !(forest.isRatio && label === INTERCEPT)) forest.rows.push(row);
    else forest.leftOut.push(label);
  }
  return forest.rows.length ? forest : null;
}

function ratioOf(terms: readonly JsonRecord[]): string | undefined {
  const names = new Set(terms.flatMap((one) => Object.keys(one)));
  return [...names].find((name) => name.endsWith(RATIO) && names.has(`${name}_lower`));
}

function rowOf(label: string, values: (Json | undefined)[], isRatio: boolean): ForestRow | null {
  const [estimate, lower, upper] = values.map(numberOf);
  if (estimate === undefined || lower === undefined || upper === undefined) return null;
  if (isRatio && Math.min(estimate, lower) <= 0) return null;
  return { label, estimate, lower, upper };
}

/** Return the organizations of each pooled effect, the effect, and where another one would lie. */
function readPooled(effects: readonly JsonRecord[]): Forest | null {
  const rows: ForestRow[] = [];
  for (const effect of effects) {
    const label = String(effect.term ?? "");
    const pooled = rowOf(
      label,
      [effect.estimate, effect.lower, effect.upper].map((one) => one ?? null),
      false,
    );
    const error = numberOf(effect.standard_error);
    if (!pooled || !error) return null;
    // The same level as the pooled interval has.
    const reach = (pooled.upper - pooled.lower) / (2 * error);
    for (const site of Array.isArray(effect.sites) ? effect.sites : [])
      rows.push(...siteRow(site, reach));
    rows.push({ ...pooled, isPooled: true });
    const { prediction } = effect;
    if (isRecord(prediction)) {
      const ends = [effect.estimate ?? null, prediction.lower ?? null, prediction.upper ?? null];
      const row = rowOf(label, ends, false);
      if (row) rows.push({ ...row, isPrediction: true });
    }
  }
  const measure = effects.length === 1 ? String(effects[0]?.term ?? "estimate") : "estimate";
  return { rows, measure, isRatio: false, leftOut: [] };
}

function siteRow(site: Json, reach: number): ForestRow[] {
  const estimate = numberOf(entry(site, "estimate"));
  const error = numberOf(entry(site, "standard_error"));
  if (estimate === undefined || error === undefined) return [];
  const row = {
    label: String(entry(site, "organization") ?? ""),
    estimate,
    lower: estimate - reach * error,
    upper: estimate + reach * error,
  };
  const weight = numberOf(entry(site, "weight"));
  return [weight === undefined ? row : { ...row, weight }];
}
