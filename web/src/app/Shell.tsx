import type { ComponentChildren } from "preact";
import { useLocation } from "preact-iso";
import { api, isConnected } from "../api/client";
import { forget, user } from "../api/session";
import { settings } from "../api/settings";
import { t } from "../language";
import { Notice } from "../ui/Notice";
import { routes } from "./routes";

/** What surrounds every page of a signed-in user. */
export function Shell({ children }: { children: ComponentChildren }) {
  const { path } = useLocation();
  return (
    <>
      <a class="skip" href="#content">
        {t("app.skip")}
      </a>
      <header class="bar">
        <a class="brand" href="/app/">
          {settings.name}
        </a>
        <nav aria-label={t("app.menu")}>
          {routes.map(
            ({ path: to, menu }) =>
              menu && (
                <a key={to} href={to} aria-current={isBelow(path, to) ? "page" : undefined}>
                  {t(menu)}
                </a>
              ),
          )}
        </nav>
        <span class="grow" />
        <span>{user.value?.username}</span>
        <button type="button" class="plain" onClick={signOut}>
          {t("app.sign_out")}
        </button>
      </header>
      {!isConnected.value && <Notice kind="warning">{t("app.lost")}</Notice>}
      <main id="content" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}

function isBelow(path: string, to: string): boolean {
  return to === "/app/" ? path === "/app/" : path.startsWith(to);
}

async function signOut(): Promise<void> {
  try {
    await api.DELETE("/session", { params: { query: {} } });
  } finally {
    forget();
  }
}
