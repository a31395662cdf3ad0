import "../../styles/pairs.css";
import "../../styles/task.css";
import type { ComponentChild } from "preact";
import { useRoute } from "preact-iso";
import { useEffect } from "preact/hooks";
import { type Change, useChanges } from "../../api/live";
import { useLoad } from "../../api/load";
import { t } from "../../language";
import { Notice } from "../../ui/Notice";
import { Page } from "../../ui/Page";
import { Loading, Refused } from "../../ui/Loading";
import { TaskState } from "../../ui/State";
import { Guarded } from "../../views/Guarded";
import { Actions } from "./Actions";
import { Answers } from "./Answers";
import { Arguments } from "./Arguments";
import { Facts } from "./Facts";
import { KeyNeeded } from "./KeyNeeded";
import { useKept, useRetry } from "./retry";
import { loadRun, progressOf, titleOf, type Run } from "./run";
import { Script } from "./Script";
import { Tree } from "./Tree";
import { useAnswers } from "./useAnswers";

/** A task: what came of it, how far each station is, and what it asked for. */
export default function TaskPage() {
  const id = Number(useRoute().params.id);
  if (!Number.isSafeInteger(id) || id < 1)
    return (
      <Page title={t("task.missing_title")}>
        <p>{t("task.missing")}</p>
      </Page>
    );
  return <Loaded key={id} id={id} />;
}

function Loaded({ id }: { id: number }) {
  const found = useLoad((signal) => loadRun(id, signal), [id]);
  // A task that runs can be stopped here, also while the server is busy.
  const run = useKept(found);
  useChanges((change) => isAbout(change, run), found.reload);
  useEffect(() => follow(found.data, found.reload), [found.data]);
  useRetry(found);
  const refused = found.state === "refused" && (
    <Refused refusal={found.refusal} again={found.reload} />
  );
  if (!run)
    return (
      <Page title={t("task.title", { id, name: "" })}>
        {refused ||
          (found.state === "lost" ? <Notice kind="warning">{t("load.lost")}</Notice> : <Loading />)}
      </Page>
    );
  return <Shown run={run} trouble={refused} reload={found.reload} />;
}

function isAbout(change: Change, run: Run | undefined): boolean {
  if (!run) return false;
  if (change.run !== null) return change.run === run.task.run_id;
  return change.collaboration === run.task.collaboration.id;
}

/** The log of a result grows without a change of the task. */
const LOG_PAUSE = 15_000;

/** Ask again while the task can change, also where the server tells of no changes. */
function follow(run: Run | undefined, reload: () => void): (() => void) | undefined {
  if (!run || run.task.complete) return undefined;
  const timer = setTimeout(reload, LOG_PAUSE);
  return () => clearTimeout(timer);
}

interface Props {
  run: Run;
  /** Why what is shown is not the newest. */
  trouble: ComponentChild;
  reload: () => void;
}

function Shown({ run, trouble, reload }: Props) {
  const { task } = run;
  const answers = useAnswers(run);
  const results = run.results.get(task.id) ?? [];
  return (
    <Page title={titleOf(task)} actions={<Actions run={run} reload={reload} />}>
      {trouble}
      <p class="task-state" role="status">
        <TaskState status={task.status} /> <span class="quiet">{progressOf(results)}</span>
      </p>
      <Facts run={run} asked={answers.asked} />
      <KeyNeeded runs={[run]} />
      <Answers run={run} answers={answers} />
      <section aria-labelledby="course">
        <h2 id="course">{t("task.course")}</h2>
        {run.isCut && <Notice kind="info">{t("task.cut")}</Notice>}
        <Tree run={run} />
      </section>
      <Guarded of={answers.asked}>
        <Arguments answers={answers} />
      </Guarded>
      <Script run={run} />
    </Page>
  );
}
