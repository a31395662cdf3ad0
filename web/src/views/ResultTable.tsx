import { useMemo, useState } from "preact/hooks";
import { t } from "../language";
import type { Cell } from "./blocks";
import { MOST_ROWS } from "./bounds";
import { clipboardText, csvOf } from "./files";
import { formatCell } from "./numbers";
import { TableFrame } from "./TableFrame";

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
  const sorted = useMemo(() => (order ? rows.toSorted(comparing(order)) : rows), [rows, order]);
  const name = title || t("views.table");
  const text = (cell: Cell | undefined, column: number) =>
    cell === null && absent?.has(column) ? (absent.get(column) ?? "-") : formatCell(cell);

  function sortBy(column: number) {
    const isAgain = order?.column === column && order.direction === 1;
    setOrder({ column, direction: isAgain ? -1 : 1 });
  }
  const numeric = header.map((_, column) => rows.every((row) => isNumberOrNothing(row[column])));
  return (
    <TableFrame
      name={name}
      title={title}
      count={rows.length}
      csv={() => csvOf(header, sorted)}
      text={() => {
        const cells = sorted.map((row) => row.map(text));
        return clipboardText(header, cells);
      }}
      table={
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
      }
    />
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
