import { withPercent } from "../blocks";
import { MOST_CELLS, MOST_COLUMNS, MOST_PICTURES } from "../bounds";
import { entry, isRecord, isRecordList, numberOf, type Json, type JsonRecord } from "../json";
import { formatCell, formatNumber } from "../numbers";

/** A description of columns, for all records or for one group of them. */
interface Group {
  label: string;
  columns: JsonRecord;
}

export interface TableOne {
  groups: string[];
  /** A name of a row with one text for each group; `isLevel` where it is a level of the row above. */
  rows: { label: string; isLevel: boolean; cells: (string | null)[] }[];
}

export interface Box {
  label: string;
  low: number;
  first: number;
  median: number;
  third: number;
  high: number;
}

export interface Boxes {
  column: string;
  boxes: Box[];
  /** The quantiles at which the whiskers end. */
  whiskers: [number, number];
}

function readGroups(value: Json): Group[] | null {
  if (isRecord(value)) return areDescriptions(value) ? [{ label: "", columns: value }] : null;
  if (!isRecordList(value) || value.length > MOST_COLUMNS) return null;
  const groups = value.map(({ level, columns }) => ({
    label: formatLevel(level),
    columns: columns ?? null,
  }));
  const known = groups.filter((one): one is Group => areDescriptions(one.columns));
  return known.length === value.length ? known : null;
}

function formatLevel(level: Json | undefined): string {
  return typeof level === "string" || typeof level === "number" ? formatCell(level) : "-";
}

function areDescriptions(value: Json): value is JsonRecord {
  if (!isRecord(value)) return false;
  const parts = Object.values(value);
  return (
    parts.length > 0 &&
    parts.every((one) => ["numeric", "categorical"].includes(String(entry(one, "kind"))))
  );
}

/** Return a description of groups as papers print it; null where the value has another form. */
export function readTableOne(value: Json): TableOne | null {
  const groups = readGroups(value);
  if (!groups) return null;
  const names = [...new Set(groups.flatMap((one) => Object.keys(one.columns)))];
  // SECURITY: each name has a cell for each group, and each level has one.
  if (names.length * groups.length > MOST_CELLS) return null;
  const rows = names.flatMap((name) =>
    rowsOf(
      name,
      groups.map((one) => entry(one.columns, name)),
    ),
  );
  return { groups: groups.map((one) => one.label), rows };
}

function rowsOf(name: string, parts: (Json | undefined)[]): TableOne["rows"] {
  const label = formatCell(name);
  const counts = parts.map((one) => countsOf(one));
  const rows: TableOne["rows"] = [{ label, isLevel: false, cells: counts }];
  if (parts.some((one) => entry(one, "kind") === "numeric")) {
    rows.push({ label: "mean (sd)", isLevel: true, cells: parts.map(meanOf) });
    const medians = parts.map(medianOf);
    if (medians.some((one) => one !== null))
      rows.push({ label: "median [0.25; 0.75]", isLevel: true, cells: medians });
  }
  const levels = parts.map(levelsOf);
  for (const level of new Set(levels.flatMap((one) => [...one.keys()])))
    rows.push({ label: level, isLevel: true, cells: levels.map((one) => one.get(level) ?? null) });
  return rows;
}

function countsOf(part: Json | undefined): string | null {
  if (part === undefined) return null;
  const missing = entry(part, "missing");
  const absent = missing === 0 ? "" : `, missing ${numberText(missing)}`;
  return `n ${numberText(entry(part, "n"))}${absent}`;
}

function numberText(value: Json | undefined, digits?: number): string {
  const known = numberOf(value);
  return known === undefined ? "masked" : formatNumber(known, digits);
}

const SHORT = 4;

/** A mean needs one value, a standard deviation two: with fewer they are not masked, there is none. */
function meanOf(part: Json | undefined): string | null {
  if (entry(part, "kind") !== "numeric") return null;
  const n = numberOf(entry(part, "n")) ?? Infinity;
  if (n < 1) return null;
  const deviation = n < 2 ? "-" : numberText(entry(part, "sd"), SHORT);
  return `${numberText(entry(part, "mean"), SHORT)} (${deviation})`;
}

function quantileOf(part: Json | undefined, p: number): number | undefined {
  const all = entry(part, "quantiles");
  const found = isRecordList(all) ? all.find((one) => one.p === p) : undefined;
  return numberOf(found?.value);
}

function medianOf(part: Json | undefined): string | null {
  const [median, first, third] = [0.5, 0.25, 0.75].map((p) => quantileOf(part, p));
  if (median === undefined) return null;
  const [a, b] = [first, third].map((one) =>
    one === undefined ? "masked" : formatNumber(one, SHORT),
  );
  return `${formatNumber(median, SHORT)} [${a}; ${b}]`;
}

function levelsOf(part: Json | undefined): Map<string, string> {
  const levels = entry(part, "levels");
  if (!isRecordList(levels)) return new Map();
  const cells = levels.map((one) => [formatLevel(one.level), numberOf(one.count) ?? null]);
  return new Map(
    withPercent(cells).map(([level, count, percent]) => [
      String(level),
      count === null
        ? "masked"
        : `${formatCell(count)}${percent === null ? "" : ` (${formatCell(percent)} %)`}`,
    ]),
  );
}

/** Return the boxes of each numeric column whose quartiles are known. */
export function readBoxes(value: Json): Boxes[] {
  const groups = readGroups(value) ?? [];
  const names = [...new Set(groups.flatMap((one) => Object.keys(one.columns)))];
  return names.slice(0, MOST_PICTURES).flatMap((column) => {
    const parts = groups.map((one) => ({ label: one.label, part: entry(one.columns, column) }));
    const whiskers = WHISKERS.find((ends) =>
      parts.every(({ part }) => ends.every((p) => quantileOf(part, p) !== undefined)),
    );
    const boxes = parts.flatMap(({ label, part }) =>
      whiskers ? boxOf(label, part, whiskers) : [],
    );
    return whiskers && boxes.length ? [{ column: formatCell(column), boxes, whiskers }] : [];
  });
}

/** Extremes are of single persons: whiskers end at quantiles. */
const WHISKERS: [number, number][] = [
  [0.05, 0.95],
  [0.1, 0.9],
  [0.25, 0.75],
];

function boxOf(label: string, part: Json | undefined, [from, to]: [number, number]): Box[] {
  const [low, first, median, third, high] = [from, 0.25, 0.5, 0.75, to].map((p) =>
    quantileOf(part, p),
  );
  if (low === undefined || first === undefined || median === undefined) return [];
  if (third === undefined || high === undefined) return [];
  return [{ label, low, first, median, third, high }];
}
