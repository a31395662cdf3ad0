/* Templates: a task without its place and its receivers, in a file of the user. */
import { isObject } from "../../cards/card";
import { newTaskAddress } from "../../cards/load";
import { t } from "../../language";
import { inputOf, startDraft, type TaskDraft } from "./draft";
import { draftParts, listedFor } from "./fill";

const FORM = "vantage6_task_template";
const MOST_BYTES = 2 ** 20;

/** Write a task as the text of a template. */
export function writeTemplate(task: TaskDraft): string {
  const { image, database, name, description } = task;
  const document = { [FORM]: 1, image, input: inputOf(task), database, name, description };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** Read a template into a draft; `source` is the address of its form. */
export async function openTemplate(file: File): Promise<TaskDraft & { source: string }> {
  const document = file.size > MOST_BYTES ? null : parse(await file.text());
  if (!isObject(document) || document[FORM] !== 1 || !isObject(document.input))
    throw new Error(t("new.no_template"));
  const text = (key: string) => (typeof document[key] === "string" ? document[key] : "");
  const listed = await listedFor(text("image"), document.input, new AbortController().signal);
  const task = startDraft(listed, {
    ...draftParts(listed !== null, document.input),
    image: text("image"),
    database: text("database"),
    name: text("name"),
    description: text("description"),
  });
  const source = listed ? newTaskAddress(listed.entry, listed.function).split("?")[1] : "by=hand";
  return { ...task, source: source ?? "by=hand" };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
