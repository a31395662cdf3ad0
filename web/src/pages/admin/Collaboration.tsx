import { useLocation, useRoute } from "preact-iso";
import { useState } from "preact/hooks";
import { api, take, takeList, type Schemas } from "../../api/client";
import { useLoad } from "../../api/load";
import { loadRights, may } from "../../api/permissions";
import { t } from "../../language";
import { Confirm } from "../../ui/Dialog";
import { Field } from "../../ui/Field";
import { Show } from "../../ui/Loading";
import { Notice } from "../../ui/Notice";
import { Page } from "../../ui/Page";
import { plainLine } from "../../ui/plain";
import { AdminPage } from "./AdminPage";
import { Encryption } from "./Collaborations";
import { CollaborationNodes } from "./CollaborationNodes";
import { useDeed } from "../../ui/useDeed";
import { Form, idOf, Tick } from "./forms";
import { Members } from "./Members";
import { readNames, type Names } from "./names";

type Collaboration = Schemas["CollaborationReply"];

/** What the parts of the page of a collaboration are given. */
export interface Parts {
  collaboration: Collaboration;
  names: Names;
  nodes: Schemas["NodeShortReply"][];
  invitations: Schemas["InvitationReply"][];
  changed: () => void;
}

/** One collaboration: its members, its nodes, its encryption. */
export default function CollaborationPage() {
  const id = idOf(useRoute().params);
  return <AdminPage needs={["GET /collaboration"]}>{() => <One id={id ?? 0} />}</AdminPage>;
}

function One({ id }: { id: number }) {
  const found = useLoad((signal) => read(id, signal), [id]);
  return (
    <Page title={plainLine(found.data?.collaboration.name) || t("admin.collaboration")}>
      <Show from={found}>
        {(parts) =>
          parts ? (
            <>
              <Encryption isOn={parts.collaboration.encrypted} />
              <Members {...parts} changed={found.reload} />
              <CollaborationNodes {...parts} changed={found.reload} />
              <Edit collaboration={parts.collaboration} changed={found.reload} />
              <Delete {...parts} />
            </>
          ) : (
            <Notice kind="warning">{t("admin.collaboration.closed")}</Notice>
          )
        }
      </Show>
    </Page>
  );
}

async function read(id: number, signal: AbortSignal): Promise<Omit<Parts, "changed"> | null> {
  const subject = { collaboration: id };
  if (!may("GET /collaboration/{id}", subject)) return null;
  const params = { path: { id } };
  const query = { collaboration_id: id };
  const none = { rows: [], total: 0 };
  const [collaboration, names, nodes, invitations] = await Promise.all([
    take(api.GET("/collaboration/{id}", { params, signal })),
    readNames(signal, "organizations"),
    may("GET /collaboration/{id}/node", subject)
      ? takeList(api.GET("/collaboration/{id}/node", { params, signal }))
      : none,
    takeList(api.GET("/invitation", { params: { query }, signal })),
  ]);
  return { collaboration, names, nodes: nodes.rows, invitations: invitations.rows };
}

function Edit({ collaboration, changed }: { collaboration: Collaboration; changed: () => void }) {
  const deed = useDeed();
  const { id, name, encrypted } = collaboration;
  const organizations = (collaboration.organizations ?? []).map((one) => one.id);
  const mayEncrypt = may("PATCH /collaboration/{id} encryption", {
    collaboration: id,
    organizations,
  });
  if (!may("PATCH /collaboration/{id}", { collaboration: id })) return null;
  return (
    <section>
      <h2>{t("admin.settings")}</h2>
      <Form
        label={t("admin.settings")}
        deed={deed}
        submit={t("admin.save")}
        send={async (text) => {
          const body = {
            name: text("name"),
            ...(mayEncrypt && { encrypted: text("encrypted") === "on" }),
          };
          await take(api.PATCH("/collaboration/{id}", { params: { path: { id } }, body }));
          changed();
          return t("admin.saved");
        }}
      >
        <Field name="name" label={t("admin.name")} required maxLength={255} defaultValue={name} />
        <Tick
          name="encrypted"
          label={t("admin.collaboration.encrypt")}
          hint={t(
            mayEncrypt ? "admin.collaboration.encrypt.hint" : "admin.collaboration.encrypt.fixed",
          )}
          isOn={encrypted}
          isOff={!mayEncrypt}
        />
      </Form>
    </section>
  );
}

function Delete({ collaboration, names }: Pick<Parts, "collaboration" | "names">) {
  const [isAsking, setAsking] = useState(false);
  const { route } = useLocation();
  const { id } = collaboration;
  const name = plainLine(collaboration.name);
  if (!may("DELETE /collaboration/{id}", { collaboration: id })) return null;
  const members = (collaboration.organizations ?? []).map((one) => names.organization(one.id));
  return (
    <section class="last">
      <button type="button" class="danger" onClick={() => setAsking(true)}>
        {t("admin.collaboration.delete")}
      </button>
      {isAsking && (
        <Confirm
          title={t("admin.collaboration.delete.title", { name })}
          deed={t("admin.collaboration.delete")}
          what={[
            name,
            t("admin.collaboration.delete.members", { members: members.join(", ") }),
            t("admin.collaboration.delete.tasks"),
          ]}
          act={async () => {
            await take(api.DELETE("/collaboration/{id}", { params: { path: { id } } }));
            await loadRights();
            route("/app/admin/collaborations");
          }}
          close={() => setAsking(false)}
        >
          <p>{t("admin.collaboration.delete.text")}</p>
        </Confirm>
      )}
    </section>
  );
}
