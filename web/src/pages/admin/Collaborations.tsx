import { api, take, takeList, type Schemas } from "../../api/client";
import { useLoad } from "../../api/load";
import { loadRights, may } from "../../api/permissions";
import { user } from "../../api/session";
import { t } from "../../language";
import { Show } from "../../ui/Loading";
import { plainLine } from "../../ui/plain";
import { State } from "../../ui/State";
import type { Column } from "../../ui/Table";
import { AdminPage } from "./AdminPage";
import { useDeed } from "../../ui/useDeed";
import { Outcome } from "./forms";
import { AdminList } from "./List";
import { readNames, type Names } from "./names";

type Collaboration = Schemas["CollaborationReply"];
type Invitation = Schemas["InvitationReply"];

/** All collaborations within reach, and what the own organization is invited to. */
export default function Collaborations() {
  return (
    <AdminPage
      title={t("admin.collaborations")}
      needs={["GET /collaboration"]}
      actions={() =>
        may("POST /collaboration") && (
          <a class="button" href="/app/admin/collaborations/new">
            {t("admin.collaboration.new")}
          </a>
        )
      }
    >
      {() => (
        <>
          <Invitations />
          <AdminList<Collaboration>
            caption={t("admin.collaborations")}
            search={t("admin.collaboration.search")}
            empty={t("admin.collaboration.empty")}
            columns={columns}
            ask={(query, signal) =>
              Promise.all([
                takeList(api.GET("/collaboration", { params: { query }, signal })),
                readNames(signal, "organizations"),
              ])
            }
          />
        </>
      )}
    </AdminPage>
  );
}

function columns(names: Names): Column<Collaboration>[] {
  return [
    {
      key: "name",
      head: t("admin.name"),
      cell: ({ id, name }) => <a href={`/app/admin/collaborations/${id}`}>{plainLine(name)}</a>,
      order: ({ name }) => name,
    },
    {
      key: "encrypted",
      head: t("admin.collaboration.encryption"),
      cell: ({ encrypted }) => <Encryption isOn={encrypted} />,
      order: ({ encrypted }) => (encrypted ? 1 : 0),
    },
    {
      key: "members",
      head: t("admin.collaboration.members"),
      cell: ({ organizations }) =>
        (organizations ?? []).map(({ id }) => names.organization(id)).join(", "),
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

export function Encryption({ isOn }: { isOn: boolean }) {
  return isOn ? (
    <State kind="good" text={t("admin.collaboration.encrypted")} />
  ) : (
    <State kind="warning" text={t("admin.collaboration.open")} />
  );
}

/** Invitations of the own organization, with a yes and a no. */
function Invitations() {
  const own = user.value?.organization?.id;
  const found = useLoad(
    async (signal) => {
      if (own === undefined || !may("GET /invitation")) return [];
      const query = { organization_id: own };
      return (await takeList(api.GET("/invitation", { params: { query }, signal }))).rows;
    },
    [own],
  );
  return (
    <Show from={found}>
      {(rows) =>
        rows.length > 0 && (
          <section class="panel">
            <h2>{t("admin.invitation.yours")}</h2>
            {rows.map((row) => (
              <InvitationRow key={row.id} row={row} changed={found.reload} />
            ))}
          </section>
        )
      }
    </Show>
  );
}

function InvitationRow({ row, changed }: { row: Invitation; changed: () => void }) {
  const deed = useDeed();
  const { collaboration } = row;
  const subject = { collaboration: collaboration.id, organization: row.organization.id };
  const members = collaboration.organizations.map(({ name }) => plainLine(name)).join(", ");
  const params = { path: { id: row.id } };
  return (
    <div class="item">
      <p>
        <strong>{plainLine(collaboration.name)}</strong>{" "}
        <Encryption isOn={collaboration.encrypted} />
        <br />
        <span class="quiet">{t("admin.invitation.members", { members })}</span>
      </p>
      <div class="actions">
        {may("POST /invitation/{id}/accept", subject) && (
          <button
            type="button"
            disabled={deed.isBusy}
            onClick={() =>
              deed.act(async () => {
                await take(api.POST("/invitation/{id}/accept", { params }));
                await loadRights();
                changed();
              })
            }
          >
            {t("admin.invitation.accept", { name: plainLine(collaboration.name) })}
          </button>
        )}
        {may("DELETE /invitation/{id}", subject) && (
          <button
            type="button"
            class="plain"
            disabled={deed.isBusy}
            onClick={() =>
              deed.act(async () => {
                await take(api.DELETE("/invitation/{id}", { params }));
                changed();
              })
            }
          >
            {t("admin.invitation.decline", { name: plainLine(collaboration.name) })}
          </button>
        )}
      </div>
      <Outcome deed={deed} />
    </div>
  );
}
