/*
 * SECURITY: the private key lives in this worker only. No message to the page ever holds it, and
 * the page ends the worker to forget it.
 */
import { MessageFault, open, seal } from "./messages";
import { digest } from "./fingerprint";
import { KeyFault, type PrivateKey, publicDer, readPrivateKey, readPublicKey } from "./rsa";

/** A file with a private key is a hundredth of it. */
const MOST_FILE_BYTES = 2 ** 20;

export type Question =
  | { kind: "load"; file: File }
  | { kind: "decrypt"; text: string }
  | { kind: "encrypt"; bytes: Uint8Array<ArrayBuffer>; receivers: (string | null)[] };

export type Answer = { id: number } & (
  | { fault: string }
  | { text: string }
  | { texts: string[] }
  | { bytes: Uint8Array<ArrayBuffer> }
);

let own: PrivateKey | null = null;

async function answer(question: Question) {
  switch (question.kind) {
    case "load": {
      if (question.file.size > MOST_FILE_BYTES) throw new KeyFault("not_a_key");
      own = readPrivateKey(await question.file.text());
      return { text: await digest(publicDer(own)) };
    }
    case "decrypt":
      if (!own) throw new MessageFault("no_key_loaded");
      return { bytes: await open(question.text, own) };
    case "encrypt": {
      const receivers = question.receivers.map(readPublicKey);
      return { texts: await Promise.all(receivers.map((each) => seal(question.bytes, each))) };
    }
  }
}

addEventListener("message", async (event: MessageEvent<{ id: number } & Question>) => {
  const { id, ...question } = event.data;
  try {
    const found = await answer(question);
    postMessage({ id, ...found }, { transfer: "bytes" in found ? [found.bytes.buffer] : [] });
  } catch (error) {
    const isKnown = error instanceof KeyFault || error instanceof MessageFault;
    postMessage({ id, fault: isKnown ? error.code : "failed" });
  }
});
