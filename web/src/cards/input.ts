/*
 * The input of a task as the Python client writes it with `data_format="json"`: the bytes of
 * `json.` and of `json.dumps` with its defaults.
 */
import { isObject, type Json } from "./card";

export interface TaskInput {
  method: string;
  kwargs: Json;
  master?: true;
  [more: string]: unknown;
}

const PREFIX = "json.";

/** Return the input of a function. */
export function makeInput(method: string, kwargs: Json, isCentral: boolean): TaskInput {
  return isCentral ? { method, kwargs, master: true } : { method, kwargs };
}

export function writeInput(input: unknown): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(PREFIX + pythonJson(input));
}

/** Return the input behind bytes, or null where it is another format, such as a pickle. */
export function readInput(bytes: Uint8Array): Json | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    if (!text.startsWith(PREFIX)) return null;
    const input: unknown = JSON.parse(text.slice(PREFIX.length));
    return isObject(input) ? input : null;
  } catch {
    return null;
  }
}

/** Return JSON as Python writes it: spaces after commas and colons, ASCII only. */
export function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(", ")}]`;
  if (isObject(value))
    return `{${Object.entries(value)
      .filter(([, each]) => each !== undefined)
      .map(([key, each]) => `${quote(key)}: ${pythonJson(each)}`)
      .join(", ")}}`;
  if (typeof value === "string") return quote(value);
  if (typeof value === "number") return pythonNumber(value);
  if (typeof value === "boolean") return value ? "true" : "false";
  return "null";
}

function quote(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, (sign) =>
    sign === "\u007f" ? sign : `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Return a number with the digits of Python: an exponent below 1e-4 and from 1e16 on. */
export function pythonNumber(value: number): string {
  if (!Number.isFinite(value)) return "null";
  if (Number.isSafeInteger(value)) return String(value);
  const [digits = "", power = "0"] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) {
    const sign = exponent < 0 ? "-" : "+";
    return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
  }
  const plain =
    exponent < 0 ? value.toFixed(Math.min(100, fraction(digits) - exponent)) : String(value);
  return plain.includes(".") ? plain : `${plain}.0`;
}

function fraction(digits: string): number {
  return digits.split(".")[1]?.length ?? 0;
}
