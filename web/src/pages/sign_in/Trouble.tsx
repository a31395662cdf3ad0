import { useEffect, useState } from "preact/hooks";
import { Refusal } from "../../api/client";
import { t } from "../../language";
import { Notice } from "../../ui/Notice";

/** What a refused step tells, and what to do now; a server that asks to wait is obeyed. */
export function Trouble({ error, wait }: { error: Error | null; wait: number }) {
  if (!error) return null;
  return (
    <Notice kind="error">
      <p>{error.message}</p>
      {error instanceof Refusal && error.code === "wrong_password" && (
        <p>{t("sign_in.wrong_password")}</p>
      )}
      {error instanceof Refusal && error.code === "wrong_code" && <p>{t("sign_in.wrong_code")}</p>}
      {error instanceof Refusal && error.status === 429 && (
        <p>{wait > 0 ? t("sign_in.wait", { seconds: wait }) : t("sign_in.waited")}</p>
      )}
    </Notice>
  );
}

/** Count down the seconds that the server asks to wait. */
export function useWait(error: Error | null): number {
  const [left, setLeft] = useState(0);
  useEffect(() => {
    const seconds = error instanceof Refusal && error.status === 429 ? (error.retryAfter ?? 60) : 0;
    const end = Date.now() + 1000 * seconds;
    setLeft(seconds);
    if (!seconds) return;
    const timer = window.setInterval(() => {
      const rest = Math.max(0, Math.ceil((end - Date.now()) / 1000));
      setLeft(rest);
      if (rest === 0) window.clearInterval(timer);
    }, 1000);
    return () => window.clearInterval(timer);
  }, [error]);
  return left;
}
