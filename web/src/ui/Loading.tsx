import type { ComponentChildren } from "preact";
import type { Loaded } from "../api/load";
import { Refusal } from "../api/client";
import { t } from "../language";
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

/** What the server refused, in its own words, and what to do. */
export function Refused({ refusal, again }: { refusal: Error; again?: () => void }) {
  return (
    <Notice kind="error">
      <strong>{t("load.refused.title")}</strong>
      <p>{refusal.message}</p>
      {refusal instanceof Refusal && refusal.status < 500 && <p>{t("load.refused.next")}</p>}
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
