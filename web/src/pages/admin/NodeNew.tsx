import { useLocation } from "preact-iso";
import { useState } from "preact/hooks";
import { api, take, type Schemas } from "../../api/client";
import { useLoad } from "../../api/load";
import { may, ownOrganization } from "../../api/permissions";
import { t } from "../../language";
import { Field } from "../../ui/Field";
import { Show } from "../../ui/Loading";
import { Notice } from "../../ui/Notice";
import { plainLine } from "../../ui/plain";
import { AdminPage } from "./AdminPage";
import { useDeed } from "../../ui/useDeed";
import { Form, orNull, Select } from "./forms";
import { readNames, type Names } from "./names";
import { NodeKey } from "./NodeKey";

export default function NodeNew() {
  return (
    <AdminPage title={t("admin.node.new")} needs={["GET /organization", "GET /collaboration"]}>
      {() => <Load />}
    </AdminPage>
  );
}

function Load() {
  const found = useLoad((signal) => readNames(signal, "organizations", "collaborations"), []);
  return <Show from={found}>{(names) => <Create names={names} />}</Show>;
}

function Create({ names }: { names: Names }) {
  const { query } = useLocation();
  const usable = names.organizations.filter(({ id }) => may("POST /node", { organization: id }));
  const given = usable.find(({ id }) => id === Number(query["organization"]));
  const own = usable.find(({ id }) => id === ownOrganization());
  const [organization, setOrganization] = useState((given ?? own ?? usable[0])?.id ?? null);
  const places = names.collaborations.filter((one) => isPlace(one, organization));
  const [collaboration, setCollaboration] = useState<number | null>(
    Number(query["collaboration"]) || null,
  );
  const chosen = places.find(({ id }) => id === collaboration) ?? places[0];
  const [made, setMade] = useState<Schemas["NodeReply"] | null>(null);
  const deed = useDeed();

  if (usable.length === 0) return <Notice kind="warning">{t("admin.node.closed")}</Notice>;
  if (made?.api_key)
    return (
      <>
        <Notice kind="done">{t("admin.node.made", { name: plainLine(made.name) })}</Notice>
        <NodeKey
          name={made.name ?? `node-${made.id}`}
          apiKey={made.api_key}
          isEncrypted={chosen?.encrypted}
        />
        <a class="button" href={`/app/admin/nodes/${made.id}`}>
          {t("admin.node.show")}
        </a>
      </>
    );
  return (
    <Form
      label={t("admin.node.new")}
      deed={deed}
      submit={t("admin.node.create")}
      send={async (text) => {
        if (!chosen) throw new Error(t("admin.node.nowhere"));
        const body = {
          organization_id: organization,
          collaboration_id: chosen.id,
          name: orNull(text("name")),
        };
        setMade(await take(api.POST("/node", { body })));
      }}
    >
      <Select
        name="organization"
        label={t("admin.organization")}
        options={usable.map(({ id, name }) => ({ value: id, text: plainLine(name) }))}
        value={organization}
        isRequired
        change={setOrganization}
      />
      {chosen ? (
        <Select
          name="collaboration"
          label={t("admin.collaboration")}
          hint={t("admin.node.collaboration.hint")}
          options={places.map(({ id, name }) => ({ value: id, text: plainLine(name) }))}
          value={chosen.id}
          isRequired
          change={setCollaboration}
        />
      ) : (
        <Notice kind="warning">{t("admin.node.nowhere")}</Notice>
      )}
      <Field
        name="name"
        label={t("admin.name")}
        hint={t("admin.node.name.hint")}
        maxLength={255}
        autocomplete="off"
      />
    </Form>
  );
}

/** Whether an organization is in a collaboration. */
function isPlace(one: Schemas["CollaborationReply"], organization: number | null): boolean {
  return (one.organizations ?? []).some(({ id }) => id === organization);
}
