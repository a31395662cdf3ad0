import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { t } from "../language";
import { MOST_ROWS } from "./bounds";
import { saveFile } from "./files";

interface Props {
  /** What the table is called, for its file and for screen readers. */
  name: string;
  /** What stands above it; may be empty. */
  title: string;
  /** How many rows there are, of which the first are shown. */
  count: number;
  csv: () => string;
  /** The table for the clipboard, if it can be copied. */
  text?: () => string;
  table: ComponentChildren;
  /** What stands below. */
  note?: ComponentChildren;
}

/** What surrounds each table of a result: its title, how it is kept, and how much of it is shown. */
export function TableFrame({ name, title, count, csv, text, table, note }: Props) {
  return (
    <div class="result-table">
      <div class="table-head">
        <span class="chart-title">{title}</span>
        <span class="chart-tools">
          {text && <Copy name={name} text={text} />}
          <button
            type="button"
            class="plain small"
            aria-label={t("views.save_table", { name })}
            onClick={() => saveFile(csv(), `${name}.csv`)}
          >
            {t("views.csv")}
          </button>
        </span>
      </div>
      <div class="scroll" role="group" aria-label={name} tabIndex={0}>
        {table}
      </div>
      {count > MOST_ROWS && (
        <p class="chart-note">{t("views.rows_first", { shown: MOST_ROWS, count })}</p>
      )}
      {note}
    </div>
  );
}

function Copy({ name, text }: { name: string; text: () => string }) {
  const [said, setSaid] = useState("");

  async function copy() {
    try {
      await navigator.clipboard.writeText(text());
      setSaid(t("views.copied"));
    } catch {
      setSaid(t("views.copy_failed"));
    }
  }
  return (
    <>
      <button
        type="button"
        class="plain small"
        aria-label={t("views.copy_table", { name })}
        onClick={copy}
      >
        {t("views.copy")}
      </button>
      <span role="status">{said}</span>
    </>
  );
}
