import { useState } from "preact/hooks";
import { api, take, takeList } from "../../api/client";
import { useLoad } from "../../api/load";
import { may } from "../../api/permissions";
import { user } from "../../api/session";
import { t } from "../../language";
import { Field } from "../../ui/Field";
import { Notice } from "../../ui/Notice";
import { plainLine } from "../../ui/plain";
import { useSubmit } from "../../ui/useSubmit";
import { written } from "../../ui/form";

/** Names and mail address, and the place of the user, which others decide. */
export function Profile() {
  const [isSaved, setSaved] = useState(false);
  const me = user.value;
  const { submit, isBusy, error } = useSubmit(async (form) => {
    if (!me) return;
    setSaved(false);
    const body = {
      firstname: written(form, "firstname"),
      lastname: written(form, "lastname"),
      email: written(form, "email").trim() || null,
      current_password: written(form, "password") || null,
      username: null,
      password: null,
      roles: null,
      rules: null,
    };
    const params = { path: { id: me.id } };
    user.value = { ...me, ...(await take(api.PATCH("/user/{id}", { params, body }))) };
    form.reset();
    setSaved(true);
  });
  if (!me) return null;
  const mayEdit = may("PATCH /user/{id}", {
    user: me.id,
    organization: me.organization?.id ?? null,
  });
  return (
    <>
      <Place />
      {isSaved && <Notice kind="done">{t("me.saved")}</Notice>}
      {error && <Notice kind="error">{error.message}</Notice>}
      {!mayEdit && <p class="quiet">{t("me.read_only")}</p>}
      <form onSubmit={submit}>
        <fieldset disabled={!mayEdit}>
          <Field
            name="firstname"
            label={t("me.firstname")}
            defaultValue={me.firstname ?? ""}
            autocomplete="given-name"
            maxLength={255}
          />
          <Field
            name="lastname"
            label={t("me.lastname")}
            defaultValue={me.lastname ?? ""}
            autocomplete="family-name"
            maxLength={255}
          />
          <Field
            name="email"
            type="email"
            label={t("me.email")}
            hint={t("me.email_hint")}
            defaultValue={me.email ?? ""}
            autocomplete="email"
            maxLength={255}
            required
          />
          {mayEdit && (
            <>
              <Field
                name="password"
                type="password"
                label={t("me.confirm")}
                hint={t("me.confirm_hint")}
                autocomplete="current-password"
              />
              <button type="submit" disabled={isBusy}>
                {t("me.save")}
              </button>
            </>
          )}
        </fieldset>
      </form>
    </>
  );
}

/** Where the user belongs. */
function Place() {
  const me = user.value;
  const place = useLoad(
    async (signal) => {
      const organization = me?.organization?.id;
      const [home, roles] = await Promise.all([
        organization !== undefined && may("GET /organization/{id}", { organization })
          ? take(api.GET("/organization/{id}", { params: { path: { id: organization } }, signal }))
          : null,
        takeList(api.GET("/role", { params: { query: { user_id: me?.id ?? null } }, signal })),
      ]);
      return { organization: home?.name, roles: roles.rows.map(({ name }) => name) };
    },
    [me?.id],
  );
  const known = place.data;
  return (
    <dl class="facts">
      <dt>{t("me.username")}</dt>
      <dd>{plainLine(me?.username)}</dd>
      <dt>{t("me.organization")}</dt>
      <dd>{known && (plainLine(known.organization) || t("me.no_organization"))}</dd>
      <dt>{t("me.roles")}</dt>
      <dd>{known && (known.roles.map(plainLine).join(", ") || t("me.no_roles"))}</dd>
    </dl>
  );
}
