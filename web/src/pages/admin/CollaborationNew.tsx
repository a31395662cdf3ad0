import { useLocation } from "preact-iso";
import { useState } from "preact/hooks";
import { api, take } from "../../api/client";
import { useLoad } from "../../api/load";
import { loadRights, may } from "../../api/permissions";
import { t } from "../../language";
import { Field } from "../../ui/Field";
import { Show } from "../../ui/Loading";
import { plainLine } from "../../ui/plain";
import { AdminPage } from "./AdminPage";
import { useDeed } from "../../ui/useDeed";
import { Form, Tick } from "./forms";
import { readNames, type Names } from "./names";

export default function CollaborationNew() {
  return (
    <AdminPage
      title={t("admin.collaboration.new")}
      needs={["POST /collaboration", "GET /organization"]}
    >
      {() => <Load />}
    </AdminPage>
  );
}

function Load() {
  const found = useLoad((signal) => readNames(signal, "organizations"), []);
  return <Show from={found}>{(names) => <Create names={names} />}</Show>;
}

function Create({ names }: { names: Names }) {
  const deed = useDeed();
  const { route } = useLocation();
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const usable = names.organizations.filter(({ id }) =>
    may("POST /collaboration", { organizations: [id] }),
  );

  function choose(id: number, isOn: boolean): void {
    const next = new Set(chosen);
    if (isOn) next.add(id);
    else next.delete(id);
    setChosen(next);
  }

  return (
    <Form
      label={t("admin.collaboration.new")}
      deed={deed}
      submit={t("admin.collaboration.create")}
      send={async (text) => {
        if (chosen.size === 0) throw new Error(t("admin.collaboration.needs_member"));
        const body = {
          name: text("name"),
          organization_ids: [...chosen],
          encrypted: text("encrypted") === "on",
        };
        const made = await take(api.POST("/collaboration", { body }));
        await loadRights();
        route(`/app/admin/collaborations/${made.id}`);
      }}
    >
      <Field name="name" label={t("admin.name")} required maxLength={255} />
      <Tick
        name="encrypted"
        label={t("admin.collaboration.encrypt")}
        hint={t("admin.collaboration.encrypt.hint")}
        isOn
      />
      <fieldset class="choices">
        <legend>{t("admin.collaboration.members")}</legend>
        <small class="hint">{t("admin.collaboration.members.hint")}</small>
        {usable.map(({ id, name }) => (
          <Tick
            key={id}
            name={`organization-${id}`}
            label={plainLine(name)}
            isOn={chosen.has(id)}
            change={(isOn) => choose(id, isOn)}
          />
        ))}
      </fieldset>
    </Form>
  );
}
