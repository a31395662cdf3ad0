import { KeyBox } from "../../crypto/KeyBox";
import { t } from "../../language";

export default function Key() {
  return (
    <>
      <h1>{t("key.title")}</h1>
      <p>{t("key.text")}</p>
      <KeyBox />
    </>
  );
}
