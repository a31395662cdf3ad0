import type { JSX } from "preact";
import { useId } from "preact/hooks";

type Props = JSX.IntrinsicElements["input"] & {
  name: string;
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
};

/** An input with its label, a hint, and what is wrong with it. */
export function Field({ label, hint, error, ...input }: Props) {
  const id = useId();
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint && (
        <small id={`${id}-hint`} class="hint">
          {hint}
        </small>
      )}
      <input
        {...input}
        id={id}
        aria-describedby={described || undefined}
        aria-invalid={error ? "true" : undefined}
      />
      {error && (
        <small id={`${id}-error`} class="error">
          {error}
        </small>
      )}
    </div>
  );
}
