import { api, takeList } from "../../api/client";
import { useChanges } from "../../api/live";
import { useLoad } from "../../api/load";
import type { Names } from "../../api/names";
import { user } from "../../api/session";
import { t } from "../../language";
import { Show } from "../../ui/Loading";
import { isOpen } from "../../ui/State";
import { Table } from "../../ui/Table";
import { taskColumns, type Task } from "../tasks/columns";

/** So many of the own tasks stand here; the list of tasks has all. */
const MOST = 10;
/** Of all tasks that the user may see, some change often. */
const GATHER = 3_000;
const OPEN = ["active", "initializing", "pending"];

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
              empty={t("home.none_sent")}
            />
            {last.length > 0 && (
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

async function listMine(
  me: number,
  signal: AbortSignal,
): Promise<{ running: Task[]; last: Task[] }> {
  const ask = async (status?: string) => {
    const query = {
      init_user_id: me,
      is_sub_task: false,
      page: 1,
      per_page: MOST,
      ...(status && { status }),
    };
    return (await takeList(api.GET("/task", { params: { query }, signal }))).rows;
  };
  const [last = [], ...open] = await Promise.all([ask(), ...OPEN.map(ask)]);
  const running = open.flat().sort((one, other) => other.id - one.id);
  return {
    running: running.slice(0, MOST),
    last: last.filter(({ status }) => !isOpen(status)),
  };
}
