import { NotShown, type Block } from "../blocks";
import { MOST_COUNT_COLUMNS } from "../bounds";
import { entry, isColumn, isMatrix, isRecord, numberOf, type Json } from "../json";
import { formatCell } from "../numbers";
import { restBlocks, without } from "./histogram";

export interface Counted {
  /** Undefined where it is masked. */
  count: number | undefined;
  atLeast: number | undefined;
}

export interface CrossTable {
  rowName: string;
  columnName: string;
  rowLevels: string[];
  columnLevels: string[];
  cells: Counted[][];
}

/** Return the counts of two columns; null where the value has another form. */
export function readCrossTable(value: Json): CrossTable | null {
  const counts = entry(value, "counts");
  if (!isMatrix(counts) || (counts[0]?.length ?? 0) > MOST_COUNT_COLUMNS) return null;
  const [rows, columns] = ["rows", "columns"].map((side) => entry(value, side));
  const [rowLevels, columnLevels] = [rows, columns].map((side) => entry(side, "levels"));
  if (!isColumn(rowLevels) || rowLevels.length !== counts.length) return null;
  if (!isColumn(columnLevels) || columnLevels.length !== counts[0]?.length) return null;
  const least = entry(value, "at_least");
  const known = isMatrix(least) ? least : null;
  return {
    rowName: formatCell(textOf(entry(rows, "column"))),
    columnName: formatCell(textOf(entry(columns, "column"))),
    rowLevels: rowLevels.map(formatCell),
    columnLevels: columnLevels.map(formatCell),
    cells: counts.map((row, at) =>
      row.map((count, place) => ({
        count: numberOf(count),
        atLeast: known ? numberOf(known[at]?.[place]) : undefined,
      })),
    ),
  };
}

function textOf(value: Json | undefined): string {
  return typeof value === "string" ? value : "";
}

/** Return what a cross table has beside its counts: tests, and where cells are masked. */
export function crossTableBlocks(value: Json): Block[] {
  if (!isRecord(value) || !readCrossTable(value)) throw new NotShown();
  return restBlocks(without(value, ["rows", "columns", "counts", "at_least"]));
}
