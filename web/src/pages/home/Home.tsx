import { t } from "../../language";
import { Page } from "../../ui/Page";

export default function Home() {
  return <Page title={t("home.title")}>{null}</Page>;
}
