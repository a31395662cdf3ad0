import { useState } from "preact/hooks";
import { lazy } from "preact-iso";
import { api, take } from "../../api/client";
import { asError } from "../../api/load";
import { begin, ended, type LoginReply } from "../../api/session";
import { t } from "../../language";
import { Field } from "../../ui/Field";
import { Notice } from "../../ui/Notice";
import { plainLine } from "../../ui/plain";
import { useSubmit } from "../../ui/useSubmit";
import { written } from "../../ui/form";
import { Step } from "./Step";
import { Trouble, useWait } from "./Trouble";

const Enrolment = lazy(() => import("./Enrolment"));
const RecoveryCodes = lazy(() => import("./RecoveryCodes"));

interface Account {
  username: string;
  password: string;
}

/** The sign-in: a password, the second factor or its enrolment, and recovery codes. */
export function SignIn() {
  const [account, setAccount] = useState<Account | null>(null);
  const [asked, setAsked] = useState<LoginReply | null>(null);

  async function signIn(given: Account, code: string): Promise<void> {
    const reply = await take(
      api.POST("/token/user", { body: { ...given, mfa_code: code || null } }),
    );
    if (!reply.access_token || reply.recovery_codes) setAccount(given);
    if (!reply.access_token || reply.recovery_codes) setAsked(reply);
    else await begin(reply);
  }

  function restart(): void {
    setAccount(null);
    setAsked(null);
  }

  if (!account || !asked) return <PasswordStep signIn={signIn} />;
  if (asked.recovery_codes) return <CodesStep reply={asked} username={account.username} />;
  return (
    <CodeStep
      reply={asked}
      username={account.username}
      signIn={(code) => signIn(account, code)}
      back={restart}
    />
  );
}

/** User name and password. */
function PasswordStep({ signIn }: { signIn: (account: Account, code: string) => Promise<void> }) {
  const { submit, isBusy, error } = useSubmit(async (form) => {
    const account = { username: written(form, "username"), password: written(form, "password") };
    await signIn(account, "");
  });
  const wait = useWait(error);
  return (
    <Step title={t("sign_in.title")}>
      {ended.value && !error && (
        <Notice kind="info">
          {t(ended.value === "expired" ? "sign_in.expired" : "sign_in.signed_out")}
        </Notice>
      )}
      <Trouble error={error} wait={wait} />
      <form onSubmit={submit}>
        <Field
          name="username"
          label={t("sign_in.username")}
          autocomplete="username"
          autocapitalize="none"
          spellcheck={false}
          required
        />
        <Field
          name="password"
          type="password"
          label={t("sign_in.password")}
          autocomplete="current-password"
          required
        />
        <button type="submit" disabled={isBusy || wait > 0}>
          {t("sign_in.submit")}
        </button>
      </form>
      <p>
        <a href="/app/recover/password">{t("sign_in.lost_password")}</a>
      </p>
    </Step>
  );
}

interface CodeProps {
  reply: LoginReply;
  username: string;
  signIn: (code: string) => Promise<void>;
  back: () => void;
}

/** The code of the authenticator app, which may have to be set up first. */
function CodeStep({ reply, username, signIn, back }: CodeProps) {
  const { submit, isBusy, error } = useSubmit((form) => signIn(written(form, "code")));
  const wait = useWait(error);
  const isNew = Boolean(reply.qr_uri && reply.otp_secret);
  return (
    <Step title={t(isNew ? "sign_in.enrol.title" : "sign_in.second.title")}>
      <p>
        {t(isNew ? "sign_in.enrol.text" : "sign_in.second.text", { name: plainLine(username) })}
      </p>
      {isNew && <Enrolment address={reply.qr_uri ?? ""} secret={reply.otp_secret ?? ""} />}
      <Trouble error={error} wait={wait} />
      <form onSubmit={submit}>
        <Field
          name="code"
          label={t(isNew ? "sign_in.first_code" : "sign_in.code")}
          autocomplete="one-time-code"
          spellcheck={false}
          required
        />
        <div class="actions">
          <button type="submit" disabled={isBusy || wait > 0}>
            {t("sign_in.submit")}
          </button>
          <button type="button" class="plain" onClick={back}>
            {t("sign_in.back")}
          </button>
        </div>
      </form>
      {!isNew && (
        <p>
          <a href="/app/recover/device">{t("sign_in.lost_device")}</a>
        </p>
      )}
    </Step>
  );
}

/** The recovery codes of a second factor that was just set up. */
function CodesStep({ reply, username }: { reply: LoginReply; username: string }) {
  const [error, setError] = useState<Error | null>(null);
  return (
    <Step title={t("sign_in.codes.title")}>
      <Trouble error={error} wait={0} />
      <RecoveryCodes
        codes={reply.recovery_codes ?? []}
        username={username}
        proceed={() => void begin(reply).catch((failure) => setError(asError(failure)))}
      />
    </Step>
  );
}
