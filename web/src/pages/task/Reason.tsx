import { t } from "../../language";
import { plain } from "../../ui/plain";
import { remedyOf } from "./reasons";
import type { ResultReply } from "./run";

/** Why a result is in its state, and what to do about it. */
export function Reason({ reason }: { reason: ResultReply["reason"] }) {
  if (!reason) return null;
  const remedy = remedyOf(reason.code);
  return (
    <div class="reason">
      <p>{plain(reason.msg)}</p>
      {remedy && <p class="quiet">{t("task.what_to_do", { text: remedy })}</p>}
    </div>
  );
}
