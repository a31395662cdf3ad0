import { niceTicks, ratioTicks } from "../numbers";

/** Where values lie on an axis, and the round numbers on it. */
export interface Scale {
  at: (value: number) => number;
  ticks: number[];
}

export function linearScale(
  domain: [number, number],
  range: [number, number],
  wanted?: number,
): Scale {
  const [least, most] = domain[0] < domain[1] ? domain : [domain[0] - 1, domain[0] + 1];
  const size = (range[1] - range[0]) / (most - least);
  return {
    at: (value) => range[0] + (value - least) * size,
    ticks: niceTicks(least, most, wanted),
  };
}

/** A scale of ratios, on which 2 is as far from 1 as 0.5 is. */
export function logScale(
  domain: [number, number],
  range: [number, number],
  wanted?: number,
): Scale {
  const [least, most] = domain[0] < domain[1] ? domain : [domain[0] / 2, domain[0] * 2];
  const size = (range[1] - range[0]) / Math.log(most / least);
  return {
    at: (value) => range[0] + Math.log(value / least) * size,
    ticks: ratioTicks(least, most, wanted),
  };
}

/** Return the least and the largest of some numbers, with a part of their distance at each end. */
export function widened(values: readonly number[], share = 0.04): [number, number] {
  const least = values.reduce((one, other) => Math.min(one, other), Infinity);
  const most = values.reduce((one, other) => Math.max(one, other), -Infinity);
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

/** Return a path through points; numbers with two digits are exact enough for a screen. */
export function pathOf(points: readonly [number, number][]): string {
  return points.map(([x, y], at) => `${at ? "L" : "M"}${x.toFixed(2)} ${y.toFixed(2)}`).join("");
}
