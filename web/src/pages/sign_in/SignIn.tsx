import { useState } from "preact/hooks";
import { api, take } from "../../api/client";
import { begin } from "../../api/session";
import { settings } from "../../api/settings";
import { t } from "../../language";
import { Field } from "../../ui/Field";
import { Notice } from "../../ui/Notice";

export function SignIn() {
  const [said, setSaid] = useState("");
  const [needsCode, setNeedsCode] = useState(false);
  const [isBusy, setBusy] = useState(false);

  async function submit(event: SubmitEvent) {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const code = String(form.get("code") ?? "");
    setBusy(true);
    try {
      const reply = await take(
        api.POST("/token/user", {
          body: {
            username: String(form.get("username")),
            password: String(form.get("password")),
            mfa_code: code || null,
          },
        }),
      );
      if (reply.access_token) await begin(reply);
      else {
        setNeedsCode(true);
        setSaid(reply.msg ?? "");
      }
    } catch (error) {
      setSaid((error as Error).message);
    } finally {
      setBusy(false);
    }
  }

  return (
    <main class="narrow">
      <h1>{settings.name}</h1>
      {said && <Notice kind="warning">{said}</Notice>}
      <form onSubmit={submit}>
        <Field name="username" label={t("sign_in.username")} autocomplete="username" required />
        <Field
          name="password"
          type="password"
          label={t("sign_in.password")}
          autocomplete="current-password"
          required
        />
        {needsCode && (
          <Field name="code" label={t("sign_in.code")} autocomplete="one-time-code" required />
        )}
        <button type="submit" disabled={isBusy}>
          {t("sign_in.submit")}
        </button>
      </form>
    </main>
  );
}
