import { useState } from "preact/hooks";
import { api, take } from "../../api/client";
import { user } from "../../api/session";
import { t } from "../../language";
import { Field } from "../../ui/Field";
import { Notice } from "../../ui/Notice";
import { useSubmit } from "../../ui/useSubmit";
import { written } from "../../ui/form";

/** Another password; all other sessions end with the old one. */
export function Password() {
  const [isDone, setDone] = useState(false);
  const { submit, isBusy, error } = useSubmit(async (form) => {
    setDone(false);
    await take(
      api.PATCH("/password/change", {
        body: { current_password: written(form, "current"), new_password: written(form, "new") },
      }),
    );
    form.reset();
    setDone(true);
  });
  return (
    <form onSubmit={submit}>
      {isDone && <Notice kind="done">{t("me.password_changed")}</Notice>}
      {error && <Notice kind="error">{error.message}</Notice>}
      {/* Password safes need the name beside the password. */}
      <input
        class="hidden"
        name="username"
        autocomplete="username"
        value={user.value?.username ?? ""}
        tabIndex={-1}
        aria-hidden="true"
        readOnly
      />
      <Field
        name="current"
        type="password"
        label={t("me.current_password")}
        autocomplete="current-password"
        required
      />
      <Field
        name="new"
        type="password"
        label={t("me.new_password")}
        hint={t("recover.policy")}
        autocomplete="new-password"
        required
      />
      <button type="submit" disabled={isBusy}>
        {t("me.change_password")}
      </button>
    </form>
  );
}
