import { useState } from "preact/hooks";
import { api, take } from "../../api/client";
import { may } from "../../api/permissions";
import { t } from "../../language";
import { Confirm } from "../../ui/Dialog";
import { plainLine } from "../../ui/plain";
import { NodeState } from "../../ui/State";
import { ago } from "../../ui/time";
import { Table } from "../../ui/Table";
import type { Parts } from "./Collaboration";

/** The nodes of a collaboration, and a way to one for each member that has none. */
export function CollaborationNodes({ collaboration, names, nodes, changed }: Parts) {
  const [leaving, setLeaving] = useState<Parts["nodes"][number] | null>(null);
  const { id } = collaboration;
  const present = new Set(nodes.map((node) => node.organization.id));
  const missing = (collaboration.organizations ?? []).filter(
    (one) => !present.has(one.id) && may("POST /node", { organization: one.id, collaboration: id }),
  );
  return (
    <section>
      <h2>{t("admin.nodes")}</h2>
      <Table
        caption={t("admin.nodes")}
        rows={nodes}
        keyOf={(node) => node.id}
        empty={t("admin.collaboration.no_nodes")}
        columns={[
          {
            key: "name",
            head: t("admin.name"),
            cell: (node) =>
              may("GET /node/{id}", { organization: node.organization.id, collaboration: id }) ? (
                <a href={`/app/admin/nodes/${node.id}`}>{plainLine(node.name)}</a>
              ) : (
                plainLine(node.name)
              ),
            order: (node) => node.name,
          },
          {
            key: "organization",
            head: t("admin.organization"),
            cell: (node) => names.organization(node.organization.id),
            order: (node) => names.organization(node.organization.id),
          },
          {
            key: "state",
            head: t("admin.state"),
            cell: (node) => <NodeState status={node.status} />,
            order: (node) => node.status,
          },
          {
            key: "seen",
            head: t("admin.seen"),
            cell: (node) => ago(node.last_seen),
            order: (node) => node.last_seen,
          },
          {
            key: "deeds",
            head: t("admin.deeds"),
            cell: (node) =>
              may("DELETE /collaboration/{id}/node", {
                collaboration: id,
                organization: node.organization.id,
              }) && (
                <button
                  type="button"
                  class="plain small"
                  aria-label={t("admin.collaboration.detach.one", { name: plainLine(node.name) })}
                  onClick={() => setLeaving(node)}
                >
                  {t("admin.collaboration.detach")}
                </button>
              ),
          },
        ]}
      />
      {missing.length > 0 && (
        <ul class="rows">
          {missing.map((one) => (
            <li key={one.id}>
              <a href={`/app/admin/nodes/new?organization=${one.id}&collaboration=${id}`}>
                {t("admin.node.new.for", { name: names.organization(one.id) })}
              </a>
            </li>
          ))}
        </ul>
      )}
      {leaving && (
        <Confirm
          title={t("admin.collaboration.detach.title", { name: plainLine(leaving.name) })}
          deed={t("admin.collaboration.detach")}
          what={[plainLine(leaving.name)]}
          act={async () => {
            const params = { path: { id } };
            await take(
              api.DELETE("/collaboration/{id}/node", {
                params,
                body: { id: leaving.id },
              }),
            );
            changed();
          }}
          close={() => setLeaving(null)}
        >
          <p>{t("admin.collaboration.detach.text")}</p>
        </Confirm>
      )}
    </section>
  );
}
