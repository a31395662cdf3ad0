import { useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import { api, take, type Schemas } from "../../api/client";
import { t } from "../../language";
import { Field } from "../../ui/Field";
import { Notice } from "../../ui/Notice";
import { useSubmit } from "../../ui/useSubmit";
import { written } from "../../ui/form";
import Enrolment from "../sign_in/Enrolment";
import { Step } from "../sign_in/Step";
import { Trouble, useWait } from "../sign_in/Trouble";

/** Ways back into an account, before the sign-in: a lost password, a lost authenticator app. */
export default function Recover() {
  const { path } = useLocation();
  return path.endsWith("/device") ? <Device /> : <Password />;
}

/** Return the account that a form names: by its e-mail address if that is what was written. */
function accountOf(form: HTMLFormElement) {
  const account = written(form, "account").trim();
  return account.includes("@")
    ? { email: account, username: null }
    : { email: null, username: account };
}

/** A mail with a token, then a new password. */
function Password() {
  const [isDone, setDone] = useState(false);
  const [isSent, setSent] = useState(false);
  const asking = useSubmit(async (form) => {
    await take(api.POST("/recover/lost", { body: accountOf(form) }));
    setSent(true);
  });
  const setting = useSubmit(async (form) => {
    await take(
      api.POST("/recover/reset", {
        body: { reset_token: written(form, "token").trim(), password: written(form, "password") },
      }),
    );
    setDone(true);
  });
  const wait = useWait(setting.error ?? asking.error);
  if (isDone)
    return (
      <Step title={t("recover.done.title")}>
        <Notice kind="done">{t("recover.done.text")}</Notice>
        <a class="button" href="/app/">
          {t("sign_in.title")}
        </a>
      </Step>
    );
  return (
    <Step title={t("recover.password.title")}>
      <h2>{t("recover.first")}</h2>
      {isSent && <Notice kind="done">{t("recover.sent")}</Notice>}
      <Trouble error={asking.error} wait={wait} />
      <form onSubmit={asking.submit}>
        <Field name="account" label={t("recover.account")} autocomplete="username" required />
        <button type="submit" class={isSent ? "plain" : undefined} disabled={asking.isBusy}>
          {t("recover.send")}
        </button>
      </form>
      <h2>{t("recover.second")}</h2>
      <Trouble error={setting.error} wait={wait} />
      <form onSubmit={setting.submit}>
        <Field
          name="token"
          label={t("recover.token")}
          autocomplete="off"
          spellcheck={false}
          required
        />
        <Field
          name="password"
          type="password"
          label={t("recover.new_password")}
          hint={t("recover.policy")}
          autocomplete="new-password"
          required
        />
        <button type="submit" class={isSent ? undefined : "plain"} disabled={setting.isBusy}>
          {t("recover.set")}
        </button>
      </form>
      <Back />
    </Step>
  );
}

/** A mail with a token, then another authenticator app. */
function Device() {
  const [isSent, setSent] = useState(false);
  const [found, setFound] = useState<Schemas["TwoFactorReply"] | null>(null);
  const asking = useSubmit(async (form) => {
    await take(
      api.POST("/recover/2fa/lost", {
        body: { ...accountOf(form), password: written(form, "password") },
      }),
    );
    setSent(true);
  });
  const setting = useSubmit(async (form) => {
    const code = written(form, "code").trim();
    const reset_token = written(form, "token").trim();
    setFound(
      await take(
        api.POST("/recover/2fa/reset", { body: { reset_token, recovery_code: code || null } }),
      ),
    );
  });
  const wait = useWait(setting.error ?? asking.error);
  if (found)
    return (
      <Step title={t("sign_in.enrol.title")}>
        <Enrolment address={found.qr_uri} secret={found.otp_secret} />
        <a class="button" href="/app/">
          {t("recover.to_sign_in")}
        </a>
      </Step>
    );
  return (
    <Step title={t("recover.device.title")}>
      <p>{t("recover.device.text")}</p>
      <h2>{t("recover.first")}</h2>
      {isSent && <Notice kind="done">{t("recover.sent")}</Notice>}
      <Trouble error={asking.error} wait={wait} />
      <form onSubmit={asking.submit}>
        <Field name="account" label={t("recover.account")} autocomplete="username" required />
        <Field
          name="password"
          type="password"
          label={t("sign_in.password")}
          autocomplete="current-password"
          required
        />
        <button type="submit" class={isSent ? "plain" : undefined} disabled={asking.isBusy}>
          {t("recover.send")}
        </button>
      </form>
      <h2>{t("recover.second_device")}</h2>
      <Trouble error={setting.error} wait={wait} />
      <form onSubmit={setting.submit}>
        <Field
          name="token"
          label={t("recover.token")}
          autocomplete="off"
          spellcheck={false}
          required
        />
        <Field
          name="code"
          label={t("recover.code")}
          hint={t("recover.code_hint")}
          autocomplete="off"
          spellcheck={false}
        />
        <button type="submit" class={isSent ? undefined : "plain"} disabled={setting.isBusy}>
          {t("recover.set_device")}
        </button>
      </form>
      <Back />
    </Step>
  );
}

function Back() {
  return (
    <p>
      <a href="/app/">{t("recover.back")}</a>
    </p>
  );
}
