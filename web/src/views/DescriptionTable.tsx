import { t } from "../language";
import { plainLine } from "../ui/plain";
import { MOST_ROWS } from "./bounds";
import type { TableOne } from "./kinds/tableOne";
import { csvOf } from "./files";
import { TableFrame } from "./TableFrame";

/** Columns of the data described for each group, as papers print their first table. */
export function DescriptionTable({ table }: { table: TableOne }) {
  const name = t("views.table_one");
  const groups = table.groups.map((one) => plainLine(one) || t("views.table_one_all"));
  const rows = () => table.rows.map(({ label, cells }) => [label, ...cells]);
  return (
    <TableFrame
      name={name}
      title={name}
      count={table.rows.length}
      csv={() => csvOf(["", ...groups], rows())}
      table={
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
      }
    />
  );
}
