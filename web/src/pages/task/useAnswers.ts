import { useState } from "preact/hooks";
import { useLoad } from "../../api/load";
import { keyFingerprint } from "../../crypto";
import type { Json } from "../../views/json";
import { loadCards, viewsOf } from "./function";
import { askedOf, openResult, type Asked, type OpenedResult } from "./opened";
import { useRetry } from "./retry";
import type { Run } from "./run";
import type { View } from "../../views/parts";

export interface Answers {
  /** Undefined while they are on their way. */
  opened: OpenedResult[] | undefined;
  refusal: Error | undefined;
  again: () => void;
  asked: Asked | null;
  viewsOf: (answer: Json | undefined) => View[];
  /** How many more there are. */
  left: number;
  more: () => void;
}

/** So many answers are read at first, and with each click. */
const FIRST = 10;

/** Read the answers of a task, and how they are shown; again when one ends, or a key is loaded. */
export function useAnswers({ task, results, collaboration }: Run): Answers {
  const [most, setMost] = useState(FIRST);
  const all = results.get(task.id) ?? [];
  const first = all.slice(0, most);
  const state = first.map(({ id, status }) => `${id} ${status}`).join();
  const isEncrypted = collaboration?.isEncrypted;
  const found = useLoad(
    (signal) => Promise.all(first.map(({ id }) => openResult(id, isEncrypted, signal))),
    [task.id, state, isEncrypted, keyFingerprint.value],
  );
  useRetry(found);
  const cards = useLoad((signal) => loadCards(task, signal), [task.id]);
  const inputs = (found.data ?? []).map((one) => askedOf(one.input?.value));
  const asked = inputs.find((one) => one !== null) ?? null;
  return {
    opened: cards.data && found.data,
    refusal: found.state === "refused" ? found.refusal : undefined,
    again: found.reload,
    asked,
    viewsOf: (answer) => viewsOf(cards.data ?? [], asked, answer),
    left: all.length - first.length,
    more: () => setMost(most + FIRST),
  };
}
