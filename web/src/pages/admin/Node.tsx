import { useLocation, useRoute } from "preact-iso";
import { useState } from "preact/hooks";
import { api, take } from "../../api/client";
import { useLoad } from "../../api/load";
import { may } from "../../api/permissions";
import { t } from "../../language";
import { Confirm } from "../../ui/Dialog";
import { Field } from "../../ui/Field";
import { Show } from "../../ui/Loading";
import { Notice } from "../../ui/Notice";
import { Page } from "../../ui/Page";
import { plain, plainLine } from "../../ui/plain";
import { NodeState } from "../../ui/State";
import { Table } from "../../ui/Table";
import { ago, moment } from "../../ui/time";
import { AdminPage } from "./AdminPage";
import { useDeed } from "../../ui/useDeed";
import { Facts, Form, idOf } from "./forms";
import { readNames, readNode, type Names, type Node } from "./names";
import { NodeKey } from "./NodeKey";

interface Given {
  node: Node;
  names: Names;
  changed: () => void;
}

/** One node: whether it is there, what it tells, its key. */
export default function NodePage() {
  const id = idOf(useRoute().params);
  return <AdminPage needs={["GET /node"]}>{() => <One key={id} id={id ?? 0} />}</AdminPage>;
}

function One({ id }: { id: number }) {
  const found = useLoad(
    (signal) =>
      Promise.all([readNode(id, signal), readNames(signal, "organizations", "collaborations")]),
    [id],
  );
  return (
    <Page title={plainLine(found.data?.[0]?.name) || t("admin.node.number", { id })}>
      <Show from={found}>
        {([node, names]) =>
          node ? (
            <Parts node={node} names={names} changed={found.reload} />
          ) : (
            <Notice kind="warning">{t("admin.node.unknown")}</Notice>
          )
        }
      </Show>
    </Page>
  );
}

function Parts({ node, names, changed }: Given) {
  return (
    <>
      <Facts
        rows={[
          [t("admin.state"), <NodeState status={node.status} />],
          [t("admin.organization"), names.organization(node.organization.id)],
          [t("admin.collaboration"), names.collaboration(node.collaboration?.id)],
          [
            t("admin.seen"),
            node.last_seen ? `${ago(node.last_seen)} (${moment(node.last_seen)})` : ago(null),
          ],
        ]}
      />
      <Told node={node} />
      <Edit node={node} names={names} changed={changed} />
      <Key node={node} names={names} />
      <Delete node={node} names={names} />
    </>
  );
}

/** What the node tells of its configuration. */
function Told({ node }: { node: Node }) {
  if (node.config.length === 0) return <p class="quiet">{t("admin.node.tells_nothing")}</p>;
  return (
    <Table
      caption={t("admin.node.told")}
      showCaption
      rows={node.config.map((item, at) => ({ ...item, at }))}
      keyOf={({ at }) => at}
      columns={[
        {
          key: "key",
          head: t("admin.node.setting"),
          cell: ({ key }) => plainLine(key),
          order: ({ key }) => key,
        },
        { key: "value", head: t("admin.node.value"), cell: ({ value }) => plain(value) },
      ]}
    />
  );
}

function Edit({ node, changed }: Given) {
  const deed = useDeed();
  if (!may("PATCH /node/{id}", { organization: node.organization.id })) return null;
  return (
    <section>
      <h2>{t("admin.settings")}</h2>
      <Form
        label={t("admin.settings")}
        deed={deed}
        submit={t("admin.save")}
        send={async (text) => {
          const params = { path: { id: node.id } };
          await take(api.PATCH("/node/{id}", { params, body: { name: text("name") } }));
          changed();
          return t("admin.saved");
        }}
      >
        <Field
          name="name"
          label={t("admin.name")}
          required
          maxLength={255}
          defaultValue={node.name ?? ""}
        />
      </Form>
    </section>
  );
}

function Key({ node, names }: Omit<Given, "changed">) {
  const [isAsking, setAsking] = useState(false);
  const [key, setKey] = useState<string | null>(null);
  const name = plainLine(node.name);
  const place = names.collaborations.find(({ id }) => id === node.collaboration?.id);
  if (!may("POST /recover/node", { organization: node.organization.id })) return null;
  return (
    <section>
      {key === null ? (
        <>
          <h2>{t("admin.node.key")}</h2>
          <p class="quiet">{t("admin.node.key.kept")}</p>
          <button type="button" class="plain" onClick={() => setAsking(true)}>
            {t("admin.node.reset")}
          </button>
        </>
      ) : (
        <NodeKey
          name={node.name ?? `node-${node.id}`}
          apiKey={key}
          isEncrypted={place?.encrypted}
        />
      )}
      {isAsking && (
        <Confirm
          title={t("admin.node.reset.title", { name })}
          deed={t("admin.node.reset")}
          what={[t("admin.node.reset.what", { name })]}
          act={async () => {
            const made = await take(api.POST("/recover/node", { body: { id: node.id } }));
            setKey(made.api_key);
          }}
          close={() => setAsking(false)}
        >
          <p>{t("admin.node.reset.text")}</p>
        </Confirm>
      )}
    </section>
  );
}

function Delete({ node, names }: Omit<Given, "changed">) {
  const [isAsking, setAsking] = useState(false);
  const { route } = useLocation();
  const name = plainLine(node.name) || t("admin.node.number", { id: node.id });
  if (!may("DELETE /node/{id}", { organization: node.organization.id })) return null;
  return (
    <section class="last">
      <button type="button" class="danger" onClick={() => setAsking(true)}>
        {t("admin.node.delete", { name })}
      </button>
      {isAsking && (
        <Confirm
          title={t("admin.node.delete.title", { name })}
          deed={t("admin.node.delete", { name })}
          what={[
            t("admin.node.delete.what", {
              name,
              organization: names.organization(node.organization.id),
              collaboration: names.collaboration(node.collaboration?.id),
            }),
          ]}
          act={async () => {
            await take(api.DELETE("/node/{id}", { params: { path: { id: node.id } } }));
            route("/app/admin/nodes");
          }}
          close={() => setAsking(false)}
        >
          <p>{t("admin.node.delete.text")}</p>
        </Confirm>
      )}
    </section>
  );
}
