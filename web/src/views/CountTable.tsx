import { t } from "../language";
import type { Counted, CrossTable } from "./kinds/crossTable";
import { MOST_ROWS } from "./bounds";
import { clipboardText, csvOf } from "./files";
import { formatNumber } from "./numbers";
import { TableFrame } from "./TableFrame";

/** Counts of two columns; a masked count says so, and is never 0. */
export function CountTable({ table }: { table: CrossTable }) {
  const name = t("views.cross_table", { rows: table.rowName, columns: table.columnName });
  const isMasked = table.cells.some((row) => row.some((one) => one.count === undefined));
  const header = [`${table.rowName} / ${table.columnName}`, ...table.columnLevels];
  const lines = table.rowLevels.map((level, at) => [level, ...(table.cells[at] ?? []).map(textOf)]);

  return (
    <TableFrame
      name={name}
      title={name}
      count={lines.length}
      csv={() => csvOf(header, lines)}
      text={() => clipboardText(header, lines)}
      table={
        <table class="counts">
          <thead>
            <tr>
              <th scope="col">{header[0]}</th>
              {table.columnLevels.map((level, at) => (
                <th key={at} scope="col" class="number">
                  {level}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rowLevels.slice(0, MOST_ROWS).map((level, at) => (
              <tr key={at}>
                <th scope="row">{level}</th>
                {(table.cells[at] ?? []).map((cell, place) => (
                  <td key={place} class={cell.count === undefined ? "number masked" : "number"}>
                    {textOf(cell)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      }
      note={isMasked && <p class="chart-note">{t("views.masked_note")}</p>}
    />
  );
}

function textOf({ count, atLeast }: Counted): string {
  if (count !== undefined) return formatNumber(count);
  // At least 0 says nothing, and reads like a count.
  return atLeast ? t("views.masked_at_least", { least: formatNumber(atLeast) }) : t("views.masked");
}
