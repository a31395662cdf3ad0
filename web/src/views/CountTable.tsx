import { t } from "../language";
import type { Counted, CrossTable } from "./kinds/crossTable";
import { MOST_ROWS } from "./bounds";
import { clipboardText, csvOf, saveFile } from "./files";
import { formatNumber } from "./numbers";
import { useState } from "preact/hooks";

/** Counts of two columns; a masked count says so, and is never 0. */
export function CountTable({ table }: { table: CrossTable }) {
  const [said, setSaid] = useState("");
  const name = t("views.cross_table", { rows: table.rowName, columns: table.columnName });
  const isMasked = table.cells.some((row) => row.some((one) => one.count === undefined));
  const header = [`${table.rowName} / ${table.columnName}`, ...table.columnLevels];
  const lines = table.rowLevels.map((level, at) => [level, ...(table.cells[at] ?? []).map(textOf)]);

  async function copy() {
    try {
      await navigator.clipboard.writeText(clipboardText(header, lines));
      setSaid(t("views.copied"));
    } catch {
      setSaid(t("views.copy_failed"));
    }
  }
  return (
    <div class="result-table">
      <div class="table-head">
        <span class="chart-title">{name}</span>
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
            onClick={() => saveFile(csvOf(header, lines), `${name}.csv`)}
          >
            {t("views.csv")}
          </button>
          <span role="status">{said}</span>
        </span>
      </div>
      <div class="scroll" role="group" aria-label={name} tabIndex={0}>
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
      </div>
      {lines.length > MOST_ROWS && (
        <p class="chart-note">{t("views.rows_first", { shown: MOST_ROWS, count: lines.length })}</p>
      )}
      {isMasked && <p class="chart-note">{t("views.masked_note")}</p>}
    </div>
  );
}

function textOf({ count, atLeast }: Counted): string {
  if (count !== undefined) return formatNumber(count);
  // At least 0 says nothing, and reads like a count.
  return atLeast ? t("views.masked_at_least", { least: formatNumber(atLeast) }) : t("views.masked");
}
