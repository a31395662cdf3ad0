import { flat, NotShown, type Cell } from "./blocks";
import { isColumn, isPlain, isRecord, type Json, type JsonRecord } from "./json";
import { formatCell } from "./numbers";

/** What stands beside the parts of a result that are drawn. */
export interface Beside {
  warnings: string[];
  facts: [string, Cell][];
  /** Names of the parts that only the JSON shows. */
  others: string[];
}

/** Where a result says what a reader of it has to know. */
const WARNINGS = ["warnings", "excluded"];
/** So many values of a list stand in one line. */
const MOST_VALUES = 5;

/** Return what stands beside the parts at these places: warnings, facts, and other names. */
export function besideOf(result: Json, paths: readonly string[][]): Beside {
  const found: Beside = { warnings: [], facts: [], others: [] };
  const path = paths[0] ?? [];
  let value: Json | undefined = result;
  for (const [depth, step] of path.entries()) {
    if (!isRecord(value)) break;
    const shown = new Set(
      paths
        .filter((one) => isSame(one.slice(0, depth), path.slice(0, depth)))
        .map((one) => one[depth]),
    );
    for (const [name, one] of Object.entries(value)) if (!shown.has(name)) add(found, name, one);
    value = Object.hasOwn(value, step) ? value[step] : undefined;
  }
  return found;
}

function add(found: Beside, name: string, value: Json): void {
  const inner = isRecord(value) ? value : { [name]: value };
  for (const key of WARNINGS) {
    const told = inner[key];
    if (Array.isArray(told)) for (const one of told) found.warnings.push(warningOf(one));
  }
  const entries = Object.entries(inner);
  const lines = Object.fromEntries(entries.filter(([, one]) => isLine(one)));
  const facts = factsIn(inner === value ? { [name]: lines } : lines);
  for (const [key, one] of facts ?? []) if (one !== null) found.facts.push([key, one]);
  const left = entries.filter(([key, one]) => !isLine(one) && !WARNINGS.includes(key));
  if (!facts || left.some(([, one]) => hasContent(one))) found.others.push(name);
}

/** Return lines with their names; null where the names are too long. */
function factsIn(lines: JsonRecord): Map<string, Cell> | null {
  try {
    return flat(lines);
  } catch (error) {
    if (error instanceof NotShown) return null;
    throw error;
  }
}

function warningOf(value: Json): string {
  if (!isRecord(value)) return isPlain(value) ? formatCell(value) : JSON.stringify(value);
  const { organization, message, code } = value;
  const said = message || code || null;
  const about =
    isPlain(organization) && organization !== null ? `organization ${organization}: ` : "";
  return formatCell(about + (isPlain(said) ? String(said ?? "-") : JSON.stringify(said)));
}

/** Tell whether a value, or a short list of them, stands in one line. */
function isLine(value: Json): boolean {
  return isPlain(value) || (isColumn(value) && value.length <= MOST_VALUES);
}

function hasContent(value: Json): boolean {
  if (Array.isArray(value)) return value.length > 0;
  return isRecord(value) ? Object.keys(value).length > 0 : Boolean(value);
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((step, at) => step === other[at]);
}
