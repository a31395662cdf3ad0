import { useLocation } from "preact-iso";
import { useState } from "preact/hooks";
import { api, take } from "../../api/client";
import { useLoad } from "../../api/load";
import { may, ownOrganization } from "../../api/permissions";
import { t } from "../../language";
import { CopyButton } from "../../ui/CopyButton";
import { Field } from "../../ui/Field";
import { Show } from "../../ui/Loading";
import { Notice } from "../../ui/Notice";
import { plainLine } from "../../ui/plain";
import { AdminPage } from "./AdminPage";
import { useDeed } from "../../ui/useDeed";
import { Facts, Form, orNull, Outcome, Select } from "./forms";
import { readNames, type Names, type User } from "./names";
import { makePassword } from "./passwords";
import { RoleChoice } from "./RoleChoice";

export default function UserNew() {
  return (
    <AdminPage title={t("admin.user.new")} needs={["GET /organization"]}>
      {() => <Load />}
    </AdminPage>
  );
}

function Load() {
  const found = useLoad((signal) => readNames(signal, "organizations", "roles"), []);
  return <Show from={found}>{(names) => <Create names={names} />}</Show>;
}

interface Made {
  user: User;
  password: string;
}

function Create({ names }: { names: Names }) {
  const { query } = useLocation();
  const usable = names.organizations.filter(({ id }) => may("POST /user", { organization: id }));
  const given = usable.find(({ id }) => id === Number(query["organization"]));
  const own = usable.find(({ id }) => id === ownOrganization());
  const [organization, setOrganization] = useState<number | null>(
    (given ?? own ?? usable[0])?.id ?? null,
  );
  const [roles, setRoles] = useState<ReadonlySet<number>>(new Set());
  const [password, setPassword] = useState(makePassword);
  const [made, setMade] = useState<Made | null>(null);
  const deed = useDeed();

  if (usable.length === 0) return <Notice kind="warning">{t("admin.user.closed")}</Notice>;
  if (made)
    return (
      <Handover
        made={made}
        again={() => {
          setMade(null);
          setRoles(new Set());
          setPassword(makePassword());
        }}
      />
    );
  return (
    <Form
      label={t("admin.user.new")}
      deed={deed}
      submit={t("admin.user.create")}
      send={async (text) => {
        const body = {
          username: text("username"),
          firstname: orNull(text("firstname")),
          lastname: orNull(text("lastname")),
          email: orNull(text("email")),
          password,
          organization_id: organization,
          roles: [...roles],
        };
        setMade({ user: await take(api.POST("/user", { body })), password });
      }}
    >
      <div class="columns">
        <Field
          name="username"
          label={t("admin.user.username")}
          required
          maxLength={255}
          autocomplete="off"
        />
        <Field
          name="email"
          type="email"
          label={t("admin.user.email")}
          hint={t("admin.user.email.hint")}
          maxLength={255}
          autocomplete="off"
        />
        <Field
          name="firstname"
          label={t("admin.user.firstname")}
          maxLength={255}
          autocomplete="off"
        />
        <Field
          name="lastname"
          label={t("admin.user.lastname")}
          maxLength={255}
          autocomplete="off"
        />
      </div>
      <Select
        name="organization"
        label={t("admin.organization")}
        options={usable.map(({ id, name }) => ({ value: id, text: plainLine(name) }))}
        value={organization}
        isRequired
        change={(id) => {
          setOrganization(id);
          setRoles(new Set());
        }}
      />
      <RoleChoice
        roles={names.roles}
        organization={organization}
        chosen={roles}
        change={setRoles}
        request="POST /user"
        subject={{ organization }}
      />
      <Field
        name="password"
        label={t("admin.user.password")}
        hint={t("admin.user.password.hint")}
        required
        value={password}
        autocomplete="off"
        spellcheck={false}
        onInput={(event) => setPassword(event.currentTarget.value)}
      />
    </Form>
  );
}

/** What the new user needs: shown once, as the server keeps no password. */
function Handover({ made, again }: { made: Made; again: () => void }) {
  const deed = useDeed();
  const name = plainLine(made.user.username);
  return (
    <>
      <Notice kind="done">{t("admin.user.made", { name })}</Notice>
      <section class="panel">
        <h2>{t("admin.user.handover")}</h2>
        <Facts
          rows={[
            [t("admin.user.address"), <code>{`${location.origin}/app/`}</code>],
            [t("admin.user.username"), <code>{name}</code>],
            [
              t("admin.user.password"),
              <span class="copy">
                <code>{made.password}</code>
                <CopyButton text={made.password} label={t("admin.user.password.copy")} />
              </span>,
            ],
          ]}
        />
        <p>{t("admin.user.handover.text")}</p>
        {made.user.email && (
          <button
            type="button"
            class="plain"
            disabled={deed.isBusy}
            onClick={() =>
              deed.act(async () => {
                const body = { username: made.user.username };
                await take(api.POST("/recover/lost", { body }));
                return t("admin.user.mailed", {
                  email: plainLine(made.user.email),
                });
              })
            }
          >
            {t("admin.user.mail")}
          </button>
        )}
        <Outcome deed={deed} />
      </section>
      <div class="actions">
        <a class="button" href={`/app/admin/users/${made.user.id}`}>
          {t("admin.user.show", { name })}
        </a>
        <button type="button" class="plain" onClick={again}>
          {t("admin.user.another")}
        </button>
      </div>
    </>
  );
}
