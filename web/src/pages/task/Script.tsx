import { t } from "../../language";
import { settings } from "../../api/settings";
import { user } from "../../api/session";
import { CopyButton } from "../../ui/CopyButton";
import type { Run } from "./run";

/** The script that collects the same answers, for a user who goes on in Python. */
export function Script({ run }: { run: Run }) {
  const script = scriptOf({
    task: run.task.id,
    origin: location.origin,
    path: settings.apiPath,
    username: user.value?.username ?? "",
    isEncrypted: run.collaboration?.isEncrypted ?? true,
  });
  return (
    <section aria-labelledby="python">
      <h2 id="python">{t("task.python")}</h2>
      <p>
        {t("task.python_why")} <CopyButton text={script} />
      </p>
      <pre tabIndex={0}>{script}</pre>
    </section>
  );
}

interface Wanted {
  task: number;
  origin: string;
  path: string;
  username: string;
  isEncrypted: boolean;
}

/**
 * Return the lines of Python that collect the results of a task.
 *
 * SECURITY: types are not checked while the page runs. A server could send a text as a number.
 */
export function scriptOf({ task, origin, path, username, isEncrypted }: Wanted): string {
  const { protocol, hostname, port } = new URL(origin);
  const number = port || (protocol === "https:" ? "443" : "80");
  const key = isEncrypted ? pythonText("private_key.pem") : "None";
  return [
    "from getpass import getpass",
    "",
    "from vantage6.client import Client",
    "",
    `client = Client(${pythonText(`${protocol}//${hostname}`)}, ${number}, ${pythonText(path)})`,
    `client.authenticate(${pythonText(username)}, getpass())`,
    `client.setup_encryption(${key})`,
    `client.wait_for_results(${Number(task)})`,
    `for result in client.result.from_task(${Number(task)}):`,
    '    print(result["organization"]["id"], result["status"], result["result"])',
    "",
  ].join("\n");
}

/** SECURITY: JSON without characters beyond ASCII is a text of Python that ends where it should. */
export function pythonText(text: string): string {
  return JSON.stringify(text).replace(
    /[^\x20-\x7e]/g,
    (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
