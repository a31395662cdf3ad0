import { useEffect, useId, useState } from "preact/hooks";
import { fingerprint } from "../../crypto";
import { toBase64 } from "../../crypto/base64";
import { t } from "../../language";

/** A field for the text of a public key, with its fingerprint as soon as it is one. */
export function KeyField({ hint, isRequired }: { hint: string; isRequired?: boolean }) {
  const id = useId();
  const [pem, setPem] = useState("");
  const [said, setSaid] = useState("");
  useEffect(() => {
    let isWanted = true;
    const say = (text: string) => isWanted && setSaid(text);
    if (!pem.trim()) say("");
    else
      readPem(pem)
        .then(fingerprint)
        .then(
          (found) => say(t("admin.key.fingerprint.is", { fingerprint: found })),
          (error: unknown) => say(error instanceof Error ? error.message : String(error)),
        );
    return () => {
      isWanted = false;
    };
  }, [pem]);
  return (
    <div class="field">
      <label for={id}>{t("admin.organization.key")}</label>
      <small id={`${id}-hint`} class="hint">
        {hint}
      </small>
      <textarea
        id={id}
        name="public_key"
        class="code"
        rows={6}
        spellcheck={false}
        required={isRequired}
        placeholder="-----BEGIN PUBLIC KEY-----"
        aria-describedby={`${id}-hint ${id}-said`}
        value={pem}
        onInput={(event) => setPem(event.currentTarget.value)}
      />
      <small id={`${id}-said`} role="status" class="hint">
        {said}
      </small>
    </div>
  );
}

/** Return a PEM text as the API takes it, in base64; the API's own form is left as it is. */
export async function readPem(text: string): Promise<string> {
  const trimmed = text.trim();
  if (!trimmed) return "";
  // SECURITY: a private key must never leave this page.
  if (/PRIVATE KEY/.test(trimmed)) throw new Error(t("admin.key.private"));
  const isPem = trimmed.startsWith("-----BEGIN");
  const stored = isPem ? toBase64(new TextEncoder().encode(`${trimmed}\n`)) : trimmed;
  await fingerprint(stored).catch(() => {
    throw new Error(t("admin.key.unreadable"));
  });
  return stored;
}
