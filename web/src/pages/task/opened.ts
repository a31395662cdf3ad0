import { api, take } from "../../api/client";
import { CryptoFault, decrypt, hasKey } from "../../crypto";
import { isEncrypted as isSealed } from "../../crypto/layout";
import { t } from "../../language";
import { entry, isRecord, type Json, type JsonRecord } from "../../views/json";
import type { ResultReply } from "./run";

/** Something that travelled as bytes, made readable as far as it can be. */
export interface Opened {
  /** Undefined where it is no JSON, or too large to be drawn. */
  value?: Json;
  /** The text of JSON as it was written, with all digits. */
  text?: string;
  bytes?: Uint8Array<ArrayBuffer>;
  /** Why there is nothing to see, as a sentence. */
  problem?: string;
}

export interface OpenedResult {
  reply: ResultReply;
  answer: Opened | null;
  input: Opened | null;
  log: Opened | null;
}

/** A larger answer is not drawn: its size and its first part are shown. */
export const MOST_DRAWN = 5_000_000;

/**
 * Read a result with its answer, its log and, where the user's organization got it, its input.
 *
 * `isEncrypted` is undefined where it is not known whether the collaboration is encrypted.
 */
export async function openResult(
  id: number,
  isEncrypted: boolean | undefined,
  signal: AbortSignal,
): Promise<OpenedResult> {
  const params = { path: { id }, query: {} };
  const reply = await take(api.GET("/result/{id}", { params, signal }));
  const [answer, input, log] = await Promise.all([
    open(reply.result, isEncrypted),
    open(reply.input, isEncrypted),
    openLog(reply.log, isEncrypted),
  ]);
  return { reply, answer, input, log };
}

/**
 * Return why a text is not read as it stands: as the Python client, this page takes no plain text
 * where there could have been an encrypted one.
 *
 * SECURITY: anybody on the way could have written it, the server too.
 */
export function plainFault(text: string, isEncrypted: boolean | undefined): string | null {
  if (isSealed(text)) return null;
  if (isEncrypted === undefined) return t("task.encryption_unknown");
  if (isEncrypted) return t("crypto.not_encrypted");
  return hasKey.value ? t("task.plain_with_key") : null;
}

async function open(text: string | null, isEncrypted: boolean | undefined): Promise<Opened | null> {
  if (!text) return null;
  const problem = plainFault(text, isEncrypted);
  if (problem) return { problem };
  try {
    return read(await decrypt(text, isEncrypted ?? true));
  } catch (error) {
    return { problem: sentenceOf(error) };
  }
}

/** A log is text, unless it is encrypted. */
async function openLog(
  text: string | null,
  isEncrypted: boolean | undefined,
): Promise<Opened | null> {
  if (!text) return null;
  const problem = plainFault(text, isEncrypted);
  if (problem) return { problem };
  if (!isSealed(text)) return { text };
  try {
    return { text: new TextDecoder().decode(await decrypt(text, true)) };
  } catch (error) {
    return { problem: sentenceOf(error) };
  }
}

function sentenceOf(error: unknown): string {
  return error instanceof CryptoFault ? error.message : t("task.unreadable");
}

/** Longest name of a format in front of a payload, with its dot. */
const LONGEST_NAME = 10;

/** Return the JSON behind a payload; other formats are named. */
export function read(bytes: Uint8Array<ArrayBuffer>): Opened {
  const start = new TextDecoder("latin1").decode(bytes.subarray(0, LONGEST_NAME));
  if (!start.toLowerCase().startsWith("json.")) return { bytes, problem: t("task.not_json") };
  const inner = bytes.subarray("json.".length);
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(inner);
    if (inner.length > MOST_DRAWN) return { bytes: inner, text };
    return { bytes: inner, text, value: JSON.parse(text) as Json };
  } catch {
    return { bytes: inner, problem: t("task.broken_json") };
  }
}

/** What a task asks for. */
export interface Asked {
  method: string;
  isCentral: boolean;
  arguments: JsonRecord;
  positional: Json[];
}

/** Return what the input of a task asks for; null where it has another form. */
export function askedOf(input: Json | undefined): Asked | null {
  const method = entry(input, "method");
  if (typeof method !== "string") return null;
  const [named, positional] = [entry(input, "kwargs"), entry(input, "args")];
  return {
    method,
    isCentral: entry(input, "master") === true,
    arguments: isRecord(named) ? named : {},
    positional: Array.isArray(positional) ? positional : [],
  };
}
