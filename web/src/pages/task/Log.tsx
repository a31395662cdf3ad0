import { useState } from "preact/hooks";
import { useLoad } from "../../api/load";
import { keyFingerprint } from "../../crypto";
import { t } from "../../language";
import { Show } from "../../ui/Loading";
import { plain } from "../../ui/plain";
import { isOpen } from "../../ui/State";
import { saveFile } from "../../views/files";
import { openResult } from "./opened";
import { useRetry } from "./retry";

interface Props {
  id: number;
  name: string;
  isEncrypted: boolean | undefined;
  status: string;
  /** What the page knows of the run: with each reading of it, a log that grows is read again. */
  seen: unknown;
}

/** What the algorithm printed, read when it is asked for. */
export function Log(props: Props) {
  const [isShown, setShown] = useState(false);
  return (
    <details class="log" onToggle={(event) => setShown(event.currentTarget.open)}>
      <summary aria-label={t("task.log_of", { name: props.name })}>{t("task.log")}</summary>
      {isShown && <Text {...props} />}
    </details>
  );
}

/** A log keeps its end: the last lines say why. */
const MOST_LETTERS = 50_000;

function Text({ id, name, isEncrypted, status, seen }: Props) {
  const found = useLoad(
    async (signal) => (await openResult(id, isEncrypted, signal)).log,
    [id, isOpen(status) ? seen : status, isEncrypted, keyFingerprint.value],
  );
  useRetry(found);
  return (
    <Show from={found}>
      {(log) => {
        if (!log) return <p>{t(isOpen(status) ? "task.log_running" : "task.log_none")}</p>;
        if (log.text === undefined) return <p>{log.problem}</p>;
        return (
          <>
            <pre tabIndex={0} aria-label={t("task.log_of", { name })}>
              {plain(log.text.slice(-MOST_LETTERS))}
            </pre>
            {log.text.length > MOST_LETTERS && (
              <button
                type="button"
                class="plain small"
                onClick={() => saveFile(log.text ?? "", `log ${id}.txt`)}
              >
                {t("task.log_download")}
              </button>
            )}
          </>
        );
      }}
    </Show>
  );
}
