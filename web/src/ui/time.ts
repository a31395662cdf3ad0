import { language, t } from "../language";

/** Return a moment as date and time of the reader, or "never". */
export function moment(at: string | null | undefined): string {
  if (!at) return t("time.never");
  const when = new Date(at);
  if (Number.isNaN(when.getTime())) return at;
  return formatOf(language.value).format(when);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Return the format of a language; making one takes longer than drawing a row of a table. */
function formatOf(name: string): Intl.DateTimeFormat {
  const known = formats.get(name);
  if (known) return known;
  const made = new Intl.DateTimeFormat(name, { dateStyle: "medium", timeStyle: "short" });
  formats.set(name, made);
  return made;
}

/** Return how long ago a moment was, in the largest unit that fits: "3 minutes ago". */
export function ago(at: string | null | undefined, now: number = Date.now()): string {
  if (!at) return t("time.never");
  const seconds = (new Date(at).getTime() - now) / 1000;
  const format = new Intl.RelativeTimeFormat(language.value, { numeric: "auto" });
  for (const [unit, size] of UNITS)
    if (Math.abs(seconds) >= size || size === 1)
      return format.format(Math.round(seconds / size), unit);
  return moment(at);
}

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86400],
  ["hour", 3600],
  ["minute", 60],
  ["second", 1],
];

/** Return a length of time such as "1 h 05 min" or "12 s", or "" where an end is missing. */
export function span(from: string | null | undefined, till: string | null | undefined): string {
  if (!from || !till) return "";
  const seconds = Math.max(0, Math.round((Date.parse(till) - Date.parse(from)) / 1000));
  if (Number.isNaN(seconds)) return "";
  const two = (count: number) => String(count).padStart(2, "0");
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  return `${Math.floor(seconds / 3600)} h ${two(Math.floor((seconds % 3600) / 60))} min`;
}
