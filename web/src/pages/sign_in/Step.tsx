import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { isConnected } from "../../api/connection";
import { settings } from "../../api/settings";
import { t } from "../../language";
import { Notice } from "../../ui/Notice";

/** One step before the pages open: its heading gets the focus when it appears. */
export function Step({ title, children }: { title: string; children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · ${settings.name}`;
    heading.current?.focus({ preventScroll: true });
  }, [title]);
  return (
    <main class="narrow">
      <p class="brand">{settings.name}</p>
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      {!isConnected.value && <Notice kind="warning">{t("app.lost")}</Notice>}
      {children}
      <footer class="hint">
        {settings.contact && <p>{t("sign_in.contact", { contact: settings.contact })}</p>}
        {settings.imprint && (
          <p>
            <a href={settings.imprint} rel="noreferrer">
              {t("sign_in.imprint")}
            </a>
          </p>
        )}
      </footer>
    </main>
  );
}
