import { useLocation } from "preact-iso";
import type { List } from "../../api/client";
import { useLoad } from "../../api/load";
import { t } from "../../language";
import { Show } from "../../ui/Loading";
import { Pages } from "../../ui/Pages";
import { Table, type Column } from "../../ui/Table";
import { Field } from "../../ui/Field";
import { textsOf } from "./forms";
import type { Names } from "./names";

const PER_PAGE = 25;

/** Which part of a list the server is asked for. */
export interface Asked {
  page: number;
  per_page: number;
  /** A pattern of names, if the user searches. */
  name: string | null;
}

/** What the address asks for beside page and name, such as `organization`. */
export type Filters = Readonly<Record<string, string>>;

/** A number of the address, or null. */
export function numberIn(filters: Filters, name: string): number | null {
  const found = Number(filters[name]);
  return Number.isInteger(found) && found > 0 ? found : null;
}

/** What the list of one organization says above it; null where it is of all. */
export function ofOrganization(filters: Filters, names: Names): string | null {
  const id = numberIn(filters, "organization");
  return id === null ? null : t("admin.filter.organization", { name: names.organization(id) });
}

interface Props<Row> {
  caption: string;
  search: string;
  empty: string;
  ask: (asked: Asked, signal: AbortSignal, filters: Filters) => Promise<[List<Row>, Names]>;
  /** What is filtered, in words, if the address says so. */
  filtered?: (filters: Filters, names: Names) => string | null;
  columns: (names: Names) => Column<Row>[];
}

/** A list by page from the server; page and search stand in the address. */
export function AdminList<Row extends { id: number }>({
  caption,
  search,
  empty,
  ask,
  columns,
  filtered,
}: Props<Row>) {
  const { path, query, route } = useLocation();
  const { page: _page, name: _name, ...filters } = query;
  const page = Math.max(1, Math.floor(Number(query["page"])) || 1);
  const text = query["name"] ?? "";
  // A percent sign stands for any text; the search is for a part of a name as it is.
  const name = text ? `%${text.replaceAll("%", "")}%` : null;
  const found = useLoad(
    (signal) => ask({ page, per_page: PER_PAGE, name }, signal, filters),
    [path, JSON.stringify(query)],
  );

  function go(to: number, name: string): void {
    const more = new URLSearchParams({
      ...filters,
      ...(name && { name }),
      ...(to > 1 && { page: `${to}` }),
    });
    route(more.size ? `${path}?${more}` : path);
  }

  function find(event: SubmitEvent): void {
    event.preventDefault();
    go(1, textsOf(event)("name"));
  }

  return (
    <>
      <form class="search" role="search" onSubmit={find}>
        <Field name="name" type="search" label={search} defaultValue={text} key={text} />
        <button type="submit" class="plain">
          {t("admin.search")}
        </button>
      </form>
      <Show from={found}>
        {([{ rows, total }, names]) => (
          <>
            <Filtered text={filtered?.(filters, names) ?? null} all={path} />
            <Table
              caption={caption}
              columns={sortable(columns(names), total <= PER_PAGE)}
              rows={rows}
              keyOf={(row) => row.id}
              empty={text ? t("admin.search.nothing", { text }) : empty}
            />
            <Pages page={page} perPage={PER_PAGE} total={total} go={(to) => go(to, text)} />
          </>
        )}
      </Show>
    </>
  );
}

/** Return columns that can be sorted only where all rows are there: a page is no list. */
export function sortable<Row>(columns: Column<Row>[], isWhole: boolean): Column<Row>[] {
  return isWhole ? columns : columns.map(({ order: _, ...column }) => column);
}

function Filtered({ text, all }: { text: string | null; all: string }) {
  if (text === null) return null;
  return (
    <p>
      {text} <a href={all}>{t("admin.filter.all")}</a>
    </p>
  );
}
