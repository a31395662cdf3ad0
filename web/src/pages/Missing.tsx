import { t } from "../language";

export function Missing() {
  return (
    <>
      <h1>{t("missing.title")}</h1>
      <p>
        {t("missing.text")}
        <a href="/app/">{t("nav.home")}</a>
      </p>
    </>
  );
}
