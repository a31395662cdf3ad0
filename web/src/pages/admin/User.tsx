import { useLocation, useRoute } from "preact-iso";
import { useEffect, useState } from "preact/hooks";
import { api, take, takeList } from "../../api/client";
import { useLoad } from "../../api/load";
import { may, rulesOf } from "../../api/permissions";
import type { Subject } from "../../api/allowed";
import { user as me } from "../../api/session";
import { t } from "../../language";
import { Confirm } from "../../ui/Dialog";
import { Field } from "../../ui/Field";
import { Show } from "../../ui/Loading";
import { Notice } from "../../ui/Notice";
import { Page } from "../../ui/Page";
import { plainLine } from "../../ui/plain";
import { ago } from "../../ui/time";
import { AdminPage } from "./AdminPage";
import { useDeed } from "../../ui/useDeed";
import { Facts, Form, idOf } from "./forms";
import { readNames, readUser, type Names, type User } from "./names";
import { RoleChoice } from "./RoleChoice";
import { UserAccess } from "./UserAccess";
import { fullName } from "./Users";

/** What the parts of the page of a user are given. */
export interface Parts {
  user: User;
  names: Names;
  /** The user with its organization and rules, for `may`. */
  subject: Subject;
  changed: () => void;
}

/** One user: who that is, what the account may do, and where it is signed in. */
export default function UserPage() {
  const id = idOf(useRoute().params);
  return <AdminPage needs={["GET /role"]}>{() => <One id={id ?? 0} />}</AdminPage>;
}

function One({ id }: { id: number }) {
  const found = useLoad((signal) => read(id, signal), [id]);
  return (
    <Page title={plainLine(found.data?.user.username) || t("admin.user")}>
      <Show from={found}>
        {(parts) =>
          parts ? (
            <>
              {id === me.value?.id && <Notice kind="info">{t("admin.user.oneself")}</Notice>}
              <About {...parts} changed={found.reload} />
              <Roles {...parts} changed={found.reload} />
              <UserAccess {...parts} changed={found.reload} />
              <Delete {...parts} />
            </>
          ) : (
            <Notice kind="warning">{t("admin.user.unknown")}</Notice>
          )
        }
      </Show>
    </Page>
  );
}

async function read(id: number, signal: AbortSignal): Promise<Omit<Parts, "changed"> | null> {
  const user = await readUser(id, signal);
  if (!user) return null;
  const query = { user_id: id };
  const [names, own] = await Promise.all([
    readNames(signal, "organizations", "roles"),
    takeList(api.GET("/role", { params: { query }, signal })),
  ]);
  const rules = rulesOf(own.rows, user.rules);
  // A role that one does not see may hold rules that one lacks.
  if ((user.roles ?? []).length > own.rows.length) rules.add(-1);
  return {
    user,
    names,
    subject: { user: id, organization: user.organization?.id ?? null, rules },
  };
}

export function About({ user, names, subject, changed }: Parts) {
  const deed = useDeed();
  const params = { path: { id: user.id } };
  const facts: [string, string][] = [
    [t("admin.organization"), names.organization(user.organization?.id)],
    [t("admin.seen"), ago(user.last_seen)],
  ];
  if (user.id === me.value?.id || !may("PATCH /user/{id}", subject))
    return (
      <Facts
        rows={[
          [t("admin.user.fullname"), fullName(user)],
          [t("admin.user.email"), plainLine(user.email)],
          ...facts,
        ]}
      />
    );
  return (
    <section>
      <Facts rows={facts} />
      <Form
        label={t("admin.user.about")}
        deed={deed}
        submit={t("admin.save")}
        send={async (text) => {
          const body = {
            firstname: text("firstname"),
            lastname: text("lastname"),
            ...(text("email") && { email: text("email") }),
          };
          await take(api.PATCH("/user/{id}", { params, body }));
          changed();
          return t("admin.saved");
        }}
      >
        <div class="columns">
          <Field
            name="firstname"
            label={t("admin.user.firstname")}
            defaultValue={user.firstname ?? ""}
          />
          <Field
            name="lastname"
            label={t("admin.user.lastname")}
            defaultValue={user.lastname ?? ""}
          />
          <Field
            name="email"
            type="email"
            label={t("admin.user.email")}
            hint={t("admin.user.email.changes")}
            // The server takes no address away: an empty one would stay as it was.
            required={Boolean(user.email)}
            defaultValue={user.email ?? ""}
          />
        </div>
      </Form>
    </section>
  );
}

function Roles({ user, names, subject, changed }: Parts) {
  const deed = useDeed();
  const held = new Set((user.roles ?? []).map(({ id }) => id));
  const [chosen, setChosen] = useState<ReadonlySet<number>>(held);
  // Also after another part of the page, or another tab, took them away.
  useEffect(() => setChosen(held), [[...held].join()]);
  const more = user.rules?.length ?? 0;
  if (!may("PATCH /user/{id} roles", subject))
    return (
      <section>
        <h2>{t("admin.roles")}</h2>
        <ul>
          {[...held].map((id) => (
            <li key={id}>
              <a href={`/app/admin/roles/${id}`}>{names.role(id)}</a>
            </li>
          ))}
        </ul>
        {held.size === 0 && <p class="quiet">{t("admin.user.no_roles")}</p>}
        {more > 0 && <p>{t("admin.user.rules", { count: more })}</p>}
      </section>
    );
  return (
    <section>
      <h2>{t("admin.user.may")}</h2>
      {more > 0 && <p>{t("admin.user.rules", { count: more })}</p>}
      <Form
        label={t("admin.roles")}
        deed={deed}
        submit={t("admin.user.roles.save")}
        send={async () => {
          const params = { path: { id: user.id } };
          await take(api.PATCH("/user/{id}", { params, body: { roles: [...chosen] } }));
          changed();
          return t("admin.saved");
        }}
      >
        <RoleChoice
          roles={names.roles}
          organization={user.organization?.id ?? null}
          chosen={chosen}
          change={setChosen}
          request="PATCH /user/{id} roles"
          subject={subject}
        />
      </Form>
    </section>
  );
}

function Delete({ user, subject }: Parts | Omit<Parts, "changed">) {
  const [isAsking, setAsking] = useState(false);
  const { route } = useLocation();
  const name = plainLine(user.username);
  if (user.id === me.value?.id || !may("DELETE /user/{id}", subject)) return null;
  return (
    <section class="last">
      <button type="button" class="danger" onClick={() => setAsking(true)}>
        {t("admin.user.delete", { name })}
      </button>
      {isAsking && (
        <Confirm
          title={t("admin.user.delete.title", { name })}
          deed={t("admin.user.delete", { name })}
          what={[[name, fullName(user), plainLine(user.email)].filter(Boolean).join(", ")]}
          act={async () => {
            await take(api.DELETE("/user/{id}", { params: { path: { id: user.id } } }));
            route("/app/admin/users");
          }}
          close={() => setAsking(false)}
        >
          <p>{t("admin.user.delete.text")}</p>
        </Confirm>
      )}
    </section>
  );
}
