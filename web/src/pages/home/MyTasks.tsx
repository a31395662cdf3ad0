import { useChanges } from "../../api/live";
import { useLoad } from "../../api/load";
import type { Names } from "../../api/names";
import { user } from "../../api/session";
import { t } from "../../language";
import { Show } from "../../ui/Loading";
import { Table } from "../../ui/Table";
import { taskColumns } from "../tasks/columns";
import { listMine } from "./mine";

/** Of all tasks that the user may see, some change often. */
const GATHER = 3_000;

/** The own tasks that run, and the last ones that ended. */
export function MyTasks({
  collaborations,
  organizations,
}: {
  collaborations: Names;
  organizations: Names;
}) {
  const me = user.value?.id ?? 0;
  const tasks = useLoad((signal) => listMine(me, signal), [me]);
  useChanges(() => true, tasks.reload, GATHER);
  const columns = taskColumns(collaborations, organizations).filter(({ key }) => key !== "sender");
  return (
    <Show from={tasks}>
      {({ running, last }) => (
        <>
          <section>
            <h2>{t("home.running")}</h2>
            <Table
              caption={t("home.running")}
              columns={columns.filter(({ key }) => key !== "took")}
              rows={running}
              keyOf={({ id }) => id}
              empty={t("home.none_running")}
            />
          </section>
          <section>
            <h2>{t("home.last")}</h2>
            <Table
              caption={t("home.last")}
              columns={columns}
              rows={last}
              keyOf={({ id }) => id}
              empty={t(running.length > 0 ? "home.none_ended" : "home.none_sent")}
            />
            {running.length + last.length > 0 && (
              <p>
                <a href="/app/tasks?mine=1">{t("home.all")}</a>
              </p>
            )}
          </section>
        </>
      )}
    </Show>
  );
}
