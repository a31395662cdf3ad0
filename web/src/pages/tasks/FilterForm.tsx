import type { TargetedEvent } from "preact";
import { useEffect, useId, useState } from "preact/hooks";
import { t } from "../../language";
import { written } from "../../ui/form";
import { plainLine } from "../../ui/plain";
import { wordOf } from "../../ui/State";
import { isFiltered, NO_FILTERS, readFilters, SIZES, STATES, type Filters } from "./filters";

interface Props {
  filters: Filters;
  collaborations: { id: number; name: string }[];
  change: (filters: Filters) => void;
}

/** The filters; a choice counts at once, a text when it is sent or left. */
export function FilterForm({ filters, collaborations, change }: Props) {
  const id = useId();
  // What is typed stays while the list is read anew.
  const [text, setText] = useState(filters.text);
  useEffect(() => setText(filters.text), [filters.text]);
  const isListed = collaborations.some((one) => one.id === filters.collaboration);

  function send(event: TargetedEvent<HTMLFormElement>): void {
    event.preventDefault();
    const form = event.currentTarget;
    const names = ["text", "collaboration", "status", "mine", "sub", "size"];
    change(
      readFilters(Object.fromEntries(names.map((name) => [name, written(form, name).trim()]))),
    );
  }

  return (
    <form class="filters" role="search" onSubmit={send} onChange={send}>
      <span class="filter wide">
        <label for={`${id}-text`}>{t("tasks.text")}</label>
        <input
          id={`${id}-text`}
          name="text"
          type="search"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          maxLength={200}
        />
      </span>
      <span class="filter">
        <label for={`${id}-collaboration`}>{t("tasks.collaboration")}</label>
        <select id={`${id}-collaboration`} name="collaboration">
          <option value="">{t("tasks.any")}</option>
          {filters.collaboration !== null && !isListed && (
            <option value={filters.collaboration} selected>
              {filters.collaboration}
            </option>
          )}
          {collaborations.map((one) => (
            <option key={one.id} value={one.id} selected={one.id === filters.collaboration}>
              {plainLine(one.name)}
            </option>
          ))}
        </select>
      </span>
      <span class="filter">
        <label for={`${id}-status`}>{t("tasks.status")}</label>
        <select id={`${id}-status`} name="status">
          <option value="">{t("tasks.any")}</option>
          {STATES.map((state) => (
            <option key={state} value={state} selected={state === filters.status}>
              {wordOf(state)}
            </option>
          ))}
        </select>
      </span>
      <span class="filter">
        <label for={`${id}-size`}>{t("tasks.size")}</label>
        <select id={`${id}-size`} name="size">
          {SIZES.map((size) => (
            <option key={size} value={size} selected={size === filters.size}>
              {size}
            </option>
          ))}
        </select>
      </span>
      <label class="check">
        <input type="checkbox" name="mine" value="1" checked={filters.isMine} />
        {t("tasks.mine")}
      </label>
      <label class="check">
        <input type="checkbox" name="sub" value="1" checked={filters.withSubTasks} />
        {t("tasks.sub_tasks")}
      </label>
      <button type="submit" class="plain">
        {t("tasks.search")}
      </button>
      {isFiltered(filters) && (
        <button type="button" class="plain" onClick={() => change(NO_FILTERS)}>
          {t("tasks.clear")}
        </button>
      )}
    </form>
  );
}
