import { settings } from "../../api/settings";
import { user } from "../../api/session";
import { t } from "../../language";
import { CopyButton } from "../../ui/CopyButton";
import { nameOf, type TaskDraft } from "./draft";
import type { Place } from "./place";
import { writeScript } from "./script";

/** The same task as Python, to copy. */
export function Script({
  task,
  place,
  receivers,
}: {
  task: TaskDraft;
  place: Place;
  receivers: number[];
}) {
  const script = writeScript(task, {
    address: location.origin,
    apiPath: settings.apiPath,
    username: user.value?.username ?? "",
    collaboration: place.id,
    isEncrypted: place.isEncrypted,
    receivers,
    name: nameOf(task, place.isEncrypted),
  });
  return (
    <details class="options">
      <summary>{t("new.script")}</summary>
      <p>{t("new.script_hint")}</p>
      <pre tabIndex={0}>{script}</pre>
      <CopyButton text={script} />
    </details>
  );
}
