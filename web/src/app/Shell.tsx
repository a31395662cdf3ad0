import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import { isConnected } from "../api/connection";
import { signOut, user } from "../api/session";
import { settings } from "../api/settings";
import { t } from "../language";
import { plainLine } from "../ui/plain";
import { Notice } from "../ui/Notice";
import { routes } from "./routes";

/** What surrounds every page of a signed-in user. */
export function Shell({ children }: { children: ComponentChildren }) {
  return (
    <>
      <a class="skip" href="#content">
        {t("app.skip")}
      </a>
      <Bar />
      {!isConnected.value && (
        <div class="lost">
          <Notice kind="warning">{t("app.lost")}</Notice>
        </div>
      )}
      <main id="content" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}

/** Name, menu and account; on a narrow screen the menu folds behind a button. */
function Bar() {
  const { path } = useLocation();
  const [isUnfolded, setUnfolded] = useState(false);
  useEffect(() => setUnfolded(false), [path]);
  return (
    <header class="bar">
      <a class="brand" href="/app/">
        {settings.name}
      </a>
      <button
        type="button"
        class="plain fold"
        aria-expanded={isUnfolded}
        aria-controls="menu"
        onClick={() => setUnfolded(!isUnfolded)}
      >
        {t("app.menu")}
      </button>
      <div id="menu" class={isUnfolded ? "menu unfolded" : "menu"}>
        <nav aria-label={t("app.menu")}>
          {routes.map(
            ({ path: to, menu, isOpen }) =>
              menu &&
              (isOpen?.() ?? true) && (
                <a key={to} href={to} aria-current={isBelow(path, to) ? "page" : undefined}>
                  {t(menu)}
                </a>
              ),
          )}
        </nav>
        <span class="grow" />
        <a
          class="account"
          href="/app/me"
          aria-label={t("app.me", { name: plainLine(user.value?.username) })}
          aria-current={path === "/app/me" ? "page" : undefined}
        >
          {plainLine(user.value?.username)}
        </a>
        <button type="button" class="plain" onClick={signOut}>
          {t("app.sign_out")}
        </button>
      </div>
    </header>
  );
}

/** Tell whether a path is a page of the menu or lies below it. */
export function isBelow(path: string, to: string): boolean {
  const [here, there] = [`${path}/`.replace(/\/+$/, "/"), `${to}/`.replace(/\/+$/, "/")];
  return there === "/app/" ? here === there : here.startsWith(there);
}
