import { api, takeList, type Schemas } from "../../api/client";
import { may, ownOrganization } from "../../api/permissions";
import { t } from "../../language";
import { plainLine } from "../../ui/plain";
import { NodeState } from "../../ui/State";
import type { Column } from "../../ui/Table";
import { ago } from "../../ui/time";
import { AdminPage } from "./AdminPage";
import { AdminList, numberIn, ofOrganization } from "./List";
import { readNames, type Names } from "./names";

type Node = Schemas["NodeReply"];

/** All nodes within reach. */
export default function Nodes() {
  return (
    <AdminPage
      title={t("admin.nodes")}
      needs={["GET /node"]}
      actions={() =>
        (may("POST /node") || may("POST /node", { organization: ownOrganization() })) && (
          <a class="button" href="/app/admin/nodes/new">
            {t("admin.node.new")}
          </a>
        )
      }
    >
      {() => (
        <AdminList<Node>
          caption={t("admin.nodes")}
          search={t("admin.node.search")}
          empty={t("admin.node.empty")}
          columns={columns}
          filtered={ofOrganization}
          ask={(page, signal, filters) => {
            const query = {
              ...page,
              organization_id: numberIn(filters, "organization"),
            };
            return Promise.all([
              takeList(api.GET("/node", { params: { query }, signal })),
              readNames(signal, "organizations", "collaborations"),
            ]);
          }}
        />
      )}
    </AdminPage>
  );
}

function columns(names: Names): Column<Node>[] {
  return [
    {
      key: "name",
      head: t("admin.name"),
      cell: ({ id, name }) => (
        <a href={`/app/admin/nodes/${id}`}>{plainLine(name) || t("admin.node.number", { id })}</a>
      ),
      order: ({ name }) => name,
    },
    {
      key: "state",
      head: t("admin.state"),
      cell: ({ status }) => <NodeState status={status} />,
      order: ({ status }) => status,
    },
    {
      key: "seen",
      head: t("admin.seen"),
      cell: ({ last_seen }) => ago(last_seen),
      order: ({ last_seen }) => last_seen,
    },
    {
      key: "organization",
      head: t("admin.organization"),
      cell: ({ organization }) => names.organization(organization.id),
      order: ({ organization }) => names.organization(organization.id),
    },
    {
      key: "collaboration",
      head: t("admin.collaboration"),
      cell: ({ collaboration }) => names.collaboration(collaboration?.id),
      order: ({ collaboration }) => names.collaboration(collaboration?.id),
    },
  ];
}
