import { useMemo, useState } from "preact/hooks";
import { t } from "../language";
import type { Cell } from "./blocks";
import { MOST_ROWS } from "./bounds";
import { clipboardText, csvOf, saveFile } from "./files";
import { formatCell } from "./numbers";

interface Props {
  title: string;
  header: string[];
  rows: Cell[][];
  /** What an empty cell of a column says; `-` otherwise. */
  absent?: ReadonlyMap<number, string>;
}

type Order = { column: number; direction: 1 | -1 } | null;

/** A table of a result: sorted by a click on a heading, copied, or kept as CSV. */
export function ResultTable({ title, header, rows, absent }: Props) {
  const [order, setOrder] = useState<Order>(null);
  const [said, setSaid] = useState("");
  const sorted = useMemo(() => (order ? rows.toSorted(comparing(order)) : rows), [rows, order]);
  const name = title || t("views.table");
  const text = (cell: Cell | undefined, column: number) =>
    cell === null && absent?.has(column) ? (absent.get(column) ?? "-") : formatCell(cell);

  async function copy() {
    try {
      const cells = sorted.map((row) => row.map(text));
      await navigator.clipboard.writeText(clipboardText(header, cells));
      setSaid(t("views.copied"));
    } catch {
      setSaid(t("views.copy_failed"));
    }
  }
  function sortBy(column: number) {
    const isAgain = order?.column === column && order.direction === 1;
    setOrder({ column, direction: isAgain ? -1 : 1 });
  }
  const numeric = header.map((_, column) => rows.every((row) => isNumberOrNothing(row[column])));
  return (
    <div class="result-table">
      <div class="table-head">
        <span class="chart-title">{title}</span>
        <span class="chart-tools">
          <button
            type="button"
            class="plain small"
            aria-label={t("views.copy_table", { name })}
            onClick={copy}
          >
            {t("views.copy")}
          </button>
          <button
            type="button"
            class="plain small"
            aria-label={t("views.save_table", { name })}
            onClick={() => saveFile(csvOf(header, sorted), `${name}.csv`)}
          >
            {t("views.csv")}
          </button>
          <span role="status">{said}</span>
        </span>
      </div>
      <div class="scroll" role="group" aria-label={name} tabIndex={0}>
        <table>
          <thead>
            <tr>
              {header.map((one, column) => (
                <th
                  key={column}
                  scope="col"
                  class={numeric[column] ? "number" : undefined}
                  aria-sort={sortOf(order, column)}
                >
                  {one ? (
                    <button type="button" class="order" onClick={() => sortBy(column)}>
                      {one}
                      <span aria-hidden="true">{arrowOf(order, column)}</span>
                    </button>
                  ) : (
                    <span class="hidden">{name}</span>
                  )}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {sorted.slice(0, MOST_ROWS).map((row, at) => (
              <tr key={at}>
                {row.map((cell, column) => (
                  <td key={column} class={numeric[column] ? "number" : undefined}>
                    {text(cell, column)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > MOST_ROWS && (
        <p class="chart-note">{t("views.rows_first", { shown: MOST_ROWS, count: rows.length })}</p>
      )}
    </div>
  );
}

function isNumberOrNothing(cell: Cell | undefined): boolean {
  return cell === null || cell === undefined || typeof cell === "number";
}

function sortOf(order: Order, column: number): "ascending" | "descending" | undefined {
  if (order?.column !== column) return undefined;
  return order.direction === 1 ? "ascending" : "descending";
}

function arrowOf(order: Order, column: number): string {
  if (order?.column !== column) return "";
  return order.direction === 1 ? " ▲" : " ▼";
}

/** Numbers come by size, then texts as people order them; what is absent comes last. */
function comparing({
  column,
  direction,
}: NonNullable<Order>): (one: Cell[], other: Cell[]) => number {
  return (one, other) => {
    const [a, b] = [one[column] ?? null, other[column] ?? null];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    if (typeof a === "number" && typeof b === "number") return (a - b) * direction;
    return formatCell(a).localeCompare(formatCell(b), undefined, { numeric: true }) * direction;
  };
}
