import { t } from "../../language";
import { plain, plainLine } from "../../ui/plain";
import { moment, span } from "../../ui/time";
import { formatCell } from "../../views/numbers";
import type { Asked } from "./opened";
import { nameOf, type Run } from "./run";

/** What was asked, where, by which organization, and when. */
export function Facts({ run, asked }: { run: Run; asked: Asked | null }) {
  const { task, collaboration, names } = run;
  const place = collaboration
    ? `${plainLine(collaboration.name)}, ${t(collaboration.isEncrypted ? "task.encrypted" : "task.unencrypted")}`
    : task.collaboration
      ? String(task.collaboration.id)
      : t("task.gone");
  const facts: [string, string | null][] = [
    [t("task.function"), asked && formatCell(asked.method)],
    [t("task.image"), plainLine(task.image)],
    [t("task.database"), plainLine(task.database)],
    [t("task.collaboration"), place],
    [t("task.initiator"), task.initiator === null ? null : nameOf(names, task.initiator)],
    [t("task.sent"), moment(task.created_at)],
    [t("task.ended"), task.finished_at && moment(task.finished_at)],
    [t("task.took"), span(task.created_at, task.finished_at)],
  ];
  return (
    <>
      {task.description && <p class="text">{plain(task.description)}</p>}
      <dl class="pairs">
        {facts.map(
          ([name, value]) =>
            value && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
        {task.parent && (
          <div>
            <dt>{t("task.above")}</dt>
            <dd>
              <a href={`/app/tasks/${task.parent.id}`}>
                {t("task.title", { id: task.parent.id, name: "" })}
              </a>
            </dd>
          </div>
        )}
      </dl>
    </>
  );
}
