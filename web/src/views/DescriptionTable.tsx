import { t } from "../language";
import { plainLine } from "../ui/plain";
import { MOST_ROWS } from "./bounds";
import type { TableOne } from "./kinds/tableOne";
import { csvOf, saveFile } from "./files";

/** Columns of the data described for each group, as papers print their first table. */
export function DescriptionTable({ table }: { table: TableOne }) {
  const name = t("views.table_one");
  const groups = table.groups.map((one) => plainLine(one) || t("views.table_one_all"));
  const save = () => {
    const rows = table.rows.map(({ label, cells }) => [label, ...cells]);
    saveFile(csvOf(["", ...groups], rows), `${name}.csv`);
  };
  return (
    <div class="result-table">
      <div class="table-head">
        <span class="chart-title">{name}</span>
        <span class="chart-tools">
          <button
            type="button"
            class="plain small"
            aria-label={t("views.save_table", { name })}
            onClick={save}
          >
            {t("views.csv")}
          </button>
        </span>
      </div>
      <div class="scroll" role="group" aria-label={name} tabIndex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">
                <span class="hidden">{name}</span>
              </th>
              {groups.map((one, at) => (
                <th key={at} scope="col" class="number">
                  {one}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.slice(0, MOST_ROWS).map((row, at) => (
              <tr key={at}>
                <th scope="row" class={row.isLevel ? "level" : undefined}>
                  {row.label}
                </th>
                {row.cells.map((cell, place) => (
                  <td key={place} class="number">
                    {cell ?? "-"}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {table.rows.length > MOST_ROWS && (
        <p class="chart-note">
          {t("views.rows_first", { shown: MOST_ROWS, count: table.rows.length })}
        </p>
      )}
    </div>
  );
}
