import { t } from "../../language";

export default function Home() {
  return <h1>{t("home.title")}</h1>;
}
