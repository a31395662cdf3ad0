import { api, Refusal, take, takeList, type Schemas } from "../../api/client";
import { plainLine } from "../../ui/plain";
import { isOpen } from "../../ui/State";
import { t } from "../../language";
import { rememberEncrypted, wasEncrypted } from "../new/known_keys";

export type TaskReply = Schemas["TaskReply"];
export type ResultReply = Schemas["ResultReply"];

/** A task with its sub-tasks, and the results of all of them without what is in them. */
export interface Run {
  task: TaskReply;
  /** The sub-tasks of each task, oldest first. */
  below: Map<number, TaskReply[]>;
  results: Map<number, ResultReply[]>;
  names: Map<number, string>;
  /** Null where the user may not see it: then nobody can tell whether it is encrypted. */
  collaboration: { name: string; isEncrypted: boolean } | null;
  /** Whether there are more tasks or results than were asked for. */
  isCut: boolean;
}

/** So many sub-tasks, and results, are shown of a run. */
const MOST = 1000;

/** Read a task with all that belongs to its run; what the user may not see is left out. */
export async function loadRun(id: number, signal: AbortSignal): Promise<Run> {
  const task = await take(api.GET("/task/{id}", { params: { path: { id }, query: {} }, signal }));
  const page = { page: 1, per_page: MOST };
  const run = { ...page, run_id: task.run_id };
  const listResults = (query: { run_id: number } | { task_id: number }) =>
    takeList(
      api.GET("/result", { params: { query: { ...page, ...query, payload: false } }, signal }),
    );
  const place = task.collaboration?.id;
  const [tasks, results, own, collaboration, names] = await Promise.all([
    takeList(api.GET("/task", { params: { query: run }, signal })),
    listResults({ run_id: task.run_id }),
    // The newest of a run come first, so that the results of its first task may not be among them.
    listResults({ task_id: task.id }),
    place === undefined ? null : loadCollaboration(place, signal),
    place === undefined ? new Map<number, string>() : loadNames(place, signal),
  ]);
  return {
    task,
    below: grouped(tasks.rows, (one) => one.parent?.id),
    results: grouped(
      [...results.rows.filter((one) => one.task.id !== task.id), ...own.rows],
      (one) => one.task.id,
    ),
    names,
    collaboration,
    isCut: [tasks, results, own].some(({ rows, total }) => total > rows.length),
  };
}

/** Lists come newest first. */
function grouped<T extends { id: number }>(
  rows: readonly T[],
  keyOf: (row: T) => number | undefined,
): Map<number, T[]> {
  const found = new Map<number, T[]>();
  for (const row of [...rows].sort((one, other) => one.id - other.id)) {
    const key = keyOf(row);
    if (key === undefined) continue;
    const group = found.get(key);
    if (group) group.push(row);
    else found.set(key, [row]);
  }
  return found;
}

async function loadCollaboration(id: number, signal: AbortSignal): Promise<Run["collaboration"]> {
  try {
    const found = await take(api.GET("/collaboration/{id}", { params: { path: { id } }, signal }));
    if (found.encrypted) rememberEncrypted(id);
    // SECURITY: a server that lies about it could write answers itself.
    return { name: found.name, isEncrypted: found.encrypted || wasEncrypted(id) };
  } catch (error) {
    // SECURITY: a server that does not answer has not said that nothing is encrypted.
    if (signal.aborted || !isHidden(error)) throw error;
    return null;
  }
}

const HIDDEN = [401, 403, 404];

function isHidden(error: unknown): boolean {
  return error instanceof Refusal && HIDDEN.includes(error.status);
}

async function loadNames(id: number, signal: AbortSignal): Promise<Map<number, string>> {
  const params = { path: { id }, query: {} };
  try {
    const found = await takeList(api.GET("/collaboration/{id}/organization", { params, signal }));
    return new Map(found.rows.map((one) => [one.id, one.name ?? ""]));
  } catch (error) {
    if (signal.aborted) throw error;
    // Without the right to see them, organizations have numbers.
    return new Map();
  }
}

export function nameOf(names: ReadonlyMap<number, string>, id: number): string {
  return plainLine(names.get(id)) || t("task.organization", { id });
}

/** Return how a task is called: by its name, or by its image without registry and tag. */
export function titleOf(task: { id: number; name?: string | null; image?: string | null }): string {
  const image = (task.image ?? "").split("@")[0]?.split("/").at(-1)?.split(":")[0];
  return t("task.title", { id: task.id, name: plainLine(task.name || image || "") });
}

/** Return how many results of a task have come how far, in one sentence. */
export function progressOf(results: readonly ResultReply[]): string {
  const done = results.filter((one) => one.status === "completed").length;
  const open = results.filter((one) => isOpen(one.status)).length;
  const failed = results.length - done - open;
  const said = t("task.progress", { done, count: results.length });
  return failed ? `${said}, ${t("task.progress_failed", { failed })}` : said;
}
