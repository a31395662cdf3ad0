import { useState } from "preact/hooks";
import { api, take } from "../../api/client";
import { asError } from "../../api/load";
import { may } from "../../api/permissions";
import { t } from "../../language";
import { Confirm } from "../../ui/Dialog";
import { nameOf, type Task } from "./columns";

interface Props {
  tasks: Task[];
  /** Take away the ticks. */
  clear: () => void;
  /** Load the list anew. */
  reload: () => void;
}

/** What can be done with the tasks that are ticked, as far as the rules of the user allow it. */
export function BulkBar({ tasks, clear, reload }: Props) {
  const [asked, setAsked] = useState<"kill" | "delete" | null>(null);
  const stoppable = tasks.filter(canStop);
  const deletable = tasks.filter(mayDelete);
  const chosen = asked === "kill" ? stoppable : deletable;

  async function act(): Promise<void> {
    try {
      await forEach(chosen, asked === "kill" ? kill : remove);
      clear();
    } finally {
      reload();
    }
  }

  if (tasks.length === 0) return null;
  return (
    <div class="bulk" role="group" aria-label={t("tasks.selected", { count: tasks.length })}>
      <span role="status">{t("tasks.selected", { count: tasks.length })}</span>
      {stoppable.length > 0 && (
        <button type="button" class="plain small" onClick={() => setAsked("kill")}>
          {t("tasks.kill", { count: stoppable.length })}
        </button>
      )}
      {deletable.length > 0 && (
        <button type="button" class="danger small" onClick={() => setAsked("delete")}>
          {t("tasks.delete", { count: deletable.length })}
        </button>
      )}
      <button type="button" class="plain small" onClick={clear}>
        {t("tasks.unselect")}
      </button>
      {asked && (
        <Confirm
          title={t(asked === "kill" ? "tasks.kill.title" : "tasks.delete.title")}
          deed={t(asked === "kill" ? "tasks.kill.deed" : "tasks.delete.deed", {
            count: chosen.length,
          })}
          what={chosen.map((task) => `${task.id} · ${nameOf(task)}`)}
          act={act}
          close={() => setAsked(null)}
        >
          <p>{t(asked === "kill" ? "tasks.kill.text" : "tasks.delete.text")}</p>
        </Confirm>
      )}
    </div>
  );
}

/** Whether something of a task runs still, whatever its state is, and the user may stop it. */
export function canStop(task: Task): boolean {
  return !task.complete && mayKill(task);
}

/** Whether the user may stop a task; a list knows the sender, but not the receivers. */
function mayKill(task: Task): boolean {
  const organizations = task.initiator === null ? [] : [task.initiator];
  return may("POST /kill/task", { collaboration: task.collaboration.id, organizations });
}

function mayDelete(task: Task): boolean {
  return may("DELETE /task/{id}", { collaboration: task.collaboration.id });
}

async function kill({ id }: Task): Promise<void> {
  await take(api.POST("/kill/task", { body: { id } }));
}

async function remove({ id }: Task): Promise<void> {
  await take(api.DELETE("/task/{id}", { params: { path: { id } } }));
}

/** Do something with tasks one after the other; the first refusal ends it, and says how many are done. */
export async function forEach(
  tasks: readonly Task[],
  act: (task: Task) => Promise<void>,
): Promise<void> {
  for (const [done, task] of tasks.entries())
    try {
      await act(task);
    } catch (error) {
      const reason = asError(error).message;
      throw new Error(
        t("tasks.some_failed", { done, count: tasks.length, name: nameOf(task), reason }),
      );
    }
}
