import { t } from "../../language";
import { AdminPage, openSections } from "./AdminPage";

/** What there is to administer. */
export default function Overview() {
  return (
    <AdminPage title={t("nav.admin")} needs={["GET /rule"]}>
      {() => (
        <ul class="cards">
          {openSections().map(({ path, name, hint }) => (
            <li key={path}>
              <a href={path}>{t(name)}</a>
              <span class="quiet">{t(hint)}</span>
            </li>
          ))}
        </ul>
      )}
    </AdminPage>
  );
}
