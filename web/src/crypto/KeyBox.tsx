import { useEffect, useState } from "preact/hooks";
import { api, take } from "../api/client";
import { user } from "../api/session";
import { t } from "../language";
import { Field } from "../ui/Field";
import { Notice } from "../ui/Notice";
import { canEncrypt, fingerprint, forgetKey, hasKey, keyFingerprint, loadKey } from ".";

/** Where the private key of the organization is loaded and forgotten. */
export function KeyBox() {
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const expected = useExpectedFingerprint();
  if (!canEncrypt()) return <Notice kind="error">{t("crypto.insecure")}</Notice>;

  async function read(input: HTMLInputElement) {
    const file = input.files?.[0];
    if (!file) return;
    setBusy(true);
    setProblem("");
    try {
      await loadKey(file);
    } catch (error) {
      setProblem((error as Error).message);
    } finally {
      // The page keeps no reference to the file, and the same one can be chosen again.
      input.value = "";
      setBusy(false);
    }
  }

  return (
    <section aria-labelledby="key-title" class="key">
      <h2 id="key-title">{t("crypto.title")}</h2>
      {hasKey.value ? (
        <>
          {expected && expected !== keyFingerprint.value ? (
            <Notice kind="warning">{t("crypto.mismatch")}</Notice>
          ) : (
            <Notice kind="done">{t("crypto.loaded")}</Notice>
          )}
          <p>
            {t("crypto.fingerprint")}: <code>{keyFingerprint.value}</code>
          </p>
          <button type="button" class="plain" onClick={forgetKey}>
            {t("crypto.forget")}
          </button>
        </>
      ) : (
        <Field
          name="key"
          type="file"
          accept=".pem,.key"
          label={t("crypto.choose")}
          hint={t("crypto.why")}
          error={problem || undefined}
          disabled={isBusy}
          onChange={(event) => read(event.currentTarget)}
        />
      )}
    </section>
  );
}

/** Fingerprint of the key that the server has of the own organization; null where it has none. */
function useExpectedFingerprint(): string | null {
  const [expected, setExpected] = useState<string | null>(null);
  const id = user.value?.organization?.id;
  useEffect(() => {
    let isCurrent = true;
    if (id !== undefined)
      take(api.GET("/organization/{id}", { params: { path: { id } } }))
        .then(({ public_key }) => (public_key ? fingerprint(public_key) : null))
        .then((found) => isCurrent && setExpected(found))
        // Without it nothing is compared; the key itself says whether it fits.
        .catch(() => undefined);
    return () => {
      isCurrent = false;
    };
  }, [id]);
  return expected;
}
