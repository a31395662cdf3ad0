import { useMemo, useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import { api, takeList } from "../../api/client";
import { useChanges } from "../../api/live";
import { useLoad } from "../../api/load";
import { listCollaborations, listOrganizations, namesOf } from "../../api/names";
import { may } from "../../api/permissions";
import { user } from "../../api/session";
import { t } from "../../language";
import { Empty, Show } from "../../ui/Loading";
import { Page } from "../../ui/Page";
import { Pages } from "../../ui/Pages";
import { Table } from "../../ui/Table";
import { BulkBar } from "./BulkBar";
import { nameOf, taskColumns } from "./columns";
import { FilterForm } from "./FilterForm";
import { addressOf, isFiltered, parametersOf, readFilters, type Filters } from "./filters";

/** Of all tasks that the user may see, some change often. */
const GATHER = 3_000;

/** All tasks that the user may see, by page; the address has the filters. */
export default function Tasks() {
  const { url, query, route } = useLocation();
  const filters = useMemo(() => readFilters(query), [url]);
  const [ticked, setTicked] = useState<ReadonlySet<string | number>>(new Set());
  const collaborations = useLoad(listCollaborations, []);
  const organizations = useLoad(listOrganizations, []);
  const me = user.value?.id ?? 0;
  const address = addressOf(filters);
  const tasks = useLoad(
    (signal) =>
      takeList(api.GET("/task", { params: { query: parametersOf(filters, me) }, signal })),
    [address],
  );
  useChanges(() => true, tasks.reload, GATHER);
  const columns = useMemo(
    () => taskColumns(namesOf(collaborations.data ?? []), namesOf(organizations.data ?? [])),
    [collaborations.data, organizations.data],
  );

  function go(changed: Filters): void {
    setTicked(new Set());
    route(addressOf(changed));
  }

  if (!may("GET /task"))
    return (
      <Page title={t("tasks.title")}>
        <Empty text={t("tasks.no_right")} />
      </Page>
    );
  return (
    <Page title={t("tasks.title")}>
      <FilterForm filters={filters} collaborations={collaborations.data ?? []} change={go} />
      <Show from={tasks}>
        {({ rows, total }) => (
          <>
            <BulkBar
              tasks={rows.filter(({ id }) => ticked.has(id))}
              clear={() => setTicked(new Set())}
              reload={tasks.reload}
            />
            <Table
              caption={t("tasks.caption")}
              columns={columns}
              rows={rows}
              keyOf={({ id }) => id}
              empty={t(isFiltered(filters) ? "tasks.none_found" : "tasks.none")}
              selection={{ keys: ticked, change: setTicked, nameOf }}
            />
            <Pages
              page={filters.page}
              perPage={filters.size}
              total={total}
              go={(page) => go({ ...filters, page })}
            />
          </>
        )}
      </Show>
    </Page>
  );
}
