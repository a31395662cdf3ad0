import { blocksOf, type Block } from "../blocks";
import { MOST_MARKS } from "../bounds";
import { entry, isRecord, isRecordList, numberOf, type Json, type JsonRecord } from "../json";
import { bounded } from "../numbers";
import { normalReach, normalShare, studentShare } from "./quantile";

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
  if (!isRecordList(value) || value.length > MOST_MARKS) return null;
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
  if (isRatio && Math.min(estimate, lower, upper) <= 0) return null;
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
    const sites = sitesOf(effect.sites);
    if (!pooled || !sites || rows.length + sites.length > MOST_MARKS) return null;
    const reach = reachOf(effect, pooled, sites);
    if (reach === null) return null;
    for (const site of sites) rows.push(siteRow(site, reach));
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

interface Site {
  label: string;
  estimate: number;
  error: number;
  weight: number | undefined;
}

/** Return the estimates of organizations; null where one of them has another form. */
function sitesOf(value: Json | undefined): Site[] | null {
  const sites: Site[] = [];
  for (const site of Array.isArray(value) ? value : []) {
    const estimate = numberOf(entry(site, "estimate"));
    const error = numberOf(entry(site, "standard_error"));
    if (estimate === undefined || error === undefined || error <= 0) return null;
    const label = String(entry(site, "organization") ?? "");
    sites.push({ label, estimate, error, weight: numberOf(entry(site, "weight")) });
  }
  return sites;
}

/**
 * Return how many standard errors the intervals of organizations reach to each side.
 *
 * They have the level of the pooled interval, and are normal. With Knapp and Hartung's adjustment
 * the pooled one is of Student's t, which has far more standard errors where organizations are few.
 */
function reachOf(effect: JsonRecord, pooled: ForestRow, sites: readonly Site[]): number | null {
  const error = numberOf(effect.standard_error);
  if (error === undefined || error <= 0) return null;
  const reach = (pooled.upper - pooled.lower) / (2 * error);
  if (!(reach > 0 && Number.isFinite(reach))) return null;
  const degrees = sites.length - 1;
  if (degrees < 1 || isNormal(effect, error, sites)) return reach;
  return normalReach(studentShare(reach, degrees));
}

/** Tell whether the interval of a pooled effect is normal: its p-value says so. */
function isNormal(effect: JsonRecord, error: number, sites: readonly Site[]): boolean {
  const statistic = Math.abs(numberOf(effect.statistic) ?? 0);
  const p = numberOf(effect.p_value);
  const ofNormal = 1 - normalShare(statistic);
  const ofStudent = 1 - studentShare(statistic, sites.length - 1);
  if (p !== undefined && ofStudent - ofNormal > 1e-9)
    return Math.abs(p - ofNormal) < Math.abs(p - ofStudent);
  // Too far from 0, or too near: without the adjustment, the standard error is that of the weights.
  const between = numberOf(effect.tau_squared) ?? 0;
  const total = sites.reduce((sum, site) => sum + 1 / (site.error ** 2 + between), 0);
  return Math.abs(error ** 2 * total - 1) < 1e-6;
}

function siteRow({ label, estimate, error, weight }: Site, reach: number): ForestRow {
  const ends = {
    lower: bounded(estimate - reach * error),
    upper: bounded(estimate + reach * error),
  };
  return { label, estimate, ...ends, ...(weight === undefined ? {} : { weight }) };
}
