import { hasKey } from "../../crypto";
import { KeyBox } from "../../crypto/KeyBox";
import { type Key, t } from "../../language";
import { Notice } from "../../ui/Notice";
import type { Run } from "./run";

/** Where the key is loaded, if a run is encrypted or may be; and forgotten, if one is not. */
export function KeyNeeded({ runs }: { runs: readonly Run[] }) {
  const places = runs.map((run) => run.collaboration?.isEncrypted);
  const text = textFor(places);
  return (
    text && (
      <div class="key-needed">
        <Notice kind="info">{t(text)}</Notice>
        <KeyBox />
      </div>
    )
  );
}

function textFor(places: (boolean | undefined)[]): Key | null {
  if (hasKey.value) return places.includes(false) ? "task.plain_with_key" : null;
  if (places.includes(true)) return "task.key_needed";
  return places.includes(undefined) ? "task.key_perhaps" : null;
}
