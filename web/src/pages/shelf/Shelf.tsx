import "./shelf.css";
import { useLocation } from "preact-iso";
import { useLoad } from "../../api/load";
import { addressOf, isAbout, loadFunctions, type Shelved } from "../../cards/load";
import { t } from "../../language";
import { Field } from "../../ui/Field";
import { Empty, Show } from "../../ui/Loading";
import { Page } from "../../ui/Page";
import { plainLine } from "../../ui/plain";
import { ReviewState } from "./ReviewState";

/** The functions that a task may ask for; what is looked for stands in the address. */
export default function Shelf() {
  const { query, route } = useLocation();
  const wanted = query.q ?? "";
  const functions = useLoad(loadFunctions, []);

  function look(text: string) {
    const search = text ? `?${new URLSearchParams({ q: text })}` : "";
    route(`/app/shelf${search}`, true);
  }

  return (
    <Page title={t("shelf.title")}>
      <p>{t("shelf.text")}</p>
      <Field
        name="q"
        type="search"
        label={t("shelf.search")}
        value={wanted}
        onInput={(event) => look(event.currentTarget.value)}
      />
      <Show from={functions}>{(all) => <Found all={all} wanted={wanted.trim()} />}</Show>
    </Page>
  );
}

function Found({ all: { functions: all, newest }, wanted }: { all: Shelved; wanted: string }) {
  const found = all.filter((one) => isAbout(one, wanted));
  if (!all.length) return <Empty text={t("shelf.empty")} />;
  return (
    <>
      <p role="status" class="quiet">
        {t("shelf.count", { count: found.length })} {newest && t("shelf.newest", { count: newest })}
      </p>
      {!found.length && <Empty text={t("shelf.none")} />}
      <ul class="cards">
        {found.map((one) => (
          <li key={`${one.entry.id} ${one.function.kind} ${one.function.name}`}>
            <h2>
              <a href={addressOf(one.entry, one.function)}>
                {plainLine(one.function.title || one.function.name)}
              </a>
            </h2>
            <p class="quiet">
              <code>{plainLine(one.function.name)}</code> · {plainLine(one.card.name)}{" "}
              {plainLine(one.card.version)}
            </p>
            <ReviewState entry={one.entry} />
          </li>
        ))}
      </ul>
    </>
  );
}
