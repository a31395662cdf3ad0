import { bounded, niceTicks, ratioTicks } from "../numbers";

/** Where values lie on an axis, and the round numbers on it. */
export interface Scale {
  at: (value: number) => number;
  ticks: number[];
}

/** The least length of an axis: one that is shorter has no two places. */
const SHORTEST = 1e-290;
/** Beyond, nothing is seen; browsers draw no numbers of 300 digits. */
const OUTSIDE = 1e5;

export function linearScale(
  domain: [number, number],
  range: [number, number],
  wanted?: number,
): Scale {
  const [least, most] = lengthened(bounded(domain[0]), bounded(domain[1]));
  const size = (range[1] - range[0]) / (most - least);
  return {
    at: (value) => bounded(range[0] + (bounded(value) - least) * size, -OUTSIDE, OUTSIDE),
    ticks: niceTicks(least, most, wanted),
  };
}

function lengthened(least: number, most: number): [number, number] {
  if (most - least > Math.max(SHORTEST, Math.abs(least) * Number.EPSILON)) return [least, most];
  const more = Math.max(1, Math.abs(least) / 1000);
  return [least - more, least + more];
}

/** Ratios that are drawn lie between these. */
const RATIOS = [1e-300, 1e300] as const;

/** A scale of ratios, on which 2 is as far from 1 as 0.5 is. */
export function logScale(
  domain: [number, number],
  range: [number, number],
  wanted?: number,
): Scale {
  const [low, high] = domain.map((end) => bounded(end, ...RATIOS)) as [number, number];
  const [least, most] = high / low > 1 + 1e-9 ? [low, high] : [low / 2, low * 2];
  const start = Math.log(least);
  const size = (range[1] - range[0]) / (Math.log(most) - start);
  const logOf = (value: number) => Math.log(bounded(value, ...RATIOS));
  return {
    at: (value) => bounded(range[0] + (logOf(value) - start) * size, -OUTSIDE, OUTSIDE),
    ticks: ratioTicks(least, most, wanted),
  };
}

/** Return the least and the largest of some numbers, with a part of their distance at each end. */
export function widened(values: readonly number[], share = 0.04): [number, number] {
  const ends = values.map((one) => bounded(one));
  const least = ends.reduce((one, other) => Math.min(one, other), ends[0] ?? 0);
  const most = ends.reduce((one, other) => Math.max(one, other), ends[0] ?? 0);
  const more = (most - least) * share;
  return [least - more, most + more];
}

/** Width of a letter of a chart, on average and rather too large. */
export const LETTER = 7;

/** Return a text that fits into a width. */
export function shortened(text: string, width: number): string {
  const most = Math.max(3, Math.floor(width / LETTER));
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** Return a path through points, with gaps; two digits are exact enough for a screen. */
export function pathOf(points: readonly ([number, number] | undefined)[]): string {
  const steps = points.map((point, at) => {
    if (!point) return "";
    const [x, y] = point;
    return `${points[at - 1] ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`;
  });
  return steps.join("");
}
