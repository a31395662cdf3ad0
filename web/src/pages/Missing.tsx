import { t } from "../language";
import { Page } from "../ui/Page";

export function Missing() {
  return (
    <Page title={t("missing.title")}>
      <p>
        {t("missing.text")}
        <a href="/app/">{t("nav.home")}</a>
      </p>
    </Page>
  );
}
