import { KeyBox } from "../../crypto/KeyBox";
import { t } from "../../language";
import { Page } from "../../ui/Page";

export default function Key() {
  return (
    <Page title={t("key.title")}>
      <p>{t("key.text")}</p>
      <KeyBox />
    </Page>
  );
}
