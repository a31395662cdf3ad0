import { useState } from "preact/hooks";
import { api, take } from "../../api/client";
import { may } from "../../api/permissions";
import { routes } from "../../app/routes";
import { t } from "../../language";
import { Confirm } from "../../ui/Dialog";
import { isOpen } from "../../ui/State";
import { nameOf, titleOf, type Run, type TaskReply } from "./run";

/** Stop, repeat, compare: each where the user may. */
export function Actions({ run, reload }: { run: Run; reload: () => void }) {
  const [isAsking, setAsking] = useState(false);
  const { task } = run;
  const results = run.results.get(task.id) ?? [];
  const asked = results.map((one) => one.organization.id);
  const organizations = task.initiator === null ? asked : [task.initiator, ...asked];
  const subject = { collaboration: task.collaboration?.id, organizations };
  const canRepeat = routes.some(({ path }) => path === "/app/new") && may("POST /task", subject);
  return (
    <>
      {!task.complete && may("POST /kill/task", subject) && (
        <button type="button" class="danger" onClick={() => setAsking(true)}>
          {t("task.stop")}
        </button>
      )}
      {canRepeat && (
        <a class="button plain" href={`/app/new?task=${task.id}`}>
          {t("task.repeat")}
        </a>
      )}
      <a class="button plain" href={`/app/compare?a=${task.id}`}>
        {t("task.compare")}
      </a>
      {isAsking && (
        <Confirm
          title={t("task.stop_title", { id: task.id })}
          deed={t("task.stop_deed", { id: task.id })}
          what={openOf(run)}
          act={async () => {
            await take(api.POST("/kill/task", { body: { id: task.id } }));
            reload();
          }}
          close={() => setAsking(false)}
        >
          <p>{t("task.stop_after")}</p>
        </Confirm>
      )}
    </>
  );
}

/** Return what is running or waiting, of the task and all below it. */
function openOf(run: Run): string[] {
  const lines: string[] = [];
  const tasks: TaskReply[] = [run.task];
  for (const task of tasks) {
    for (const one of run.results.get(task.id) ?? [])
      if (isOpen(one.status))
        lines.push(
          t("task.stop_what", {
            name: titleOf(task),
            station: nameOf(run.names, one.organization.id),
          }),
        );
    tasks.push(...(run.below.get(task.id) ?? []));
  }
  return lines;
}
