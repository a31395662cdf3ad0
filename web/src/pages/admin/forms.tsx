import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { Notice } from "../../ui/Notice";
import type { Deed } from "../../ui/useDeed";

interface FormProps {
  label: string;
  deed: Deed;
  /** The name of the button. */
  submit: string;
  /** Gets the texts of the fields, by name. */
  send: (texts: (name: string) => string) => Promise<string | void>;
  children: ComponentChildren;
}

/** A form with one button, and its outcome above it. */
export function Form({ label, deed, submit, send, children }: FormProps) {
  function onSubmit(event: SubmitEvent): void {
    event.preventDefault();
    const texts = textsOf(event);
    void deed.act(() => send(texts));
  }
  return (
    <form class="form" aria-label={label} onSubmit={onSubmit}>
      {children}
      <Outcome deed={deed} />
      <div class="actions">
        <button type="submit" disabled={deed.isBusy}>
          {submit}
        </button>
      </div>
    </form>
  );
}

/** The texts of the fields of a form that is sent, by name. */
export function textsOf({ currentTarget }: SubmitEvent): (name: string) => string {
  const form = currentTarget instanceof HTMLFormElement ? new FormData(currentTarget) : null;
  return (name) => String(form?.get(name) ?? "").trim();
}

export function Outcome({ deed }: { deed: Deed }) {
  if (deed.error) return <Notice kind="error">{deed.error.message}</Notice>;
  if (deed.done) return <Notice kind="done">{deed.done}</Notice>;
  return null;
}

interface SelectProps {
  name: string;
  label: string;
  hint?: string | undefined;
  options: readonly { value: number; text: string }[];
  value?: number | null | undefined;
  /** What stands where nothing is chosen. */
  none?: string | undefined;
  isRequired?: boolean;
  change?: (value: number | null) => void;
}

/** A choice among things with names and numbers. */
export function Select({
  name,
  label,
  hint,
  options,
  value,
  none,
  isRequired,
  change,
}: SelectProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint && (
        <small id={`${id}-hint`} class="hint">
          {hint}
        </small>
      )}
      <select
        id={id}
        name={name}
        required={isRequired}
        aria-describedby={hint ? `${id}-hint` : undefined}
        value={value ?? ""}
        onChange={(event) => change?.(Number(event.currentTarget.value) || null)}
      >
        {none !== undefined && <option value="">{none}</option>}
        {options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.text}
          </option>
        ))}
      </select>
    </div>
  );
}

interface TickProps {
  name: string;
  label: string;
  hint?: string | undefined;
  isOn?: boolean | undefined;
  isOff?: boolean | undefined;
  change?: (isOn: boolean) => void;
}

/** A box to tick. */
export function Tick({ name, label, hint, isOn, isOff, change }: TickProps) {
  const id = useId();
  return (
    <div class="tickbox">
      <input
        type="checkbox"
        id={id}
        name={name}
        defaultChecked={change ? undefined : isOn}
        checked={change ? isOn : undefined}
        disabled={isOff}
        aria-describedby={hint ? `${id}-hint` : undefined}
        onChange={(event) => change?.(event.currentTarget.checked)}
      />
      <label for={id}>{label}</label>
      {hint && (
        <small id={`${id}-hint`} class="hint">
          {hint}
        </small>
      )}
    </div>
  );
}

/** Names and values of an object. */
export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The number in the address of a page, or null. */
export function idOf(params: Record<string, string>): number | null {
  const id = Number(params["id"]);
  return Number.isInteger(id) && id > 0 ? id : null;
}

/** A text for the API: null where nothing was written. */
export function orNull(text: string): string | null {
  return text === "" ? null : text;
}
