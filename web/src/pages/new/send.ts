import { api, take } from "../../api/client";
import { newKey } from "../../api/repeated";
import type { components } from "../../api/schema";
import { writeInput } from "../../cards/input";
import { CryptoFault, encrypt, hasKey } from "../../crypto";
import { inputOf, nameOf, type TaskDraft } from "./draft";
import { rememberEncrypted, wasEncrypted } from "./known_keys";
import type { Place } from "./place";
import type { Recipient } from "./preflight";

/** A task as it travels; sent a second time with the same key, the server makes no second task. */
export interface Sealed {
  key: string;
  body: components["schemas"]["TaskCreate"];
}

/** Encrypt the input for each receiver. */
export async function sealTask(
  task: TaskDraft,
  place: Place,
  recipients: Recipient[],
): Promise<Sealed> {
  const receivers = recipients.filter(({ isReceiver }) => isReceiver);
  const bytes = writeInput(inputOf(task));
  // SECURITY: a server that lies about the collaboration must not get to see the input.
  if (!place.isEncrypted && hasKey.value) throw new CryptoFault("plain_with_key");
  if (!place.isEncrypted && wasEncrypted(place.id)) throw new CryptoFault("plain_now");
  if (place.isEncrypted) rememberEncrypted(place.id);
  const keys = place.isEncrypted ? receivers.map(({ publicKey }) => publicKey) : null;
  const texts = await encrypt(bytes, keys);
  const [open] = texts;
  return {
    key: newKey(),
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
  };
}

/** Send the task, and return its id. */
export async function sendTask({ key, body }: Sealed): Promise<number> {
  const headers = { "Idempotency-Key": key };
  return (await take(api.POST("/task", { body, headers }))).id;
}
