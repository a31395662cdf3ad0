import type { Names } from "../../api/names";
import type { Schemas } from "../../api/client";
import { user } from "../../api/session";
import { t } from "../../language";
import { plainLine } from "../../ui/plain";
import { TaskState } from "../../ui/State";
import type { Column } from "../../ui/Table";
import { moment, span } from "../../ui/time";

export type Task = Schemas["TaskReply"];

/** The name of a task as lists show it. */
export function nameOf(task: Task): string {
  return plainLine(task.name) || t("tasks.unnamed", { id: task.id });
}

/** The columns of a list of tasks; names that the user may not see stand as their number. */
export function taskColumns(collaborations: Names, organizations: Names): Column<Task>[] {
  const named = (names: Names, id: number | null | undefined) =>
    id == null ? "" : plainLine(names.get(id)) || t("tasks.number", { id });
  return [
    { key: "id", head: t("tasks.id"), isNumber: true, cell: ({ id }) => id },
    {
      key: "name",
      head: t("tasks.name"),
      cell: (task) => <a href={`/app/tasks/${task.id}`}>{nameOf(task)}</a>,
    },
    { key: "state", head: t("tasks.state"), cell: ({ status }) => <TaskState status={status} /> },
    {
      key: "collaboration",
      head: t("tasks.collaboration"),
      cell: ({ collaboration }) => named(collaborations, collaboration.id),
    },
    {
      key: "sender",
      head: t("tasks.sender"),
      cell: ({ init_user, initiator }) =>
        init_user === user.value?.id ? t("tasks.me") : named(organizations, initiator),
    },
    {
      key: "created",
      head: t("tasks.created"),
      cell: ({ created_at }) => <time dateTime={created_at ?? ""}>{moment(created_at)}</time>,
    },
    {
      key: "took",
      head: t("tasks.took"),
      isNumber: true,
      cell: ({ created_at, finished_at }) => span(created_at, finished_at),
    },
  ];
}
