import { useId } from "preact/hooks";
import { t } from "../../language";
import { Field } from "../../ui/Field";
import { inputOf, type TaskDraft } from "./draft";

interface Props {
  task: TaskDraft;
  change: (changed: Partial<TaskDraft>) => void;
  faults: Record<string, string>;
}

/** Any image, and its input as JSON. */
export function ByHand({ task, change, faults }: Props) {
  const id = useId();
  return (
    <section aria-labelledby="what">
      <h2 id="what">{t("new.what")}</h2>
      <Field
        name="image"
        label={t("new.image")}
        hint={t("new.image_hint")}
        error={faults.image}
        value={task.image}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => change({ image: event.currentTarget.value.trim() })}
      />
      <div class="field">
        <label for={id}>{t("new.input")}</label>
        <small id={`${id}-hint`} class="hint">
          {t("new.input_hint")}
        </small>
        <textarea
          id={id}
          name="raw"
          rows={8}
          class="code"
          spellcheck={false}
          value={task.raw}
          aria-describedby={`${id}-hint ${id}-error`}
          aria-invalid={faults.raw ? "true" : undefined}
          onInput={(event) => change({ raw: event.currentTarget.value })}
        />
        {faults.raw && (
          <small id={`${id}-error`} class="error">
            {faults.raw}
          </small>
        )}
      </div>
    </section>
  );
}

/** What is wrong with image and input. */
export function faultOfRaw(task: TaskDraft): Record<string, string> {
  const faults: Record<string, string> = {};
  if (!task.image) faults.image = t("new.image_needed");
  try {
    if (typeof inputOf(task).method !== "string") faults.raw = t("new.input_method");
  } catch {
    faults.raw = t("new.input_json");
  }
  return faults;
}
