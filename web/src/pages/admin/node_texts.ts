/** The server as a node is told of it. */
export interface Server {
  /** Such as `https://server.example:8443`. */
  origin: string;
  /** Prefix of all routes; may be empty. */
  apiPath: string;
}

/** Return a name for a configuration file: it must hold nothing that a shell or a path would read. */
export function fileNameOf(name: string): string {
  const plain = name
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 40);
  return plain || "node";
}

function portOf({ origin }: Server): string {
  const { port, protocol } = new URL(origin);
  return port || (protocol === "https:" ? "443" : "80");
}

function addressOf({ origin }: Server): string {
  const { protocol, hostname } = new URL(origin);
  return `${protocol}//${hostname}`;
}

// SECURITY: the server wrote them; in a terminal or a file they stay one text.
function forShell(text: string): string {
  return /^[\w/.-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

function forYaml(text: string): string {
  return /^[0-9a-f-]{36}$/.test(text) ? text : JSON.stringify(text);
}

/** Return the commands that make a configuration, check it and start the node. */
export function commandOf(name: string, server: Server): string {
  const file = fileNameOf(name);
  const options = [
    `--name ${file}`,
    `--server-url ${addressOf(server)}`,
    `--port ${portOf(server)}`,
    `--api-path ${forShell(server.apiPath)}`,
  ];
  return [
    // SECURITY: without the key, which would stay in the history of the shell; the command asks for it.
    `vnode new ${options.join(" ")}`,
    `vnode doctor --name ${file}`,
    `vnode start --name ${file}`,
  ].join("\n");
}

/** Return the text of a configuration file for a node. */
export function configurationOf(apiKey: string, server: Server, isEncrypted: boolean): string {
  return [
    "application:",
    `  api_key: ${forYaml(apiKey)}`,
    `  server_url: ${addressOf(server)}`,
    `  port: ${portOf(server)}`,
    `  api_path: ${JSON.stringify(server.apiPath)}`,
    "  databases:",
    "    default: /path/to/data.csv",
    "  encryption:",
    `    enabled: ${isEncrypted}`,
    ...(isEncrypted ? ["    private_key: /path/to/private_key.pem"] : []),
    "",
  ].join("\n");
}
