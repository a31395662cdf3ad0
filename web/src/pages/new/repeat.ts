import { api, take } from "../../api/client";
import type { Json } from "../../cards/card";
import { readInput } from "../../cards/input";
import { rowsOf } from "../../cards/load";
import { CryptoFault, decrypt } from "../../crypto";
import { t } from "../../language";
import { startDraft, type TaskDraft } from "./draft";
import { draftParts, listedFor } from "./fill";

/** The input of the task cannot be read here. */
export class Unreadable extends Error {
  /** `needsKey`: it could be with the right private key. */
  constructor(
    problem: string,
    readonly needsKey: boolean,
  ) {
    super(`${t("new.repeat_unreadable")} ${problem}`.trim());
  }
}

/** Read a task that was sent, so that it can be sent again with changes. */
export async function readTask(id: number, signal: AbortSignal): Promise<TaskDraft> {
  const params = { path: { id } };
  const task = await take(api.GET("/task/{id}", { params, signal }));
  const query = { task_id: id };
  const results = rowsOf(await take(api.GET("/result", { params: { query }, signal })));
  const collaboration = await take(
    api.GET("/collaboration/{id}", { params: { path: { id: task.collaboration.id } }, signal }),
  );
  const texts = results.flatMap(({ input }) => (typeof input === "string" && input ? [input] : []));
  const input = await firstReadable(texts, collaboration.encrypted);
  const image = task.image ?? "";
  const listed = await listedFor(image, input, signal);
  return startDraft(listed, {
    ...draftParts(listed !== null, input),
    image,
    collaboration: task.collaboration.id,
    receivers: results.flatMap(({ organization }) => (organization ? [organization.id] : [])),
    database: task.database ?? "default",
    name: task.name ?? "",
    description: task.description ?? "",
  });
}

/** An input is encrypted for one organization each: only the own one can be read. */
async function firstReadable(texts: string[], isEncrypted: boolean): Promise<Json> {
  let problem = "";
  let needsKey = false;
  for (const text of texts) {
    try {
      const input = readInput(await decrypt(text, isEncrypted));
      if (input) return input;
      problem ||= t("new.repeat_format");
    } catch (error) {
      if (!(error instanceof CryptoFault)) continue;
      problem ||= error.message;
      needsKey ||= ["no_key_loaded", "another_key"].includes(error.code);
    }
  }
  throw new Unreadable(problem, needsKey);
}
