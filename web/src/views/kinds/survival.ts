import { MOST_CURVES, MOST_MARKS } from "../bounds";
import { entry, isRecordList, numberOf, numbersOf, type Json } from "../json";

export interface Point {
  time: number;
  survival: number;
  lower: number | undefined;
  upper: number | undefined;
  /** At risk just before, and just after. */
  before: number | undefined;
  after: number | undefined;
}

export interface Curve {
  label: string;
  n: number | undefined;
  points: Point[];
  median: number | undefined;
}

export interface Survival {
  curves: Curve[];
  /** Points are ends of intervals, between which nothing is known. */
  isLifeTable: boolean;
  until: number;
}

/** Return what a picture of survival curves needs; null where the curves have another form. */
export function readSurvival(value: Json, above: Json): Survival | null {
  if (!isRecordList(value) || value.length > MOST_CURVES) return null;
  const curves = value.map(readCurve).filter((one) => one !== null);
  if (curves.length !== value.length) return null;
  const isLifeTable = entry(above, "estimator") === "life_table";
  // Each of its points has a mark.
  if (isLifeTable && curves.some((one) => one.points.length > MOST_MARKS)) return null;
  const reported = numbersOf(entry(above, "times")) ?? [];
  const times = [...reported, ...curves.flatMap((one) => one.points.map((point) => point.time))];
  const until = times.reduce<number>((most, one) => Math.max(most, one ?? 0), 0);
  if (!(until > 0)) return null;
  return { curves, until, isLifeTable };
}

function readCurve(value: Json): Curve | null {
  const rows = entry(value, "rows");
  const read = (name: string) => numbersOf(entry(rows, name));
  const times = read("time");
  const survival = read("survival");
  if (!times || survival?.length !== times.length) return null;
  const [lower, upper, risk, events, censored] = [
    "lower",
    "upper",
    "at_risk",
    "events",
    "censored",
  ].map(read);
  const points: Point[] = [];
  for (const [at, time] of times.entries()) {
    const height = survival[at];
    // Within an interval of a life table a given time has no numbers.
    if (time === undefined || height === undefined || height < 0 || height > 1) continue;
    const before = risk?.[at];
    const left = (before ?? NaN) - (events?.[at] ?? NaN) - (censored?.[at] ?? NaN);
    const after = Number.isNaN(left) ? undefined : left;
    points.push({ time, survival: height, lower: lower?.[at], upper: upper?.[at], before, after });
  }
  points.sort((one, other) => one.time - other.time);
  const level = entry(value, "level");
  return {
    label: level === null || level === undefined ? "" : String(level),
    n: numberOf(entry(value, "n")),
    points,
    median: numberOf(entry(entry(value, "median"), "estimate")),
  };
}

/**
 * Return how many are at risk at a time, as text: a number, or between which reported times it lies.
 *
 * Only times with events are reported, so that between two of them records may have left.
 */
export function atRisk(curve: Curve, time: number, isLifeTable: boolean): string {
  if (time <= 0) return String(curve.n ?? curve.points[0]?.before ?? "-");
  const here = curve.points.find((one) => one.time === time);
  if (here) return String((isLifeTable ? here.after : here.before) ?? "-");
  const next = curve.points.find((one) => one.time > time)?.before;
  const last = curve.points.findLast((one) => one.time < time);
  const most = last ? last.after : curve.n;
  if (next === undefined) return most === undefined ? "-" : most === 0 ? "0" : `≤ ${most}`;
  return next === most ? String(next) : `≥ ${next}`;
}

/** Return the corners of a curve, from the start on. */
export function cornersOf(
  points: readonly { time: number; height: number }[],
  isLifeTable: boolean,
): [number, number][] {
  const corners: [number, number][] = [[0, 1]];
  for (const { time, height } of points) {
    const before = corners.at(-1)?.[1] ?? 1;
    if (!isLifeTable) corners.push([time, before]);
    corners.push([time, height]);
  }
  return corners;
}
