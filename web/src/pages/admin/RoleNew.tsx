import { useLocation } from "preact-iso";
import { useState } from "preact/hooks";
import { api, take } from "../../api/client";
import { useLoad } from "../../api/load";
import { may, ownOrganization, rights } from "../../api/permissions";
import { t } from "../../language";
import { Field } from "../../ui/Field";
import { Show } from "../../ui/Loading";
import { Notice } from "../../ui/Notice";
import { plainLine } from "../../ui/plain";
import { AdminPage } from "./AdminPage";
import { useDeed } from "../../ui/useDeed";
import { Form, Select } from "./forms";
import { readNames, type Names } from "./names";
import { RuleMatrix, RuleSentences } from "./RuleMatrix";

export default function RoleNew() {
  return (
    <AdminPage title={t("admin.role.new")} needs={["GET /role", "GET /organization"]}>
      {() => <Load />}
    </AdminPage>
  );
}

function Load() {
  const found = useLoad((signal) => readNames(signal, "organizations", "roles"), []);
  return <Show from={found}>{(names) => <Create names={names} />}</Show>;
}

function Create({ names }: { names: Names }) {
  const deed = useDeed();
  const { route } = useLocation();
  const usable = names.organizations.filter(({ id }) => may("POST /role", { organization: id }));
  const own = usable.find(({ id }) => id === ownOrganization()) ?? usable[0];
  const [organization, setOrganization] = useState<number | null>(own?.id ?? null);
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const rules = rights.value?.all ?? [];
  if (usable.length === 0) return <Notice kind="warning">{t("admin.role.closed")}</Notice>;

  /** Begin with the rules of another role, as far as the user may give them. */
  function copy(id: number | null): void {
    const role = names.roles.find((one) => one.id === id);
    const given = (role?.rules ?? []).map((rule) => rule.id);
    setChosen(new Set(given.filter((rule) => may("POST /role", { organization, rules: [rule] }))));
  }

  return (
    <Form
      label={t("admin.role.new")}
      deed={deed}
      submit={t("admin.role.create")}
      send={async (text) => {
        const body = {
          name: text("name"),
          description: text("description"),
          organization_id: organization,
          rules: [...chosen],
        };
        const made = await take(api.POST("/role", { body }));
        route(`/app/admin/roles/${made.id}`);
      }}
    >
      <div class="columns">
        <Field name="name" label={t("admin.name")} required maxLength={255} />
        <Field name="description" label={t("admin.description")} maxLength={4096} />
        <Select
          name="organization"
          label={t("admin.organization")}
          options={usable.map(({ id, name }) => ({ value: id, text: plainLine(name) }))}
          value={organization}
          isRequired
          change={setOrganization}
        />
        <Select
          name="like"
          label={t("admin.role.like")}
          none={t("admin.none")}
          options={names.roles.map(({ id, name }) => ({
            value: id,
            text: plainLine(name),
          }))}
          change={copy}
        />
      </div>
      <p class="hint">{t("admin.role.held")}</p>
      <RuleMatrix
        caption={t("admin.role.rules")}
        rules={rules}
        chosen={chosen}
        isOpen={({ id }) => may("POST /role", { organization, rules: [id] })}
        change={setChosen}
      />
      <RuleSentences rules={rules} chosen={chosen} />
    </Form>
  );
}
