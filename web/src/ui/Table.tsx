import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import { t } from "../language";
import { Empty } from "./Loading";

export interface Column<Row> {
  key: string;
  head: string;
  cell: (row: Row) => ComponentChildren;
  /** What the reader may sort the rows by; without it the column has no sort button. */
  order?: (row: Row) => string | number | null | undefined;
  isNumber?: boolean;
}

/** Rows that the reader ticked, by key. */
export interface Selection<Row> {
  keys: ReadonlySet<string | number>;
  change: (keys: ReadonlySet<string | number>) => void;
  /** The name of a row, for the label of its box. */
  nameOf: (row: Row) => string;
}

interface Props<Row> {
  caption: string;
  /** Whether the caption is drawn; screen readers read it in any case. */
  showCaption?: boolean;
  columns: Column<Row>[];
  rows: Row[];
  keyOf: (row: Row) => string | number;
  /** The sentence that stands instead of a table without rows. */
  empty?: string;
  selection?: Selection<Row> | undefined;
}

interface Order {
  key: string;
  isDown: boolean;
}

/** A table that scrolls sideways where it is too wide, and sorts the rows that it was given. */
export function Table<Row>({
  caption,
  showCaption,
  columns,
  rows,
  keyOf,
  empty,
  selection,
}: Props<Row>) {
  const [order, setOrder] = useState<Order | null>(null);
  const sorted = useMemo(() => sortRows(rows, columns, order), [rows, columns, order]);
  if (rows.length === 0) return <Empty text={empty ?? t("table.empty")} />;
  return (
    <div class="scroll" role="region" aria-label={t("table.scroll", { caption })} tabIndex={0}>
      <table>
        <caption class={showCaption ? undefined : "hidden"}>{caption}</caption>
        <thead>
          <tr>
            {selection && (
              <th scope="col" class="tick">
                <SelectAll rows={rows} keyOf={keyOf} selection={selection} />
              </th>
            )}
            {columns.map((column) => (
              <Head key={column.key} column={column} order={order} change={setOrder} />
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map((row) => (
            <tr key={keyOf(row)}>
              {selection && (
                <td class="tick">
                  <input
                    type="checkbox"
                    aria-label={t("table.select", { name: selection.nameOf(row) })}
                    checked={selection.keys.has(keyOf(row))}
                    onChange={() => selection.change(toggle(selection.keys, keyOf(row)))}
                  />
                </td>
              )}
              {columns.map((column) => (
                <td key={column.key} class={column.isNumber ? "number" : undefined}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface HeadProps<Row> {
  column: Column<Row>;
  order: Order | null;
  change: (order: Order) => void;
}

function Head<Row>({ column, order, change }: HeadProps<Row>) {
  const isSorted = order?.key === column.key;
  const kind = column.isNumber ? "number" : undefined;
  if (!column.order)
    return (
      <th scope="col" class={kind}>
        {column.head}
      </th>
    );
  return (
    <th
      scope="col"
      class={kind}
      aria-sort={isSorted ? (order.isDown ? "descending" : "ascending") : "none"}
    >
      <button
        type="button"
        class="sort"
        onClick={() => change({ key: column.key, isDown: isSorted && !order.isDown })}
      >
        {column.head}
        <svg viewBox="0 0 16 16" aria-hidden="true">
          {(!isSorted || !order.isDown) && <path d="M8 2 12 7H4z" />}
          {(!isSorted || order.isDown) && <path d="M8 14 4 9h8z" />}
        </svg>
      </button>
    </th>
  );
}

function SelectAll<Row>({
  rows,
  keyOf,
  selection,
}: Pick<Props<Row>, "rows" | "keyOf"> & { selection: Selection<Row> }) {
  const keys = rows.map(keyOf);
  const count = keys.filter((key) => selection.keys.has(key)).length;
  return (
    <input
      type="checkbox"
      aria-label={t("table.select_all")}
      checked={count === keys.length}
      indeterminate={count > 0 && count < keys.length}
      onChange={() => selection.change(new Set(count === keys.length ? [] : keys))}
    />
  );
}

function toggle(keys: ReadonlySet<string | number>, key: string | number): Set<string | number> {
  const changed = new Set(keys);
  if (!changed.delete(key)) changed.add(key);
  return changed;
}

/** Return the rows in an order; equal ones stay as they were, missing values come last. */
export function sortRows<Row>(rows: Row[], columns: Column<Row>[], order: Order | null): Row[] {
  const value = columns.find(({ key }) => key === order?.key)?.order;
  if (!value || !order) return rows;
  return [...rows].sort((left, right) => {
    const [a, b] = [value(left), value(right)];
    if (a == null || b == null) return Number(a == null) - Number(b == null);
    const found =
      typeof a === "number" && typeof b === "number"
        ? a - b
        : String(a).localeCompare(String(b), undefined, { numeric: true });
    return order.isDown ? -found : found;
  });
}
