import { api, take } from "../../api/client";
import { writeInput } from "../../cards/input";
import { encrypt } from "../../crypto";
import { inputOf, nameOf, type TaskDraft } from "./draft";
import type { Place } from "./place";
import type { Recipient } from "./preflight";

/** Encrypt the input for each receiver, send the task, and return its id. */
export async function sendTask(
  task: TaskDraft,
  place: Place,
  recipients: Recipient[],
): Promise<number> {
  const receivers = recipients.filter(({ isReceiver }) => isReceiver);
  const bytes = writeInput(inputOf(task));
  const keys = place.isEncrypted ? receivers.map(({ publicKey }) => publicKey) : null;
  const texts = await encrypt(bytes, keys);
  const [open] = texts;
  const sent = await take(
    api.POST("/task", {
      body: {
        collaboration_id: place.id,
        organizations: receivers.map(({ id }, at) => ({
          id,
          input: (keys ? texts[at] : open) ?? null,
        })),
        image: task.image,
        name: nameOf(task, place.isEncrypted),
        description: task.description,
        database: task.database,
      },
    }),
  );
  return sent.id;
}
