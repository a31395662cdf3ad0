import type { ComponentChildren } from "preact";
import { useEffect, useErrorBoundary } from "preact/hooks";
import { useLocation } from "preact-iso";
import { t } from "../language";
import { Notice } from "../ui/Notice";

/** Says so where a page stopped by an error of its own, or is no longer at the server. */
export function Fault({ children }: { children: ComponentChildren }) {
  const { path } = useLocation();
  const [error, reset] = useErrorBoundary((found: unknown) => console.error(found));
  useEffect(() => {
    if (error) reset();
  }, [path]);
  if (!error) return <>{children}</>;
  return (
    <Notice kind="error">
      <strong>{t("app.fault.title")}</strong>
      <p>{t("app.fault.text")}</p>
      <button type="button" class="plain" onClick={() => location.reload()}>
        {t("app.reload")}
      </button>
    </Notice>
  );
}
