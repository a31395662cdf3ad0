import { useId } from "preact/hooks";
import { t } from "../../language";
import { plain } from "../../ui/plain";
import { Loading, Refused } from "../../ui/Loading";
import { isOpen, TaskState } from "../../ui/State";
import { saveFile } from "../../views/files";
import { Guarded } from "../../views/Guarded";
import type { Json } from "../../views/json";
import { ResultView } from "../../views/ResultView";
import type { Opened, OpenedResult } from "./opened";
import { Reason } from "./Reason";
import { nameOf, type Run } from "./run";
import type { Answers as Read } from "./useAnswers";

interface AnswersProps {
  run: Run;
  answers: Read;
  /** Whether it stands in a part of a page that has a name of its own. */
  isPart?: boolean;
}

/** What the organizations answered: drawn, or why there is nothing. */
export function Answers({ run, answers, isPart = false }: AnswersProps) {
  const id = useId();
  const { opened, refusal, again, left, more } = answers;
  const results = run.results.get(run.task.id) ?? [];
  const isWaiting = results.every((one) => isOpen(one.status));
  return (
    <section aria-labelledby={isPart ? undefined : id}>
      <h2 id={id}>{t(results.length === 1 ? "task.answer" : "task.answers")}</h2>
      {results.length === 0 && <p>{t("task.no_answers")}</p>}
      {results.length > 0 && isWaiting && <p>{t("task.no_answer")}</p>}
      {refusal && <Refused refusal={refusal} again={again} />}
      {!opened && !refusal && !isWaiting && <Loading />}
      {opened
        ?.filter(({ reply }) => !isOpen(reply.status))
        .map((one) => (
          <Answer
            key={one.reply.id}
            run={run}
            one={one}
            answers={answers}
            isAlone={results.length === 1}
          />
        ))}
      {left > 0 && (
        <button type="button" class="plain" onClick={more}>
          {t("task.more_answers", { count: left })}
        </button>
      )}
    </section>
  );
}

interface Props {
  run: Run;
  one: OpenedResult;
  answers: Read;
  isAlone: boolean;
}

function Answer({ run, one: { reply, answer }, answers, isAlone }: Props) {
  const name = nameOf(run.names, reply.organization.id);
  return (
    <article class="answer" aria-label={name}>
      {!isAlone && <h3>{name}</h3>}
      {reply.status !== "completed" && (
        <>
          <p>
            <TaskState status={reply.status} />
          </p>
          <Reason reason={reply.reason} />
        </>
      )}
      {answer ? (
        <OpenedView opened={answer} answers={answers} file={`task ${run.task.id} ${name}`} />
      ) : (
        reply.status === "completed" && <p>{t("task.empty_answer")}</p>
      )}
    </article>
  );
}

/** Letters of a large answer that are shown. */
const FIRST_PART = 5000;

function OpenedView({ opened, answers, file }: { opened: Opened; answers: Read; file: string }) {
  const { value, text, bytes, problem } = opened;
  return (
    <>
      {problem && <p>{problem}</p>}
      {value !== undefined && (
        <Guarded of={value}>
          <Drawn value={value} answers={answers} />
        </Guarded>
      )}
      {value === undefined && text !== undefined && (
        <>
          <p>{t("task.large", { size: sizeOf(bytes?.length ?? text.length) })}</p>
          <pre class="text">{plain(text.slice(0, FIRST_PART))}…</pre>
        </>
      )}
      {bytes && (
        <button
          type="button"
          class="plain small"
          onClick={() =>
            saveFile(
              new Blob([bytes], {
                type: text === undefined ? "application/octet-stream" : "application/json",
              }),
              `${file}${text === undefined ? ".bin" : ".json"}`,
            )
          }
        >
          {t(text === undefined ? "task.download_bytes" : "task.download")}
        </button>
      )}
    </>
  );
}

function Drawn({ value, answers }: { value: Json; answers: Read }) {
  return <ResultView result={value} views={answers.viewsOf(value)} />;
}

/** Return a number of bytes as people say it. */
export function sizeOf(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000
    ? `${(bytes / 1000).toFixed(1)} kB`
    : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
