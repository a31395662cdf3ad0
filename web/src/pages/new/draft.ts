/* What a task will be, while its form is filled in. It stays in the memory of the tab. */
import { effect, signal } from "@preact/signals";
import { user } from "../../api/session";
import { shortName, imageOf, type Json } from "../../cards/card";
import { argumentsOf, type Draft, draftsOf, valuesOf } from "../../cards/controls";
import { makeInput } from "../../cards/input";
import type { Listed } from "../../cards/load";
import type { Place } from "./place";

export interface TaskDraft {
  /** The function; null where image and input are written by hand. */
  listed: Listed | null;
  image: string;
  collaboration: number | null;
  /** Organizations whose stations get the task; null: as the function usually has it. */
  receivers: number[] | null;
  database: string;
  /** Empty: a name is made. */
  name: string;
  description: string;
  drafts: Record<string, Draft>;
  /** The input as JSON, where it is written by hand. */
  raw: string;
}

/** The draft of this tab: the review shows it, and "back" finds the form as it was. */
export const draft = signal<(TaskDraft & { source: string }) | null>(null);

// SECURITY: the next user of this tab must not see it.
effect(() => {
  if (!user.value) draft.value = null;
});

const EXAMPLE = '{\n  "method": "average_partial",\n  "kwargs": {"column_name": "age"}\n}';

export function startDraft(
  listed: Listed | null,
  given: Partial<TaskDraft> & { values?: Json } = {},
): TaskDraft {
  const { values, ...more } = given;
  const args = listed ? argumentsOf(listed.function.arguments) : [];
  return {
    listed,
    image: listed ? imageOf(listed.entry.images) : "",
    collaboration: listed?.entry.collaboration?.id ?? null,
    receivers: null,
    database: "default",
    name: "",
    description: "",
    drafts: draftsOf(args, values),
    raw: EXAMPLE,
    ...more,
  };
}

/** Return the input of the task; throws a SyntaxError where it is written by hand and no JSON. */
export function inputOf({ listed, drafts, raw }: TaskDraft): Json {
  if (!listed) {
    const input: unknown = JSON.parse(raw);
    if (typeof input !== "object" || input === null || Array.isArray(input))
      throw new SyntaxError("not an object");
    return { ...input };
  }
  const { name, kind, arguments: schema } = listed.function;
  return makeInput(name, valuesOf(argumentsOf(schema), drafts), kind === "central");
}

export function isCentral(one: TaskDraft): boolean {
  if (one.listed) return one.listed.function.kind === "central";
  try {
    return inputOf(one).master === true;
  } catch {
    return false;
  }
}

/** Whose stations get the task: for a central function the own one puts the parts together. */
export function receiversOf(one: TaskDraft, place: Place, own: number | undefined): number[] {
  const ids = place.members.map(({ id }) => id);
  if (one.receivers) return one.receivers.filter((id) => ids.includes(id));
  if (!isCentral(one)) return ids;
  const first = own !== undefined && ids.includes(own) ? own : ids[0];
  return first === undefined ? [] : [first];
}

// SECURITY: the name of a task is never encrypted, and the function is part of its input.
export function nameOf(one: TaskDraft, isEncrypted: boolean): string {
  if (one.name.trim()) return one.name.trim();
  return one.listed && !isEncrypted ? one.listed.function.name : shortName(one.image);
}
