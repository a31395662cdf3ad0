import { api, takeList, type Schemas } from "../../api/client";
import { may } from "../../api/permissions";
import { t } from "../../language";
import { plainLine } from "../../ui/plain";
import { State } from "../../ui/State";
import type { Column } from "../../ui/Table";
import { AdminPage } from "./AdminPage";
import { AdminList } from "./List";
import { Names } from "./names";

type Organization = Schemas["OrganizationReply"];

/** All organizations within reach. */
export default function Organizations() {
  return (
    <AdminPage
      title={t("admin.organizations")}
      needs={["GET /organization"]}
      actions={() =>
        may("POST /organization") && (
          <a class="button" href="/app/admin/organizations/new">
            {t("admin.organization.new")}
          </a>
        )
      }
    >
      {() => (
        <AdminList<Organization>
          caption={t("admin.organizations")}
          search={t("admin.organization.search")}
          empty={t("admin.organization.empty")}
          columns={columns}
          ask={async (query, signal) => [
            await takeList(api.GET("/organization", { params: { query }, signal })),
            new Names([], [], []),
          ]}
        />
      )}
    </AdminPage>
  );
}

function columns(): Column<Organization>[] {
  return [
    {
      key: "name",
      head: t("admin.name"),
      cell: ({ id, name }) => <a href={`/app/admin/organizations/${id}`}>{plainLine(name)}</a>,
      order: ({ name }) => name,
    },
    {
      key: "key",
      head: t("admin.organization.key"),
      cell: ({ public_key }) => <KeyState publicKey={public_key} />,
      order: ({ public_key }) => (public_key ? 1 : 0),
    },
    {
      key: "country",
      head: t("admin.organization.country"),
      cell: ({ country }) => plainLine(country),
      order: ({ country }) => country,
    },
    {
      key: "domain",
      head: t("admin.organization.domain"),
      cell: ({ domain }) => plainLine(domain),
      order: ({ domain }) => domain,
    },
    {
      key: "nodes",
      head: t("admin.nodes"),
      cell: ({ nodes }) => nodes?.length ?? 0,
      order: ({ nodes }) => nodes?.length ?? 0,
      isNumber: true,
    },
  ];
}

export function KeyState({ publicKey }: { publicKey: string }) {
  return publicKey ? (
    <State kind="good" text={t("admin.key.there")} />
  ) : (
    <State kind="off" text={t("admin.key.missing")} />
  );
}
