import { api, takeList } from "../../api/client";
import { may, ownOrganization } from "../../api/permissions";
import { t } from "../../language";
import { plainLine } from "../../ui/plain";
import type { Column } from "../../ui/Table";
import { ago } from "../../ui/time";
import { AdminPage } from "./AdminPage";
import { AdminList, numberIn, ofOrganization } from "./List";
import { readNames, type Names, type User } from "./names";

/** All users within reach. */
export default function Users() {
  return (
    <AdminPage
      title={t("admin.users")}
      needs={["GET /user"]}
      actions={() =>
        mayAddUsers() && (
          <a class="button" href="/app/admin/users/new">
            {t("admin.user.new")}
          </a>
        )
      }
    >
      {() => (
        <AdminList<User>
          caption={t("admin.users")}
          search={t("admin.user.search")}
          empty={t("admin.user.empty")}
          columns={columns}
          filtered={ofOrganization}
          ask={({ name, ...page }, signal, filters) => {
            const query = {
              ...page,
              username: name,
              organization_id: numberIn(filters, "organization"),
            };
            return Promise.all([
              takeList(api.GET("/user", { params: { query }, signal })),
              readNames(signal, "organizations", "roles"),
            ]);
          }}
        />
      )}
    </AdminPage>
  );
}

/** Whether there is an organization that the user may add users to. */
export function mayAddUsers(): boolean {
  return may("POST /user", { organization: ownOrganization() }) || may("POST /user");
}

function columns(names: Names): Column<User>[] {
  return [
    {
      key: "username",
      head: t("admin.user.username"),
      cell: ({ id, username }) => <a href={`/app/admin/users/${id}`}>{plainLine(username)}</a>,
      order: ({ username }) => username,
    },
    { key: "name", head: t("admin.user.fullname"), cell: fullName, order: fullName },
    {
      key: "organization",
      head: t("admin.organization"),
      cell: ({ organization }) => names.organization(organization?.id),
      order: ({ organization }) => names.organization(organization?.id),
    },
    {
      key: "roles",
      head: t("admin.roles"),
      cell: ({ roles }) =>
        (roles ?? []).map(({ id }) => names.role(id)).join(", ") || t("admin.none"),
    },
    {
      key: "seen",
      head: t("admin.seen"),
      cell: ({ last_seen }) => ago(last_seen),
      order: ({ last_seen }) => last_seen,
    },
  ];
}

export function fullName({ firstname, lastname }: Pick<User, "firstname" | "lastname">): string {
  return plainLine([firstname, lastname].filter(Boolean).join(" "));
}
