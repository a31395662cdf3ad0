/* The Python script that does what the form does. */
import { isObject } from "../../cards/card";
import { pythonNumber } from "../../cards/input";
import { inputOf, type TaskDraft } from "./draft";

export interface ScriptPlace {
  address: string;
  apiPath: string;
  username: string;
  collaboration: number;
  isEncrypted: boolean;
  receivers: number[];
  name: string;
}

export function writeScript(task: TaskDraft, place: ScriptPlace): string {
  const server = new URL(place.address);
  const port = server.port || (server.protocol === "https:" ? "443" : "80");
  const host = `${server.protocol}//${server.hostname}`;
  return [
    "from getpass import getpass",
    "",
    "from vantage6.client import Client",
    "",
    `client = Client(${literal(host)}, ${port}, ${literal(place.apiPath)})`,
    `client.authenticate(${literal(place.username)}, getpass())`,
    place.isEncrypted
      ? 'client.setup_encryption("private_key.pem")  # the private key of your organization'
      : "client.setup_encryption(None)",
    "",
    "task = client.task.create(",
    `    collaboration=${literal(place.collaboration)},`,
    `    organizations=${literal(place.receivers)},`,
    `    name=${literal(place.name)},`,
    `    image=${literal(task.image)},`,
    `    description=${literal(task.description)},`,
    `    input=${literal(inputOf(task), 4)},`,
    '    data_format="json",',
    `    database=${literal(task.database)},`,
    ")",
    'client.wait_for_results(task["id"])',
    'for result in client.result.list(task=task["id"])["data"]:',
    '    print(result["result"])',
    "",
  ].join("\n");
}

/** Return a value as Python writes it; a dictionary has a line for each entry. */
export function literal(value: unknown, indent = 0): string {
  if (typeof value === "string") return quote(value);
  if (typeof value === "number") return pythonNumber(value);
  if (typeof value === "boolean") return value ? "True" : "False";
  if (Array.isArray(value)) return `[${value.map((each) => literal(each, indent)).join(", ")}]`;
  if (!isObject(value)) return "None";
  const entries = Object.entries(value);
  if (!entries.length) return "{}";
  const space = " ".repeat(indent + 4);
  const lines = entries.map(
    ([key, each]) => `${space}${quote(key)}: ${literal(each, indent + 4)},`,
  );
  return `{\n${lines.join("\n")}\n${" ".repeat(indent)}}`;
}

/** A text of JSON is one of Python, but for characters that cannot be seen. */
function quote(text: string): string {
  return JSON.stringify(text).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (sign) => {
    const code = (sign.codePointAt(0) ?? 0).toString(16);
    return code.length > 4 ? `\\U${code.padStart(8, "0")}` : `\\u${code.padStart(4, "0")}`;
  });
}
