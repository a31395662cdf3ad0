/** Values as JSON has them: results and cards of other people, of which nothing is known before. */
export type Plain = null | boolean | number | string;
export type Json = Plain | Json[] | JsonRecord;
export interface JsonRecord {
  [name: string]: Json;
}

export function isRecord(value: Json | undefined): value is JsonRecord {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isPlain(value: Json | undefined): value is Plain {
  return value === null || ["boolean", "number", "string"].includes(typeof value);
}

/** A list of plain values, and at least one. */
export function isColumn(value: Json | undefined): value is Plain[] {
  return Array.isArray(value) && value.length > 0 && value.every(isPlain);
}

export function isMatrix(value: Json | undefined): value is Plain[][] {
  if (!Array.isArray(value) || value.length === 0 || !value.every(isColumn)) return false;
  return new Set(value.map((row) => row.length)).size === 1;
}

export function isRecordList(value: Json | undefined): value is JsonRecord[] {
  return Array.isArray(value) && value.length > 0 && value.every(isRecord);
}

/** Return an own entry of a record; never what its prototype has. */
export function entry(value: Json | undefined, name: string): Json | undefined {
  return isRecord(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Return a number that can be drawn; undefined for anything else. */
export function numberOf(value: Json | undefined): number | undefined {
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

/** Return a list with a number, or undefined, for each value; undefined if it is no list. */
export function numbersOf(value: Json | undefined): (number | undefined)[] | undefined {
  return isColumn(value) ? value.map(numberOf) : undefined;
}

/** Return the steps of a JSON Pointer. */
export function stepsOf(path: string): string[] {
  return path
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
}

export interface Place {
  value: Json;
  /** What the value is in. */
  above: Json;
}

/** Return a part of a result with what it is in; null if there is no such part. */
export function findAt(whole: Json, steps: readonly string[]): Place | null {
  let place: Place = { value: whole, above: null };
  for (const step of steps) {
    const { value } = place;
    const next =
      Array.isArray(value) && /^\d+$/.test(step) ? value[Number(step)] : entry(value, step);
    if (next === undefined) return null;
    place = { value: next, above: value };
  }
  return place;
}

/** The default of the deepest part that is read, against documents made to exhaust the stack. */
const DEEPEST = 500;

/** Tell whether a document is too deep to be drawn part by part. */
export function isDeep(value: Json, most = DEEPEST): boolean {
  let level: Json[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > most) return true;
    level = level.flatMap((one) => inside(one).filter((each) => !isPlain(each)));
  }
  return false;
}

/** Tell whether a document has more than so many values, counted as far as that only. */
export function isLarge(value: Json, most: number): boolean {
  const left: Json[] = [value];
  let count = 1;
  for (let one = left.pop(); one !== undefined; one = left.pop()) {
    const parts = inside(one);
    count += parts.length;
    if (count > most) return true;
    for (const part of parts) if (!isPlain(part)) left.push(part);
  }
  return false;
}

function inside(value: Json): Json[] {
  if (isPlain(value)) return [];
  return Array.isArray(value) ? value : Object.values(value);
}
