import { api, take } from "../../api/client";
import { entry, isRecord, type Json } from "../../views/json";
import type { View } from "../../views/parts";
import type { Asked } from "./opened";
import type { TaskReply } from "./run";

/** Read the reviewed cards of the image of a task; none where the user may see none. */
export async function loadCards(task: TaskReply, signal: AbortSignal): Promise<Json[]> {
  const place = task.collaboration?.id;
  if (place === undefined || !task.image) return [];
  const query = { image: task.image, collaboration_id: place };
  try {
    const { cards } = await take(api.GET("/algorithm/match", { params: { query }, signal }));
    return cards.map((one) => one.card as Json);
  } catch (error) {
    if (signal.aborted) throw error;
    return [];
  }
}

/**
 * Return how a card says that an answer is shown; nothing where no card knows the function.
 *
 * Where the input cannot be read, since another organization got it, the answers of our library say
 * which function has answered.
 */
export function viewsOf(
  cards: readonly Json[],
  asked: Asked | null,
  answer: Json | undefined,
): View[] {
  const said = entry(answer, "function");
  const name = asked?.method ?? (typeof said === "string" ? said : null);
  const kind = (asked?.isCentral ?? true) ? "central" : "partial";
  for (const card of cards) {
    const functions = entry(card, "functions");
    const known = Array.isArray(functions) ? functions : [];
    const found = known.find((one) => entry(one, "name") === name && entry(one, "kind") === kind);
    const views = entry(found, "views");
    if (Array.isArray(views)) return views.filter(isView);
  }
  return [];
}

function isView(value: Json): value is View {
  return isRecord(value) && typeof value.kind === "string" && typeof value.path === "string";
}
