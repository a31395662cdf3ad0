/*
 * Function cards (docs/cards.md), read from what the server sent. The server has checked a card
 * when it was put on the shelf; here only its shape is made sure of, and unknown parts are left out.
 */
import type { Schema } from "./schema";

export interface Share {
  path: string;
  class: string;
  of: string;
  note: string;
}

export interface View {
  kind: string;
  path: string;
  [more: string]: unknown;
}

export interface Example {
  title: string;
  arguments: Record<string, unknown>;
}

export interface CardFunction {
  name: string;
  kind: "central" | "partial";
  title: string;
  description: string;
  since: string;
  stability: string;
  arguments: Schema;
  database: "one" | "none";
  calls: string[];
  rounds: { at_least: number; at_most: number | null } | null;
  minimumOrganizations: number;
  shares: Share[];
  views: View[];
  examples: Example[];
}

export interface Card {
  name: string;
  version: string;
  title: string;
  description: string;
  licence: string;
  source: string;
  contact: string;
  images: string[];
  functions: CardFunction[];
}

export type Json = Record<string, unknown>;

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const text = (value: unknown, other = ""): string => (typeof value === "string" ? value : other);
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const objects = (value: unknown): Json[] => list(value).filter(isObject);
const texts = (value: unknown): string[] => list(value).filter((each) => typeof each === "string");

export function readCard(document: unknown): Card {
  const from = isObject(document) ? document : {};
  return {
    name: text(from.name),
    version: text(from.version),
    title: text(from.title),
    description: text(from.description),
    licence: text(from.licence),
    source: text(from.source),
    contact: text(from.contact),
    images: texts(from.images),
    functions: objects(from.functions).map(readFunction),
  };
}

function readFunction(from: Json): CardFunction {
  const rounds = isObject(from.rounds) ? from.rounds : null;
  const count = (value: unknown, other: number) => (typeof value === "number" ? value : other);
  return {
    name: text(from.name),
    kind: from.kind === "central" ? "central" : "partial",
    title: text(from.title),
    description: text(from.description),
    since: text(from.since),
    stability: text(from.stability, "experimental"),
    arguments: isObject(from.arguments) ? from.arguments : {},
    database: from.database === "none" ? "none" : "one",
    calls: texts(from.calls),
    rounds: rounds && {
      at_least: count(rounds.at_least, 1),
      at_most: typeof rounds.at_most === "number" ? rounds.at_most : null,
    },
    minimumOrganizations: count(from.minimum_organizations, 1),
    shares: objects(from.shares).map((share) => ({
      path: text(share.path),
      class: text(share.class),
      of: text(share.of),
      note: text(share.note),
    })),
    views: objects(from.views).map((view) => ({
      ...view,
      kind: text(view.kind),
      path: text(view.path),
    })),
    examples: objects(from.examples).map((example) => ({
      title: text(example.title),
      arguments: isObject(example.arguments) ? example.arguments : {},
    })),
  };
}

/** Functions that a task may ask for: partial ones that a central one calls are left out. */
export function askable(card: Card): CardFunction[] {
  const inner = new Set(card.functions.flatMap(({ calls }) => calls));
  return card.functions.filter(({ kind, name }) => kind === "central" || !inner.has(name));
}

/** What leaves each site for a function: the shares of itself, or of the functions it calls. */
export function sharesOf(card: Card, one: CardFunction): { name: string; shares: Share[] }[] {
  const parts = one.kind === "partial" ? [one.name] : one.calls;
  return card.functions
    .filter(({ kind, name }) => kind === "partial" && parts.includes(name))
    .map(({ name, shares }) => ({ name, shares }));
}

/** The image of a card as a task names it, with its digest if the card has one. */
export function imageOf(images: { reference: string; digest: string | null }[]): string {
  const [first] = images;
  if (!first) return "";
  return first.digest ? `${first.reference}@${first.digest}` : first.reference;
}

/** The last part of the name of an image, without tag and digest. */
export function shortName(image: string): string {
  const path = image.split("@")[0] ?? "";
  return path.split("/").pop()?.split(":")[0] || "task";
}
