import { t } from "../../language";
import { Field } from "../../ui/Field";
import { plainLine } from "../../ui/plain";
import { isCentral, nameOf, receiversOf, type TaskDraft } from "./draft";
import type { Place } from "./place";

interface Props {
  task: TaskDraft;
  places: Place[];
  place: Place;
  own: number | undefined;
  change: (changed: Partial<TaskDraft>) => void;
}

/** Where a task is sent: collaboration, organizations, database; and what it is called. */
export function Where({ task, places, place, own, change }: Props) {
  return (
    <section aria-labelledby="where">
      <h2 id="where">{t("new.where")}</h2>
      {places.length > 1 && (
        <div class="field">
          <label for="collaboration">{t("new.collaboration")}</label>
          <select
            id="collaboration"
            value={String(place.id)}
            onChange={(event) =>
              change({ collaboration: Number(event.currentTarget.value), receivers: null })
            }
          >
            {places.map(({ id, name }) => (
              <option key={id} value={String(id)}>
                {plainLine(name)}
              </option>
            ))}
          </select>
        </div>
      )}
      <Receivers task={task} place={place} own={own} change={change} />
      {task.listed?.function.database !== "none" && (
        <Field
          name="database"
          label={t("new.database")}
          hint={t("new.database_hint")}
          value={task.database}
          spellcheck={false}
          autocomplete="off"
          onInput={(event) => change({ database: event.currentTarget.value })}
        />
      )}
      <details class="options">
        <summary>{t("new.naming")}</summary>
        <Field
          name="name"
          label={t("new.name")}
          hint={t(place.isEncrypted ? "new.name_hint" : "new.name_hint_open", {
            name: plainLine(nameOf({ ...task, name: "" }, place.isEncrypted)),
          })}
          value={task.name}
          maxLength={1024}
          onInput={(event) => change({ name: event.currentTarget.value })}
        />
        <Field
          name="description"
          label={t("new.description")}
          value={task.description}
          onInput={(event) => change({ description: event.currentTarget.value })}
        />
      </details>
    </section>
  );
}

function Receivers({ task, place, own, change }: Omit<Props, "places">) {
  const chosen = receiversOf(task, place, own);
  const isOne = isCentral(task);
  const toggle = (id: number) =>
    change({
      receivers: isOne
        ? [id]
        : chosen.includes(id)
          ? chosen.filter((each) => each !== id)
          : [...chosen, id],
    });
  return (
    <fieldset class="field">
      <legend>{t(isOne ? "new.receiver" : "new.receivers")}</legend>
      <small class="hint">{t(isOne ? "new.receiver_hint" : "new.receivers_hint")}</small>
      {place.members.map(({ id, name }) => (
        <label key={id} class="tickbox">
          <input
            type={isOne ? "radio" : "checkbox"}
            name="receivers"
            checked={chosen.includes(id)}
            onChange={() => toggle(id)}
          />
          {plainLine(name)}
        </label>
      ))}
    </fieldset>
  );
}
