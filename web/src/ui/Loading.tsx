import type { ComponentChildren } from "preact";
import type { Loaded } from "../api/load";
import { Refusal } from "../api/client";
import { Lost } from "../api/connection";
import { t, type Key } from "../language";
import { Notice } from "./Notice";

/** What stands where data is on its way. */
export function Loading() {
  return (
    <p class="quiet" role="status">
      {t("load.loading")}
    </p>
  );
}

/** What stands where there is no data: one sentence, and the next step if there is one. */
export function Empty({ text, children }: { text: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p>{text}</p>
      {children}
    </div>
  );
}

/** Why something cannot be shown: in the words of who says it, and what to do. */
export function Refused({ refusal, again }: { refusal: Error; again?: () => void }) {
  const kind = kindOf(refusal);
  return (
    <Notice kind="error">
      <strong>{t(TITLES[kind])}</strong>
      {kind !== "lost" && <p>{refusal.message}</p>}
      {kind === "refused" && <p>{t("load.refused.next")}</p>}
      {refusal instanceof Refusal && refusal.requestId && (
        <p class="hint">{t("load.refused.request", { id: refusal.requestId })}</p>
      )}
      {again && (
        <button type="button" class="plain" onClick={again}>
          {t("load.again")}
        </button>
      )}
    </Notice>
  );
}

type Trouble = "refused" | "busy" | "expired" | "lost" | "unshown";

const TITLES: Record<Trouble, Key> = {
  refused: "load.refused.title",
  busy: "load.busy.title",
  expired: "load.expired.title",
  lost: "load.lost.title",
  unshown: "load.unshown.title",
};

/** Return what happened: not each error is a refusal, and not each refusal is for good. */
function kindOf(error: Error): Trouble {
  if (error instanceof Lost) return "lost";
  if (!(error instanceof Refusal)) return "unshown";
  // The token was to be exchanged, and the server did not do it now.
  if (error.code === "token_expired") return "expired";
  return error.status >= 500 || error.status === 429 ? "busy" : "refused";
}

interface Props<T> {
  from: Loaded<T>;
  children: (data: T) => ComponentChildren;
}

/** The four states of a part of a page that loads: loading, refused, lost, and there. */
export function Show<T>({ from, children }: Props<T>) {
  if (from.state === "refused") return <Refused refusal={from.refusal} again={from.reload} />;
  if (from.data !== undefined)
    return (
      <div
        aria-busy={from.state === "loading"}
        class={from.state === "loading" ? "stale" : undefined}
      >
        {children(from.data)}
      </div>
    );
  if (from.state === "lost") return <Notice kind="warning">{t("load.lost")}</Notice>;
  return <Loading />;
}
