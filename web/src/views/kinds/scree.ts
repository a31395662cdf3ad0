import { NotShown, ofMatrix, tableOf, type Block } from "../blocks";
import { MOST_COLUMNS, MOST_MARKS } from "../bounds";
import { entry, isColumn, isMatrix, numbersOf, type Json } from "../json";

/** Return the share of variance of each component; null where the value has another form. */
export function readScree(value: Json): number[] | null {
  const shares = numbersOf(entry(value, "variance_share"));
  if (!shares || shares.length > MOST_MARKS) return null;
  if (!shares.every((one) => one !== undefined && one >= 0 && one <= 1.000001)) return null;
  return shares.filter((one) => one !== undefined);
}

/** Return shares and loadings as tables, as the command line prints them. */
export function screeBlocks(value: Json): Block[] {
  const shares = entry(value, "variance_share");
  const deviations = entry(value, "standard_deviations");
  if (!isColumn(shares) || !isColumn(deviations) || shares.length !== deviations.length)
    throw new NotShown();
  const rows = shares.map((share, at) => [String(at + 1), share, deviations[at] ?? null]);
  const found = [tableOf("", ["component", "variance_share", "standard_deviation"], rows)];
  const loadings = entry(value, "loadings");
  const columns = entry(value, "columns");
  if (!isMatrix(loadings) || !isColumn(columns) || loadings.length !== columns.length) return found;
  if (loadings[0]?.length !== shares.length || shares.length >= MOST_COLUMNS) return found;
  const matrix = ofMatrix(
    loadings.map((row, at) => [columns[at] ?? null, ...row]),
    undefined,
  );
  if (matrix.kind !== "table") return found;
  return [
    ...found,
    tableOf("", ["loadings", ...shares.map((_, at) => String(at + 1))], matrix.rows),
  ];
}
