import { plainLine } from "../ui/plain";
import type { Plain } from "./json";

/** Digits of numbers in a table, as the command line shows them. */
const DIGITS = 6;
const MOST_LETTERS = 400;

/** Return a number with at most so many digits, as Python's `g` writes it; whole numbers in full. */
export function formatNumber(value: number, digits = DIGITS): string {
  if (Number.isSafeInteger(value)) return String(value);
  if (!Number.isFinite(value)) return String(value);
  const [mantissa = "", power = ""] = value.toExponential(digits - 1).split("e");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= digits) {
    const sign = exponent < 0 ? "-" : "+";
    return `${withoutZeros(mantissa)}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  return withoutZeros(value.toFixed(digits - 1 - exponent));
}

function withoutZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** Return what stands in a cell for a value, or for a list of them; `-` where there is none. */
export function formatCell(value: Plain | Plain[] | undefined): string {
  if (value === null || value === undefined) return "-";
  if (typeof value === "number") return formatNumber(value);
  if (Array.isArray(value)) return value.map(formatCell).join(", ").slice(0, MOST_LETTERS);
  const said = plainLine(String(value));
  return said.length <= MOST_LETTERS ? said : `${said.slice(0, MOST_LETTERS)}...`;
}

/** Return a p-value as papers print it. */
export function formatP(value: number): string {
  return value < 0.001 ? "< 0.001" : value.toFixed(3);
}

/** What is drawn lies between, so that no difference, sum or power of ten is infinite. */
const LARGEST = 1e300;

/** Return a number that can be drawn: the nearest one between two; the first for what is none. */
export function bounded(value: number, least = -LARGEST, most = LARGEST): number {
  if (!(value > least)) return least;
  return value < most ? value : most;
}

/** Return about so many round numbers from the least to the largest. */
export function niceTicks(least: number, most: number, wanted = 5): number[] {
  if (!(most > least)) return [bounded(least)];
  if (!Number.isFinite(most - least)) return [least, most].map((end) => bounded(end));
  const rough = (most - least) / Math.max(1, wanted);
  const size = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((one) => one * size >= rough) ?? 10) * size;
  const first = Math.ceil(least / step - 1e-9);
  const last = Math.floor(most / step + 1e-9);
  if (!Number.isFinite(first) || !Number.isFinite(last) || last - first > 100) return [least, most];
  const digits = Math.max(0, -Math.floor(Math.log10(step)));
  return Array.from({ length: last - first + 1 }, (_, at) =>
    Number(((first + at) * step).toFixed(Math.min(20, digits))),
  );
}

/** Return round numbers for an axis of ratios: powers of ten, with 2 and 5 where there is room. */
export function ratioTicks(least: number, most: number, wanted = 6): number[] {
  if (!(least > 0 && Number.isFinite(most))) return [least, most].map((end) => bounded(end));
  const low = Math.floor(Math.log10(least));
  const high = Math.ceil(Math.log10(most));
  const between = (digits: number[], every: number) => {
    const found: number[] = [];
    for (let power = low; power <= high; power += every)
      for (const digit of digits) found.push(Number(`${digit}e${power}`));
    return found.filter((one) => one >= least && one <= most);
  };
  const fine = between([1, 2, 5], 1);
  if (fine.length <= wanted) return fine.length > 1 ? fine : niceTicks(least, most, 4);
  const every = Math.max(1, Math.ceil((high - low) / wanted));
  const coarse = between([1], every);
  return coarse.length > 1 ? coarse : fine;
}
