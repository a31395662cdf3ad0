import { useLocation, useRoute } from "preact-iso";
import { useEffect, useState } from "preact/hooks";
import { api, take, type Schemas } from "../../api/client";
import { useLoad } from "../../api/load";
import { loadRights, may, rights, rulesOf } from "../../api/permissions";
import { t } from "../../language";
import { Confirm } from "../../ui/Dialog";
import { Field } from "../../ui/Field";
import { Show } from "../../ui/Loading";
import { Notice } from "../../ui/Notice";
import { Page } from "../../ui/Page";
import { plainLine } from "../../ui/plain";
import { AdminPage } from "./AdminPage";
import { useDeed } from "../../ui/useDeed";
import { Facts, Form, idOf } from "./forms";
import { readNames, type Names } from "./names";
import { place } from "./Roles";
import { RuleMatrix, RuleSentences } from "./RuleMatrix";

type Role = Schemas["RoleReply"];

/** One role as a matrix of rules. */
export default function RolePage() {
  const id = idOf(useRoute().params);
  return <AdminPage needs={["GET /role"]}>{() => <One id={id ?? 0} />}</AdminPage>;
}

function One({ id }: { id: number }) {
  // The list shows one's own roles as well, which are not within everybody's reach one by one.
  const found = useLoad((signal) => readNames(signal, "organizations", "roles"), [id]);
  const role = found.data?.roles.find((one) => one.id === id);
  return (
    <Page title={plainLine(role?.name) || t("admin.role")}>
      <Show from={found}>
        {(names) => {
          if (!role) return <Notice kind="warning">{t("admin.role.unknown")}</Notice>;
          return <Loaded key={role.id} role={role} names={names} changed={found.reload} />;
        }}
      </Show>
    </Page>
  );
}

function Loaded({ role, names, changed }: { role: Role; names: Names; changed: () => void }) {
  const organization = role.organization?.id ?? null;
  const held = rulesOf([role]);
  const mayEdit = may("PATCH /role/{id}", { organization });
  const mayChange = may("PATCH /role/{id} rules", { organization, rules: held });
  const rules = rights.value?.all ?? [];
  return (
    <>
      <Facts
        rows={[
          [t("admin.role.of"), place(organization, names)],
          [t("admin.users"), String(role.users?.length ?? 0)],
          ...(mayEdit
            ? []
            : [[t("admin.description"), plainLine(role.description)] as [string, string]]),
        ]}
      />
      {organization === null && <p class="hint">{t("admin.role.default")}</p>}
      {mayEdit && !mayChange && <p class="hint">{t("admin.role.beyond")}</p>}
      {mayEdit ? (
        <Edit role={role} organization={organization} mayChange={mayChange} changed={changed} />
      ) : (
        <>
          <RuleMatrix
            caption={t("admin.role.rules")}
            rules={rules}
            chosen={held}
            isOpen={() => false}
          />
          <RuleSentences rules={rules} chosen={held} />
        </>
      )}
      <Delete role={role} organization={organization} />
    </>
  );
}

interface EditProps {
  role: Role;
  organization: number | null;
  mayChange: boolean;
  changed: () => void;
}

function Edit({ role, organization, mayChange, changed }: EditProps) {
  const deed = useDeed();
  const [chosen, setChosen] = useState<ReadonlySet<number>>(rulesOf([role]));
  // Also after they were changed in another tab.
  useEffect(() => setChosen(rulesOf([role])), [[...rulesOf([role])].join()]);
  const rules = rights.value?.all ?? [];
  return (
    <Form
      label={t("admin.role")}
      deed={deed}
      submit={t("admin.save")}
      send={async (text) => {
        const body = {
          name: text("name"),
          description: text("description"),
          ...(mayChange && { rules: [...chosen] }),
        };
        await take(api.PATCH("/role/{id}", { params: { path: { id: role.id } }, body }));
        // It may be a role of the user itself.
        await loadRights();
        changed();
        return t("admin.saved");
      }}
    >
      <div class="columns">
        <Field
          name="name"
          label={t("admin.name")}
          required
          maxLength={255}
          defaultValue={role.name}
        />
        <Field
          name="description"
          label={t("admin.description")}
          maxLength={4096}
          defaultValue={role.description}
        />
      </div>
      {mayChange && <p class="hint">{t("admin.role.held")}</p>}
      <RuleMatrix
        caption={t("admin.role.rules")}
        rules={rules}
        chosen={chosen}
        isOpen={({ id }) => may("PATCH /role/{id} rules", { organization, rules: [id] })}
        change={mayChange ? setChosen : undefined}
      />
      <RuleSentences rules={rules} chosen={chosen} />
    </Form>
  );
}

function Delete({ role, organization }: { role: Role; organization: number | null }) {
  const [isAsking, setAsking] = useState(false);
  const { route } = useLocation();
  const name = plainLine(role.name);
  if (!may("DELETE /role/{id}", { organization, rules: rulesOf([role]) })) return null;
  return (
    <section class="last">
      <button type="button" class="danger" onClick={() => setAsking(true)}>
        {t("admin.role.delete", { name })}
      </button>
      {isAsking && (
        <Confirm
          title={t("admin.role.delete.title", { name })}
          deed={t("admin.role.delete", { name })}
          what={[name, t("admin.role.delete.users", { count: role.users?.length ?? 0 })]}
          act={async () => {
            await take(api.DELETE("/role/{id}", { params: { path: { id: role.id } } }));
            await loadRights();
            route("/app/admin/roles");
          }}
          close={() => setAsking(false)}
        >
          <p>{t("admin.role.delete.text")}</p>
        </Confirm>
      )}
    </section>
  );
}
