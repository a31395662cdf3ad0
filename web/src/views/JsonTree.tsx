import { useState } from "preact/hooks";
import { t } from "../language";
import { plainLine } from "../ui/plain";
import { LONGEST_TEXT } from "./bounds";
import { isPlain, type Json, type JsonRecord, type Plain } from "./json";

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
        <code>{plainLine(textOf(value))}</code>
      </div>
    );
  return <Branch value={value} label={label} isOpen={isOpen} />;
}

function Branch({
  value,
  label,
  isOpen,
}: {
  value: Json[] | JsonRecord;
  label: string;
  isOpen: boolean;
}) {
  const [isShown, setShown] = useState(isOpen);
  const [most, setMost] = useState(FIRST);
  const count = (Array.isArray(value) ? value : Object.keys(value)).length;
  const size = t("views.json_entries", { count });
  return (
    <details class="branch" open={isShown} onToggle={(event) => setShown(event.currentTarget.open)}>
      <summary>
        {label}
        <span class="quiet">{Array.isArray(value) ? `[${size}]` : `{${size}}`}</span>
      </summary>
      {isShown &&
        firstOf(value, most).map(([name, one]) => <JsonTree key={name} name={name} value={one} />)}
      {isShown && count > most && (
        <button type="button" class="plain small" onClick={() => setMost(most + 10 * FIRST)}>
          {t("views.json_more", { count: count - most })}
        </button>
      )}
    </details>
  );
}

/** Only the entries that are shown: there may be millions. */
function firstOf(value: Json[] | JsonRecord, most: number): [string, Json][] {
  if (Array.isArray(value)) return value.slice(0, most).map((one, at) => [String(at), one]);
  return Object.keys(value)
    .slice(0, most)
    .map((name) => [name, value[name] ?? null]);
}

function textOf(value: Plain): string {
  if (typeof value !== "string" || value.length <= LONGEST_TEXT) return JSON.stringify(value);
  return `${JSON.stringify(value.slice(0, LONGEST_TEXT))}…`;
}
