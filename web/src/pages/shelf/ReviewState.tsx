import type { Schemas } from "../../api/client";
import { t } from "../../language";
import { State } from "../../ui/State";

/** Whether a card was reviewed, as a shape and words. */
export function ReviewState({ entry }: { entry: Pick<Schemas["AlgorithmReply"], "state"> }) {
  if (entry.state === "reviewed") return <State kind="good" text={t("shelf.reviewed")} />;
  if (entry.state === "retired") return <State kind="off" text={t("shelf.retired")} />;
  return <State kind="warning" text={t("shelf.draft")} />;
}
