import { t } from "../../language";
import { isOpen, TaskState } from "../../ui/State";
import { moment, span } from "../../ui/time";
import { Log } from "./Log";
import { Reason } from "./Reason";
import { nameOf, progressOf, titleOf, type ResultReply, type Run, type TaskReply } from "./run";

/** Deeper sub-tasks are reached by the page of a task in between. */
const DEEPEST = 8;

/** One picture of a task: its stations, its sub-tasks, and the stations of those. */
export function Tree({ run }: { run: Run }) {
  return (
    <ul class="tree" aria-label={t("task.course_of", { id: run.task.id })}>
      {(run.results.get(run.task.id) ?? []).map((one) => (
        <Station key={one.id} run={run} result={one} />
      ))}
      <Below run={run} task={run.task} depth={0} />
    </ul>
  );
}

function Below({ run, task, depth }: { run: Run; task: TaskReply; depth: number }) {
  const tasks = run.below.get(task.id) ?? [];
  if (depth >= DEEPEST) return null;
  return (
    <>
      {tasks.map((one) => (
        <li key={one.id} class="branch-of-tree">
          <details
            open={tasks.length === 1 || (one.status !== "completed" && one.status !== "pending")}
          >
            <summary>
              <TaskState status={one.status} /> <strong>{titleOf(one)}</strong>{" "}
              <span class="quiet">{progressOf(run.results.get(one.id) ?? [])}</span>
            </summary>
            <p>
              <a href={`/app/tasks/${one.id}`}>{titleOf(one)}</a>
            </p>
            <ul class="tree">
              {(run.results.get(one.id) ?? []).map((each) => (
                <Station key={each.id} run={run} result={each} />
              ))}
              <Below run={run} task={one} depth={depth + 1} />
            </ul>
          </details>
        </li>
      ))}
    </>
  );
}

function Station({ run, result }: { run: Run; result: ResultReply }) {
  const name = nameOf(run.names, result.organization.id);
  return (
    <li class="station">
      <div class="station-line">
        <TaskState status={result.status} /> <span class="station-name">{name}</span>
        <span class="quiet">{timesOf(result)}</span>
      </div>
      <Reason reason={result.reason} />
      {(result.started_at || (result.finished_at && result.status !== "completed")) && (
        <Log
          id={result.id}
          name={name}
          isEncrypted={run.collaboration?.isEncrypted}
          seen={run}
          status={result.status}
        />
      )}
    </li>
  );
}

function timesOf({ assigned_at, started_at, finished_at, status }: ResultReply): string {
  if (!started_at) return isOpen(status) ? t("task.waits", { sent: moment(assigned_at) }) : "";
  const start = moment(started_at);
  return finished_at
    ? t("task.times", { start, span: span(started_at, finished_at) })
    : t("task.started", { start });
}
