import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { askedOf, read } from "../src/pages/task/opened";
import { viewsOf } from "../src/pages/task/function";
import { readTable, remedyOf } from "../src/pages/task/reasons";
import { pythonText, scriptOf } from "../src/pages/task/Script";
import { titleOf } from "../src/pages/task/run";
import { sizeOf } from "../src/pages/task/Answers";
import type { Json } from "../src/views/json";

const bytes = (text: string) => new TextEncoder().encode(text);

test("every reason of the documentation has its remedy on the page", () => {
  const page = readFileSync(`${import.meta.dirname}/../../docs/reasons.md`, "utf8");
  const codes = [...page.matchAll(/^\| `(\w+)` \|/gm)].map((one) => one[1]);
  expect(codes.length).toBeGreaterThan(40);
  for (const code of codes) expect(remedyOf(code), code).toMatch(/\w.*\.$/);
  expect(remedyOf("bad_arguments")).toContain("The input does not fit the card of the image.");
  expect(remedyOf("__proto__")).toBeUndefined();
});

test("a row of a table is plain text, without marks of Markdown", () => {
  const rows = readTable(
    "| `a_code` | failed | Use `x` and [that](page.md#part). |\n| code | status |",
  );
  expect([...rows]).toEqual([["a_code", "Use x and that."]]);
});

test("an answer is JSON with the name of its format, or is not drawn", () => {
  expect(read(bytes('json.{"a": 1.50}'))).toMatchObject({ value: { a: 1.5 }, text: '{"a": 1.50}' });
  expect(read(bytes("JSON.1"))).toMatchObject({ value: 1 });
  for (const text of ["\u0080\u0004K\u0001.", "pickle.x", '{"a": 1}', ""]) {
    const found = read(bytes(text));
    expect(found.value).toBeUndefined();
    expect(found.problem).toContain("Python");
  }
  expect(read(bytes("json.{")).problem).toContain("is none");
  expect(read(new Uint8Array([...bytes('json."'), 0xff, 0x22])).problem).toContain("is none");
});

test("a large answer is not drawn, and is there as it was", () => {
  const found = read(bytes(`json."${"x".repeat(5_000_001)}"`));
  expect(found.value).toBeUndefined();
  expect(found.text).toHaveLength(5_000_003);
  expect(sizeOf(found.bytes?.length ?? 0)).toBe("5.0 MB");
});

test("what a task asks for is read as the node reads it", () => {
  const input = { master: true, method: "glm", args: [1], kwargs: { formula: "y ~ x" } };
  expect(askedOf(input)).toEqual({
    method: "glm",
    isCentral: true,
    positional: [1],
    arguments: { formula: "y ~ x" },
  });
  expect(askedOf({ method: "average_partial" })).toMatchObject({ isCentral: false, arguments: {} });
  for (const odd of [null, [], "x", { method: 1 }, undefined]) expect(askedOf(odd)).toBeNull();
});

test("views come from the card of the function that was asked, or that says that it answers", () => {
  const glm = {
    name: "glm",
    kind: "central",
    views: [{ kind: "coefficients", path: "/result" }, { kind: 1 }],
  };
  const part = { name: "glm", kind: "partial", views: [{ kind: "table", path: "" }] };
  const cards: Json[] = [{ functions: "x" }, { functions: [part, glm] }];
  const asked = { method: "glm", isCentral: true, arguments: {}, positional: [] };
  expect(viewsOf(cards, asked, null)).toEqual([{ kind: "coefficients", path: "/result" }]);
  expect(viewsOf(cards, { ...asked, isCentral: false }, null)).toEqual([
    { kind: "table", path: "" },
  ]);
  expect(viewsOf(cards, null, { function: "glm" })).toHaveLength(1);
  expect(viewsOf(cards, { ...asked, method: "other" }, { function: "glm" })).toEqual([]);
  expect(viewsOf([], asked, null)).toEqual([]);
});

test("a text of the script ends where it should, whatever it holds", () => {
  expect(pythonText('a"); import os #\n\u202e\\')).toBe('"a\\"); import os #\\n\\u202e\\\\"');
});

test("the script collects from the server of the page", () => {
  const script = scriptOf({
    task: 12,
    origin: "https://v6.example:8443",
    path: "/api",
    username: "ada",
    isEncrypted: true,
  });
  expect(script).toContain('Client("https://v6.example", 8443, "/api")');
  expect(script).toContain('client.setup_encryption("private_key.pem")');
  expect(script).toContain("client.result.from_task(12)");
});

test("what a server sends as a number of a task is no code of the script", () => {
  const script = scriptOf({
    task: JSON.parse('"1)\\nimport os #"'),
    origin: "https://v6.example",
    path: "",
    username: "",
    isEncrypted: false,
  });
  expect(script).not.toContain("import os");
});

test("a task without a name is called by its image", () => {
  const image = "harbor.example:5000/lab/statistics:1.0@sha256:0";
  expect(titleOf({ id: 3, name: "", image })).toBe("Task 3: statistics");
  expect(titleOf({ id: 3, name: "a\u202eb", image })).toBe("Task 3: a\\u202eb");
});
