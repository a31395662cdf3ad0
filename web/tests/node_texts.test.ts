import { expect, test } from "vitest";
import { commandOf, configurationOf } from "../src/pages/admin/node_texts";

const server = { origin: "https://v6.example", apiPath: "/api" };
const key = "01234567-89ab-cdef-0123-456789abcdef";

test("a path and a key as servers have them stand as they are", () => {
  expect(commandOf("a", server)).toContain("--port 443 --api-path /api\n");
  expect(commandOf("a", { ...server, apiPath: "" })).toContain("--api-path ''\n");
  expect(configurationOf(key, server, false)).toContain(`  api_key: ${key}\n`);
});

test("another path or key stays one text, for the shell and in the file", () => {
  const path = "/a'; echo b; '";
  const quoted = "'/a'\\''; echo b; '\\'''";
  expect(commandOf("a", { ...server, apiPath: path })).toContain(`--api-path ${quoted}\n`);
  const lines = configurationOf("x\n  server_url: http://evil", server, false).split("\n");
  expect(lines.filter((line) => line.startsWith("  server_url"))).toEqual([
    "  server_url: https://v6.example",
  ]);
});
