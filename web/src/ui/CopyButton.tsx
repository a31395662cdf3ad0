import { useState } from "preact/hooks";
import { t } from "../language";

/** A button that copies a text, and says that it did. */
export function CopyButton({ text, label }: { text: string; label?: string }) {
  const [said, setSaid] = useState("");

  async function copy(): Promise<void> {
    setSaid("");
    try {
      // Missing where the page was not loaded by HTTPS.
      if (!navigator.clipboard) throw new Error("no clipboard");
      await navigator.clipboard.writeText(text);
      setSaid(t("copy.copied"));
    } catch {
      setSaid(t("copy.failed"));
    }
  }

  return (
    <span class="copy">
      <button type="button" class="plain small" onClick={copy}>
        {label ?? t("copy.copy")}
      </button>
      <span role="status" class="quiet">
        {said}
      </span>
    </span>
  );
}
