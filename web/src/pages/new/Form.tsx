import { useState } from "preact/hooks";
import { user } from "../../api/session";
import { argumentsOf, type Draft, draftsOf, valueOf, valuesOf } from "../../cards/controls";
import { Control, hasOutcomeOf } from "../../cards/Control";
import { findFaults } from "../../cards/schema";
import { checkFormula } from "../../cards/formula";
import { t } from "../../language";
import { Notice } from "../../ui/Notice";
import { plainLine } from "../../ui/plain";
import { ByHand, faultOfRaw } from "./ByHand";
import type { TaskDraft } from "./draft";
import type { Place } from "./place";
import { Where } from "./Where";

interface Props {
  task: TaskDraft;
  places: Place[];
  place: Place;
  change: (changed: Partial<TaskDraft>) => void;
  review: () => void;
}

/** The form of a task: what the function takes, and where it is sent. */
export function Form({ task, places, place, change, review }: Props) {
  const [wasTried, setTried] = useState(false);
  const faults = task.listed ? faultsOf(task) : faultOfRaw(task);
  const own = user.value?.organization?.id;

  function submit(event: Event) {
    event.preventDefault();
    setTried(true);
    if (!Object.keys(faults).length) return review();
    if (event.currentTarget instanceof HTMLFormElement) focusFirst(event.currentTarget, faults);
  }

  return (
    <form class="task" noValidate onSubmit={submit}>
      {wasTried && Object.keys(faults).length > 0 && (
        <Notice kind="error">{t("new.faults", { count: Object.keys(faults).length })}</Notice>
      )}
      {task.listed ? (
        <Arguments task={task} place={place} change={change} faults={faults} wasTried={wasTried} />
      ) : (
        <ByHand task={task} change={change} faults={wasTried ? faults : {}} />
      )}
      <Where task={task} places={places} place={place} own={own} change={change} />
      <button type="submit">{t("new.to_review")}</button>
    </form>
  );
}

function focusFirst(form: HTMLFormElement, faults: Record<string, string>) {
  const first = [...form.elements].find((one) => (one.getAttribute("name") ?? "") in faults);
  if (!(first instanceof HTMLElement)) return;
  first.closest("details")?.setAttribute("open", "");
  first.focus();
}

/** What is wrong with the arguments, by the name of each. */
function faultsOf({ listed, drafts }: TaskDraft): Record<string, string> {
  if (!listed) return {};
  const schema = listed.function.arguments;
  const args = argumentsOf(schema);
  // Without what every object of JavaScript has, which arguments may be named as.
  const faults: Record<string, string> = Object.create(null);
  for (const { path, sentence } of findFaults(schema, valuesOf(args, drafts)))
    faults[String(path[0])] ??= t("new.fault", { sentence });
  for (const argument of args) {
    const value = valueOf(argument, drafts[argument.name]);
    if (argument.control !== "formula" || typeof value !== "string") continue;
    const { problem, part } = checkFormula(value, hasOutcomeOf(schema));
    if (problem) faults[argument.name] ??= t(`formula.${problem}`, { part: plainLine(part) });
  }
  return faults;
}

interface ArgumentsProps extends Pick<Props, "place" | "change" | "task"> {
  faults: Record<string, string>;
  wasTried: boolean;
}

function Arguments({ task, place, change, faults, wasTried }: ArgumentsProps) {
  const schema = task.listed?.function.arguments ?? {};
  const args = argumentsOf(schema);
  const columns = columnsIn(task);
  const set = (name: string) => (draft: Draft) =>
    change({ drafts: { ...task.drafts, [name]: draft } });
  const show = (isRequired: boolean) =>
    args
      .filter((one) => one.isRequired === isRequired)
      .map((argument) => {
        const draft = task.drafts[argument.name];
        const isShown = wasTried || (typeof draft === "string" && draft.trim() !== "");
        return (
          <Control
            key={argument.name}
            argument={argument}
            draft={draft}
            change={set(argument.name)}
            error={isShown ? faults[argument.name] : undefined}
            members={place.members}
            columns={columns}
            hasOutcome={hasOutcomeOf(schema)}
          />
        );
      });
  const optional = show(false);
  return (
    <section aria-labelledby="what">
      <h2 id="what">{t("new.what")}</h2>
      <Examples task={task} change={change} />
      {show(true)}
      {optional.length > 0 && (
        <details class="options">
          <summary>{t("new.options", { count: optional.length })}</summary>
          {optional}
        </details>
      )}
    </section>
  );
}

/** Names of columns that were typed in the form, to choose from. */
function columnsIn({ listed, drafts }: TaskDraft): string[] {
  const found = argumentsOf(listed?.function.arguments ?? {}).flatMap(({ control, name }) => {
    const text = drafts[name];
    if (typeof text !== "string" || !text.trim()) return [];
    if (control === "formula") return checkFormula(text, null).columns;
    if (control === "columns") return text.split(",").map((each) => each.trim());
    return control === "column" ? [text.trim()] : [];
  });
  return [...new Set(found.filter(Boolean))];
}

function Examples({ task, change }: Pick<Props, "task" | "change">) {
  const examples = task.listed?.function.examples ?? [];
  if (!task.listed || !examples.length) return null;
  const args = argumentsOf(task.listed.function.arguments);
  return (
    <p class="actions">
      {examples.map((example, at) => (
        <button
          key={at}
          type="button"
          class="plain small"
          onClick={() => change({ drafts: draftsOf(args, example.arguments) })}
        >
          {t("new.example", { title: plainLine(example.title || String(at + 1)) })}
        </button>
      ))}
    </p>
  );
}
