import { useLocation } from "preact-iso";
import { useState } from "preact/hooks";
import { useLoad } from "../../api/load";
import { isAbout, loadFunctions, newTaskAddress } from "../../cards/load";
import { t } from "../../language";
import { Field } from "../../ui/Field";
import { Empty, Show } from "../../ui/Loading";
import { Page } from "../../ui/Page";
import { plainLine } from "../../ui/plain";
import { draft } from "./draft";
import { openTemplate } from "./template";

/** The first step of a new task: a function, a template, or everything by hand. */
export function Choose() {
  const { query, route } = useLocation();
  const wanted = query.q ?? "";
  const functions = useLoad(loadFunctions, []);
  const look = (text: string) =>
    route(text ? `/app/new?${new URLSearchParams({ q: text })}` : "/app/new", true);
  return (
    <Page title={t("new.title")}>
      <h2>{t("new.choose_function")}</h2>
      <Field
        name="q"
        type="search"
        label={t("shelf.search")}
        value={wanted}
        onInput={(event) => look(event.currentTarget.value)}
      />
      <Show from={functions}>
        {({ functions: all, newest }) => {
          const found = all.filter((one) => isAbout(one, wanted.trim()));
          if (!found.length) return <Empty text={t(all.length ? "shelf.none" : "shelf.empty")} />;
          return (
            <>
              {newest && <p class="quiet">{t("shelf.newest", { count: newest })}</p>}
              <ul class="functions">
                {found.map(({ entry, function: one }) => (
                  <li key={`${entry.id} ${one.kind} ${one.name}`}>
                    <a href={newTaskAddress(entry, one)}>{plainLine(one.title || one.name)}</a>{" "}
                    <code class="quiet">{plainLine(one.name)}</code>
                  </li>
                ))}
              </ul>
            </>
          );
        }}
      </Show>
      <h2>{t("new.other_ways")}</h2>
      <Template />
      <p>
        <a href="/app/new?by=hand">{t("new.by_hand_link")}</a>
      </p>
    </Page>
  );
}

function Template() {
  const { route } = useLocation();
  const [problem, setProblem] = useState("");

  async function read(input: HTMLInputElement) {
    const file = input.files?.[0];
    if (!file) return;
    try {
      const opened = await openTemplate(file);
      draft.value = opened;
      route(`/app/new?${opened.source}`);
    } catch (error) {
      input.value = "";
      setProblem(error instanceof Error ? error.message : String(error));
    }
  }

  return (
    <Field
      name="template"
      type="file"
      accept=".json"
      label={t("new.template_file")}
      hint={t("new.template_hint")}
      error={problem || undefined}
      onChange={(event) => read(event.currentTarget)}
    />
  );
}
