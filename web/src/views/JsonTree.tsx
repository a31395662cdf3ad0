import { useState } from "preact/hooks";
import { t } from "../language";
import { plainLine } from "../ui/plain";
import { isPlain, type Json } from "./json";

/** So many entries are shown at first. */
const FIRST = 100;

/** Any value with all its digits, opened step by step. */
export function JsonTree({
  value,
  name,
  isOpen = false,
}: {
  value: Json;
  name?: string;
  isOpen?: boolean;
}) {
  const label = name === undefined ? "" : `${plainLine(name)}: `;
  if (isPlain(value))
    return (
      <div class="leaf">
        {label}
        <code>{plainLine(JSON.stringify(value))}</code>
      </div>
    );
  return <Branch value={value} label={label} isOpen={isOpen} />;
}

function Branch({
  value,
  label,
  isOpen,
}: {
  value: Exclude<Json, null | boolean | number | string>;
  label: string;
  isOpen: boolean;
}) {
  const [isShown, setShown] = useState(isOpen);
  const [most, setMost] = useState(FIRST);
  const entries: [string, Json][] = Object.entries(value);
  const size = t("views.json_entries", { count: entries.length });
  return (
    <details class="branch" open={isShown} onToggle={(event) => setShown(event.currentTarget.open)}>
      <summary>
        {label}
        <span class="quiet">{Array.isArray(value) ? `[${size}]` : `{${size}}`}</span>
      </summary>
      {isShown &&
        entries
          .slice(0, most)
          .map(([name, one]) => <JsonTree key={name} name={name} value={one} />)}
      {isShown && entries.length > most && (
        <button type="button" class="plain small" onClick={() => setMost(most + 10 * FIRST)}>
          {t("views.json_more", { count: entries.length - most })}
        </button>
      )}
    </details>
  );
}
