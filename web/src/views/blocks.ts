import {
  entry,
  isColumn,
  isMatrix,
  isPlain,
  isRecord,
  isRecordList,
  type Json,
  type JsonRecord,
  type Plain,
} from "./json";
import { plainLine } from "../ui/plain";
import { LONGEST_NAME, MOST_COLUMNS } from "./bounds";

/** What stands in a cell of a table. */
export type Cell = Plain | Plain[];

/** A part of a result that is written down, and not drawn. */
export type Block =
  | { kind: "table"; title: string; header: string[]; rows: Cell[][] }
  | { kind: "facts"; title: string; rows: [string, Cell][] }
  | { kind: "text"; title: string; text: string };

const DEEPEST = 5;

/** The value has not the form that its view needs; the reader of JSON shows it. */
export class NotShown extends Error {}

/** Return any value as tables and facts, in the order in which the command line prints them. */
export function blocksOf(value: Json, above: Json = null, title = "", depth = 0): Block[] {
  if (depth > DEEPEST) throw new NotShown();
  if (isRecord(value)) return ofRecord(value, title, depth);
  if (isRecordList(value)) return ofRecords(value.map(nameOf), value, title, depth, null);
  if (isMatrix(value)) return [ofMatrix(value, entry(above, "columns"), title)];
  if (Array.isArray(value) && (value.length === 0 || !value.every(isPlain))) throw new NotShown();
  return [isColumn(value) ? { kind: "facts", title, rows: [["", value]] } : textOf(value, title)];
}

function textOf(value: Json, title: string): Block {
  return typeof value === "string"
    ? { kind: "text", title, text: value }
    : { kind: "facts", title, rows: [["", isPlain(value) ? value : null]] };
}

/** Return plain entries as facts, lists of one length as a table, and others below. */
function ofRecord(value: JsonRecord, title: string, depth: number): Block[] {
  const entries = Object.values(value);
  if (entries.length > 1 && entries.every(isRecord))
    return ofRecords(Object.keys(value), entries, title, depth, "");
  const columns = columnsOf(value);
  const rest = Object.fromEntries(Object.entries(value).filter(([name]) => !columns.has(name)));
  const found: Block[] = [...factsOf(flat(rest), title)];
  if (columns.size > 0) {
    const lists = [...columns.values()];
    const rows = (lists[0] ?? []).map((_, at) => lists.map((list) => list[at] ?? null));
    found.push(tableOf(found.length ? "" : title, [...columns.keys()], rows));
  }
  for (const [name, one] of Object.entries(value))
    if (!columns.has(name) && isNested(one))
      add(found, blocksOf(one, value, `${name}:`, depth + 1));
  return found.length ? found : [{ kind: "facts", title, rows: [["", null]] }];
}

/** Return records as the rows of a table, and what is no cell of it below. */
function ofRecords(
  names: readonly string[],
  records: readonly JsonRecord[],
  title: string,
  depth: number,
  header: string | null,
): Block[] {
  const rows = records.map(flat);
  let columns = columnNames(rows);
  // SECURITY: before the cells are made, since each row has one for each column.
  if (columns.length > MOST_COLUMNS) throw new NotShown();
  let cells: Cell[][] = rows.map((row) => columns.map((name) => row.get(name) ?? null));
  if (columns.join() === "level,count") {
    columns = [...columns, "percent"];
    cells = withPercent(cells);
  }
  if (header !== null) {
    columns = [header, ...columns];
    cells = cells.map((row, at) => [names[at] ?? "", ...row]);
  }
  // A name alone stands above its parts.
  const isTold = columns.length > 1 || !records.some((one) => Object.values(one).some(isNested));
  const found: Block[] = columns.length > 0 && isTold ? [tableOf(title, columns, cells)] : [];
  records.forEach((record, at) => {
    for (const [name, one] of Object.entries(record))
      if (isNested(one)) add(found, blocksOf(one, record, `${names[at]}: ${name}`, depth + 1));
  });
  return found;
}

/** Return the names of the columns of rows; one without any value says nothing. */
function columnNames(rows: readonly ReadonlyMap<string, Cell>[]): string[] {
  const found = new Map<string, boolean>();
  for (const row of rows)
    for (const [name, cell] of row) found.set(name, found.get(name) || cell !== null);
  return [...found].flatMap(([name, hasValue]) => (hasValue ? [name] : []));
}

/** As arguments of one call, many blocks would exhaust the stack. */
function add(blocks: Block[], more: readonly Block[]): void {
  for (const one of more) blocks.push(one);
}

/** Return levels and counts with their share; a total with a hidden count is not known. */
export function withPercent(cells: readonly Cell[][]): Cell[][] {
  const counts = cells.map((row) => row[1]);
  const sum = counts.reduce<number>((all, one) => all + (typeof one === "number" ? one : NaN), 0);
  return cells.map((row, at) => {
    const count = counts[at];
    const isKnown = sum > 0 && typeof count === "number";
    return [...row, isKnown ? ((100 * count) / sum).toFixed(1) : null];
  });
}

export function ofMatrix(value: Plain[][], names: Json | undefined, title = ""): Block {
  const width = value[0]?.length ?? 0;
  const isNamed = isColumn(names) && names.length === value.length && names.length === width;
  if (!isNamed) return tableOf(title, Array<string>(width).fill(""), value);
  const header = names.map((name) => String(name));
  return tableOf(
    title,
    ["", ...header],
    value.map((row, at) => [header[at] ?? "", ...row]),
  );
}

/**
 * Return a table.
 *
 * @throws NotShown if it has too many columns to be read
 */
export function tableOf(title: string, header: string[], rows: Cell[][]): Block {
  if (header.length > MOST_COLUMNS) throw new NotShown();
  return { kind: "table", title: plainLine(title), header: header.map(plainLine), rows };
}

/** Return plain values with their names; those without a value are left out. */
export function factsOf(known: ReadonlyMap<string, Cell>, title = ""): Block[] {
  const rows = [...known].filter(([, one]) => one !== null);
  return rows.length
    ? [
        {
          kind: "facts",
          title: plainLine(title),
          rows: rows.map(([name, one]) => [plainLine(name), one]),
        },
      ]
    : [];
}

/**
 * Return what fits into one cell each; entries of records have both names.
 *
 * @throws NotShown if a name is too long to be read
 */
export function flat(value: JsonRecord): Map<string, Cell> {
  const found = new Map<string, Cell>();
  collect(found, "", value);
  return found;
}

function collect(found: Map<string, Cell>, before: string, value: JsonRecord): void {
  for (const [inner, one] of Object.entries(value)) {
    const name = before + inner;
    // SECURITY: each level has the names of all above it.
    if (name.length > LONGEST_NAME) throw new NotShown();
    if (isPlain(one) || isColumn(one)) found.set(name, one);
    else if (isRecord(one) && !isNested(one)) collect(found, `${name}.`, one);
  }
}

/** Return the lists of plain values in a record, if they make a table. */
function columnsOf(value: JsonRecord): Map<string, Plain[]> {
  const found = new Map<string, Plain[]>();
  for (const [name, one] of Object.entries(value)) if (isColumn(one)) found.set(name, one);
  const lengths = new Set([...found.values()].map((one) => one.length));
  return found.size > 1 && lengths.size === 1 ? found : new Map<string, Plain[]>();
}

/** SECURITY: every level asks for the levels below it; without these answers, all of them again. */
const known = new WeakMap<JsonRecord | Json[], boolean>();

/** Tell whether something is more than the cells of a row. */
export function isNested(value: Json): boolean {
  if (isPlain(value)) return false;
  const found = known.get(value) ?? (isRecord(value) ? hasParts(value) : !value.every(isPlain));
  known.set(value, found);
  return found;
}

function hasParts(value: JsonRecord): boolean {
  const rows = Object.values(value);
  const areRows = rows.length > 1 && rows.every(isRecord);
  return areRows || columnsOf(value).size > 0 || rows.some(isNested);
}

/** Return how a record is called below its table: by its first text. */
function nameOf(record: JsonRecord, number: number): string {
  const text = Object.values(record).find((one) => typeof one === "string");
  return typeof text === "string" ? text : String(number + 1);
}
