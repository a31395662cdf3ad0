import { useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import { api, take } from "../../api/client";
import { signOut, user } from "../../api/session";
import { t } from "../../language";
import { Field } from "../../ui/Field";
import { Notice } from "../../ui/Notice";
import { useSubmit } from "../../ui/useSubmit";
import { written } from "../../ui/form";
import RecoveryCodes from "../sign_in/RecoveryCodes";

/** New recovery codes, and the way to another device. */
export function SecondFactor() {
  const { route } = useLocation();
  const [codes, setCodes] = useState<string[]>([]);
  const [isDone, setDone] = useState(false);
  const { submit, isBusy, error } = useSubmit(async (form) => {
    setDone(false);
    const body = { mfa_code: written(form, "code") };
    setCodes((await take(api.POST("/recover/2fa/codes", { body }))).recovery_codes);
  });

  function proceed(): void {
    setCodes([]);
    setDone(true);
  }

  async function setUpDevice(): Promise<void> {
    await signOut();
    route("/app/recover/device");
  }

  if (codes.length > 0)
    return <RecoveryCodes codes={codes} username={user.value?.username ?? ""} proceed={proceed} />;
  return (
    <>
      <p>{t("me.factor_text")}</p>
      {isDone && <Notice kind="done">{t("me.codes_done")}</Notice>}
      {error && <Notice kind="error">{error.message}</Notice>}
      <form onSubmit={submit}>
        <Field
          name="code"
          label={t("me.code")}
          autocomplete="one-time-code"
          inputMode="numeric"
          spellcheck={false}
          required
        />
        <button type="submit" disabled={isBusy}>
          {t("me.new_codes")}
        </button>
      </form>
      <p>{t("me.another_device")}</p>
      <button type="button" class="plain" onClick={() => void setUpDevice()}>
        {t("me.set_up_device")}
      </button>
    </>
  );
}
