import { useState } from "preact/hooks";
import { api, take } from "../../api/client";
import { loadRights, may } from "../../api/permissions";
import { t } from "../../language";
import { Confirm } from "../../ui/Dialog";
import { plainLine } from "../../ui/plain";
import type { Parts } from "./Collaboration";
import { useDeed } from "../../ui/useDeed";
import { Form, Outcome, Select } from "./forms";

/** The organizations in a collaboration: to add, to invite, to remove. */
export function Members({ collaboration, names, nodes, invitations, changed }: Parts) {
  const [leaving, setLeaving] = useState<number | null>(null);
  const { id } = collaboration;
  const members = (collaboration.organizations ?? []).map((one) => one.id);
  const mayRemove = may("DELETE /collaboration/{id}/organization", { collaboration: id });
  return (
    <section>
      <h2>{t("admin.collaboration.members")}</h2>
      <ul class="rows">
        {members.map((member) => (
          <li key={member}>
            <a href={`/app/admin/organizations/${member}`}>{names.organization(member)}</a>
            {mayRemove && (
              <button type="button" class="plain small" onClick={() => setLeaving(member)}>
                {t("admin.member.remove", { name: names.organization(member) })}
              </button>
            )}
          </li>
        ))}
      </ul>
      <Invited invitations={invitations} names={names} changed={changed} />
      <Add
        collaboration={collaboration}
        names={names}
        invitations={invitations}
        changed={changed}
      />
      {leaving !== null && (
        <Confirm
          title={t("admin.member.remove.title", { name: names.organization(leaving) })}
          deed={t("admin.member.remove", { name: names.organization(leaving) })}
          what={[
            t("admin.member.remove.what", {
              name: names.organization(leaving),
              collaboration: plainLine(collaboration.name),
            }),
            ...nodes
              .filter(({ organization }) => organization.id === leaving)
              .map(({ name }) => t("admin.member.remove.node", { name: plainLine(name) })),
          ]}
          act={async () => {
            const params = { path: { id } };
            const body = { id: leaving };
            await take(api.DELETE("/collaboration/{id}/organization", { params, body }));
            await loadRights();
            changed();
          }}
          close={() => setLeaving(null)}
        >
          <p>{t("admin.member.remove.text")}</p>
        </Confirm>
      )}
    </section>
  );
}

function Invited({
  invitations,
  names,
  changed,
}: Pick<Parts, "invitations" | "names" | "changed">) {
  const deed = useDeed();
  if (invitations.length === 0) return null;
  return (
    <>
      <h3>{t("admin.invitation.open")}</h3>
      <ul class="rows">
        {invitations.map((row) => {
          const subject = {
            collaboration: row.collaboration.id,
            organization: row.organization.id,
          };
          const name = names.organization(row.organization.id);
          return (
            <li key={row.id}>
              {name}
              {may("DELETE /invitation/{id}", subject) && (
                <button
                  type="button"
                  class="plain small"
                  disabled={deed.isBusy}
                  onClick={() =>
                    deed.act(async () => {
                      const params = { path: { id: row.id } };
                      await take(api.DELETE("/invitation/{id}", { params }));
                      changed();
                    })
                  }
                >
                  {t("admin.invitation.withdraw", { name })}
                </button>
              )}
            </li>
          );
        })}
      </ul>
      <Outcome deed={deed} />
    </>
  );
}

/** Add an organization that the user speaks for; invite any other. */
function Add({ collaboration, names, invitations, changed }: Omit<Parts, "nodes">) {
  const deed = useDeed();
  const [chosen, setChosen] = useState<number | null>(null);
  const { id } = collaboration;
  const present = new Set([
    ...(collaboration.organizations ?? []).map((one) => one.id),
    ...invitations.map((row) => row.organization.id),
  ]);
  const options = names.organizations
    .filter((one) => !present.has(one.id))
    .map((one) => ({ value: one.id, text: plainLine(one.name) }));
  if (!may("POST /invitation", { collaboration: id }) || options.length === 0) return null;
  const isDirect = may("POST /collaboration/{id}/organization", {
    collaboration: id,
    organization: chosen,
  });

  async function send(): Promise<string> {
    if (chosen === null) throw new Error(t("admin.member.choose"));
    const name = names.organization(chosen);
    if (isDirect) {
      const params = { path: { id } };
      await take(api.POST("/collaboration/{id}/organization", { params, body: { id: chosen } }));
      await loadRights();
    } else {
      await take(
        api.POST("/invitation", {
          body: { collaboration_id: id, organization_id: chosen },
        }),
      );
    }
    setChosen(null);
    changed();
    return t(isDirect ? "admin.member.added" : "admin.member.invited", { name });
  }

  return (
    <Form
      label={t("admin.member.add")}
      deed={deed}
      submit={t(isDirect || chosen === null ? "admin.member.add" : "admin.member.invite")}
      send={send}
    >
      <Select
        name="organization"
        label={t("admin.organization")}
        hint={t("admin.member.hint")}
        options={options}
        value={chosen}
        none={t("admin.choose")}
        change={setChosen}
      />
    </Form>
  );
}
