import { api, type Schemas, take } from "../api/client";
import { askable, type Card, type CardFunction, readCard } from "./card";

export type Entry = Schemas["AlgorithmCardReply"];

/** A function on the shelf, with its card. */
export interface Listed {
  entry: Entry;
  card: Card;
  function: CardFunction;
}

/** Cards that are read with their documents; the newest ones. */
const MOST_CARDS = 40;

/** Return the rows of a list that came with or without its envelope. */
export function rowsOf<Row>(reply: Row[] | { data: Row[] }): Row[] {
  return Array.isArray(reply) ? reply : reply.data;
}

/** Return what a task may ask for, by the newest cards that are not retired. */
export async function loadFunctions(signal: AbortSignal): Promise<Listed[]> {
  const query = { per_page: 100 };
  const reply = await take(api.GET("/algorithm", { params: { query }, signal }));
  const chosen = rowsOf(reply)
    .filter(({ state }) => state !== "retired")
    .sort((left, right) => right.id - left.id)
    .slice(0, MOST_CARDS);
  const entries = await Promise.all(chosen.map(({ id }) => loadEntry(id, signal)));
  return entries.flatMap((entry) => {
    const card = readCard(entry.card);
    return askable(card).map((each) => ({ entry, card, function: each }));
  });
}

export function loadEntry(id: number, signal?: AbortSignal): Promise<Entry> {
  return take(
    api.GET("/algorithm/{id}", { params: { path: { id } }, ...(signal ? { signal } : {}) }),
  );
}

/** Return a function of a card by its name; the central one, if the kind is not said. */
export function findFunction(card: Card, name: string, kind?: string): CardFunction | undefined {
  const named = card.functions.filter((one) => one.name === name);
  return named.find((one) => one.kind === (kind ?? "central")) ?? named[0];
}

/** Tell whether a function is about what the user looks for: all words, in any order. */
export function isAbout({ card, function: one }: Listed, wanted: string): boolean {
  const text = [one.name, one.title, one.description, card.name, card.title]
    .join(" ")
    .toLowerCase();
  return wanted
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** The address of the page of a function. */
export function addressOf(entry: { id: number }, one: CardFunction): string {
  const kind = one.kind === "partial" ? "?kind=partial" : "";
  return `/app/shelf/${entry.id}/${encodeURIComponent(one.name)}${kind}`;
}

/** The address of a new task with a function. */
export function newTaskAddress(entry: { id: number }, one: CardFunction): string {
  const query = new URLSearchParams({ card: String(entry.id), function: one.name });
  if (one.kind === "partial") query.set("kind", "partial");
  return `/app/new?${query}`;
}
