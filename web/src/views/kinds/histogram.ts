import {
  entry,
  isColumn,
  isRecord,
  numberOf,
  type Json,
  type JsonRecord,
  type Plain,
} from "../json";
import { blocksOf, NotShown, tableOf, type Block } from "../blocks";
import { MOST_MARKS } from "../bounds";

export interface Bar {
  from: number;
  to: number;
  /** Undefined where it is masked. */
  count: number | undefined;
  atLeast: number | undefined;
}

export interface Histogram {
  column: string;
  bars: Bar[];
  /** With intervals of several widths, areas are counts. */
  isDensity: boolean;
}

/** Return the bars of a histogram; null where the value has another form. */
export function readHistogram(value: Json): Histogram | null {
  const edges = entry(value, "edges");
  const counts = entry(value, "counts");
  if (!isColumn(edges) || !isColumn(counts) || edges.length !== counts.length + 1) return null;
  if (counts.length > MOST_MARKS) return null;
  const known = leastOf(value);
  const bars: Bar[] = [];
  for (const [at, count] of counts.entries()) {
    const from = numberOf(edges[at]);
    const to = numberOf(edges[at + 1]);
    if (from === undefined || to === undefined || to <= from) return null;
    bars.push({ from, to, count: numberOf(count), atLeast: numberOf(known?.[at]) });
  }
  const first = bars[0] ? bars[0].to - bars[0].from : 0;
  const isDensity = bars.some((one) => Math.abs(one.to - one.from - first) > first / 1000);
  return { column: String(entry(value, "column") ?? ""), bars, isDensity };
}

function leastOf(value: Json): Plain[] | undefined {
  const least = entry(entry(value, "at_least"), "counts");
  const counts = entry(value, "counts");
  return isColumn(least) && isColumn(counts) && least.length === counts.length ? least : undefined;
}

/** Return edges and counts as intervals, as the command line prints them. */
export function histogramBlocks(value: Json): Block[] {
  const edges = entry(value, "edges");
  const counts = entry(value, "counts");
  if (!isRecord(value) || !isColumn(edges) || !isColumn(counts)) throw new NotShown();
  if (edges.length !== counts.length + 1) throw new NotShown();
  const header = ["from", "to", "count"];
  const rows = counts.map((count, at) => [edges[at] ?? null, edges[at + 1] ?? null, count]);
  const rest = without(value, ["edges", "counts"]);
  const known = leastOf(value);
  if (known && known.some((one, at) => one !== counts[at])) {
    header.push("at_least");
    rows.forEach((row, at) => row.push(known[at] ?? null));
  }
  if (isColumn(entry(value, "at_least") && entry(entry(value, "at_least"), "counts")))
    delete rest.at_least;
  return [tableOf("", header, rows), ...restBlocks(rest)];
}

export function without(value: JsonRecord, names: readonly string[]): JsonRecord {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

/** Return what else a part has, without what is empty. */
export function restBlocks(value: JsonRecord): Block[] {
  const found = Object.entries(value).filter(([, one]) => one !== null && !isEmpty(one));
  return found.length ? blocksOf(Object.fromEntries(found), null, "", 1) : [];
}

function isEmpty(value: Json): boolean {
  return typeof value === "object" && value !== null && Object.keys(value).length === 0;
}
