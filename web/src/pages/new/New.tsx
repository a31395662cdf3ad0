import "./new.css";
import { useEffect, useRef } from "preact/hooks";
import { useLocation } from "preact-iso";
import { type Loaded, useLoad } from "../../api/load";
import { user } from "../../api/session";
import { readCard } from "../../cards/card";
import { findFunction, loadEntry } from "../../cards/load";
import { keyFingerprint } from "../../crypto";
import { KeyBox } from "../../crypto/KeyBox";
import { t } from "../../language";
import { Empty, Show } from "../../ui/Loading";
import { Page } from "../../ui/Page";
import { plainLine } from "../../ui/plain";
import { Choose } from "./Choose";
import { draft, startDraft, type TaskDraft } from "./draft";
import { Form } from "./Form";
import { rememberEncrypted } from "./known_keys";
import { loadPlaces } from "./place";
import { readTask, Unreadable } from "./repeat";
import { Review } from "./Review";

/**
 * A new task. The address says which function it has (`card`, `function`, `kind`), which task it
 * repeats (`task`), that it is written by hand (`by=hand`), and that it is reviewed (`step`).
 */
export default function New() {
  const { query } = useLocation();
  const { card, task, by } = query;
  return card || task || by ? <Drafted query={query} /> : <Choose />;
}

type Query = Record<string, string>;

function Drafted({ query }: { query: Query }) {
  const { route } = useLocation();
  const { step, ...from } = query;
  const source = new URLSearchParams(from).toString();
  const home = user.value?.organization?.id;
  const loaded = useLoad(
    async (signal) => {
      const places = loadPlaces(home, signal);
      // Back from the review, the form is as it was left.
      if (draft.value?.source !== source) keepDraft(await load(from, signal), source, signal);
      for (const { id, isEncrypted } of await places) if (isEncrypted) rememberEncrypted(id);
      return places;
    },
    [source],
  );
  const needsKey = useNeedsKey(loaded);
  return (
    <Page title={titleOf(draft.value)}>
      {needsKey && <KeyBox />}
      <Show from={loaded}>
        {(places) => {
          const task = draft.value;
          if (!places.length) return <Empty text={t("new.no_place")} />;
          if (!task || task.source !== source) return null;
          const change = (changed: Partial<TaskDraft>) => {
            if (draft.value) draft.value = { ...draft.value, ...changed };
          };
          const place = places.find(({ id }) => id === task.collaboration) ?? places[0];
          if (!place) return null;
          return step === "review" ? (
            <Review task={task} place={place} back={() => history.back()} />
          ) : (
            <Form
              task={task}
              places={places}
              place={place}
              change={change}
              review={() => route(`/app/new?${source}&step=review`)}
            />
          );
        }}
      </Show>
    </Page>
  );
}

/** Tell whether a key is missing, and load again when one is there. */
function useNeedsKey(loaded: Loaded<unknown>): boolean {
  const needsKey = useRef(false);
  // Its field stays while the task is read once more.
  if (loaded.state === "ready") needsKey.current = false;
  if (loaded.state === "refused")
    needsKey.current = loaded.refusal instanceof Unreadable && loaded.refusal.needsKey;
  const key = keyFingerprint.value;
  useEffect(() => {
    if (needsKey.current && key) loaded.reload();
  }, [key]);
  return needsKey.current;
}

function titleOf(task: TaskDraft | null): string {
  if (!task) return t("new.title");
  const one = task.listed?.function;
  return one ? plainLine(one.title || one.name) : t("new.by_hand");
}

/** Keep a draft that was loaded, unless the user has gone on to another one meanwhile. */
export function keepDraft(made: TaskDraft, source: string, signal: AbortSignal): void {
  if (!signal.aborted) draft.value = { ...made, source };
}

async function load(query: Query, signal: AbortSignal): Promise<TaskDraft> {
  const { card, function: name, kind, task } = query;
  if (task) return readTask(Number(task), signal);
  if (!card) return startDraft(null);
  const entry = await loadEntry(Number(card), signal);
  const document = readCard(entry.card);
  const one = findFunction(document, name ?? "", kind);
  if (!one) throw new Error(t("shelf.no_function"));
  return startDraft({ entry, card: document, function: one });
}
