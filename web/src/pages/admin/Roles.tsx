import { api, takeList, type Schemas } from "../../api/client";
import { may, ownOrganization } from "../../api/permissions";
import { t } from "../../language";
import { plainLine } from "../../ui/plain";
import type { Column } from "../../ui/Table";
import { AdminPage } from "./AdminPage";
import { AdminList } from "./List";
import { readNames, type Names } from "./names";

type Role = Schemas["RoleReply"];

/** All roles within reach: those of the server, and those of organizations. */
export default function Roles() {
  return (
    <AdminPage
      title={t("admin.roles")}
      needs={["GET /role"]}
      actions={() =>
        mayAddRoles() && (
          <a class="button" href="/app/admin/roles/new">
            {t("admin.role.new")}
          </a>
        )
      }
    >
      {() => (
        <AdminList<Role>
          caption={t("admin.roles")}
          search={t("admin.role.search")}
          empty={t("admin.role.empty")}
          columns={columns}
          ask={({ name, ...page }, signal) => {
            const query = { ...page, ...(name !== null && { name: [name] }) };
            return Promise.all([
              takeList(api.GET("/role", { params: { query }, signal })),
              readNames(signal, "organizations"),
            ]);
          }}
        />
      )}
    </AdminPage>
  );
}

/** Whether there is an organization that the user may make roles for. */
export function mayAddRoles(): boolean {
  return may("POST /role", { organization: ownOrganization() }) || may("POST /role");
}

function columns(names: Names): Column<Role>[] {
  return [
    {
      key: "name",
      head: t("admin.name"),
      cell: ({ id, name }) => <a href={`/app/admin/roles/${id}`}>{plainLine(name)}</a>,
      order: ({ name }) => name,
    },
    {
      key: "organization",
      head: t("admin.role.of"),
      cell: ({ organization }) => place(organization?.id ?? null, names),
      order: ({ organization }) => place(organization?.id ?? null, names),
    },
    {
      key: "description",
      head: t("admin.description"),
      cell: ({ description }) => plainLine(description),
    },
    {
      key: "rules",
      head: t("admin.role.rules"),
      cell: ({ rules }) => rules?.length ?? 0,
      order: ({ rules }) => rules?.length ?? 0,
      isNumber: true,
    },
    {
      key: "users",
      head: t("admin.users"),
      cell: ({ users }) => users?.length ?? 0,
      order: ({ users }) => users?.length ?? 0,
      isNumber: true,
    },
  ];
}

/** Where a role belongs: an organization, or the whole server. */
export function place(organization: number | null, names: Names): string {
  return organization === null ? t("admin.role.server") : names.organization(organization);
}
