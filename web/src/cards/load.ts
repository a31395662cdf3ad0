import { api, Refusal, type Schemas, take } from "../api/client";
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

/** Functions on the shelf, and of how many of the newest cards they are where there are more. */
export interface Shelved {
  functions: Listed[];
  newest: number | null;
}

/** Return what a task may ask for, by the newest cards that are not retired. */
export async function loadFunctions(signal: AbortSignal): Promise<Shelved> {
  const chosen = await loadUsable(signal);
  const functions = await read(chosen.slice(0, MOST_CARDS), signal);
  return { functions, newest: chosen.length > MOST_CARDS ? MOST_CARDS : null };
}

/** Return what a task may ask an image for, by the newest cards of any of its versions. */
export async function loadFunctionsOf(image: string, signal: AbortSignal): Promise<Listed[]> {
  const chosen = (await loadUsable(signal)).filter(({ images }) =>
    images.some(({ reference }) => bare(reference) === bare(image)),
  );
  return read(chosen.slice(0, MOST_CARDS), signal);
}

/** The name of an image without tag and digest. */
export function bare(image: string): string {
  const path = image.split("@")[0] ?? "";
  return path.replace(/:[^/:]*$/, "");
}

async function loadUsable(signal: AbortSignal) {
  const reply = await take(api.GET("/algorithm", { params: { query: {} }, signal }));
  return rowsOf(reply)
    .filter(({ state }) => state !== "retired")
    .sort((left, right) => right.id - left.id);
}

async function read(chosen: { id: number }[], signal: AbortSignal): Promise<Listed[]> {
  const entries = await Promise.all(
    chosen.map(({ id }) => loadEntry(id, signal).catch(unlessGone)),
  );
  return entries.flatMap((entry) => {
    if (!entry) return [];
    const card = readCard(entry.card);
    return askable(card).map((each) => ({ entry, card, function: each }));
  });
}

/** A card may be deleted between the list and its reading. */
function unlessGone(error: unknown): null {
  if (error instanceof Refusal && error.status === 404) return null;
  throw error;
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
