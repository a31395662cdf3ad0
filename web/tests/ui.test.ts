import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { plain, plainLine } from "../src/ui/plain";
import { sortRows, type Column } from "../src/ui/Table";
import { ago, span } from "../src/ui/time";
import { isBelow } from "../src/app/Shell";

test("text of other people shows its invisible and direction-changing characters", () => {
  expect(plain("a\u202eb\u200bc\ufeff\u0007")).toBe("a\\u202eb\\u200bc\\ufeff\\u0007");
  expect(plain("tag \u{e0041}")).toBe("tag \\udb40\\udc41");
  expect(plain("\ud800")).toBe("\\ud800");
  expect(plain("naïve 数 👍 line\nnext\ttab")).toBe("naïve 数 👍 line\nnext\ttab");
  expect(plainLine("one\ntwo")).toBe("one\\ntwo");
  expect(plain(null)).toBe("");
});

test("the same characters are written out as at the command line", () => {
  const python = readFileSync("../common/terminal_text.py", "utf8");
  const [, list = ""] = /_CONTROLS = re\.compile\(([^)]*)\)/.exec(python) ?? [];
  const inner = list.replace(/"\s*"/g, "").trim().replace(/^"|"$/g, "");
  const pattern = inner
    .replace(/\\U000([0-9a-f]{5})/g, "\\u{$1}")
    .replace("\\ud800-\\udfff", "\\p{Surrogate}");
  const same = new RegExp(pattern, "u");
  expect(pattern).toContain("\\u3164");
  for (let code = 0; code < 0x110000; code += 1) {
    const character = String.fromCodePoint(code);
    if (same.test(character) === (plain(character) === character))
      expect.fail(`U+${code.toString(16)} is written out in one of them only`);
  }
});

const columns: Column<{ name: string | null; size: number }>[] = [
  { key: "name", head: "Name", cell: (row) => row.name, order: (row) => row.name },
  { key: "size", head: "Size", cell: (row) => row.size, order: (row) => row.size },
];
const rows = [
  { name: "b10", size: 2 },
  { name: null, size: 10 },
  { name: "b9", size: 1 },
];

test("rows sort by number and by text with numbers in it; missing values come last", () => {
  const names = (key: string, isDown: boolean) =>
    sortRows(rows, columns, { key, isDown }).map(({ name }) => name);
  expect(names("size", false)).toEqual(["b9", "b10", null]);
  expect(names("size", true)).toEqual([null, "b10", "b9"]);
  expect(names("name", false)).toEqual(["b9", "b10", null]);
  expect(names("name", true)).toEqual(["b10", "b9", null]);
  expect(sortRows(rows, columns, null)).toBe(rows);
});

test("a length of time is written in the two units that matter", () => {
  expect(span("2026-01-01T10:00:00Z", "2026-01-01T10:00:12Z")).toBe("12 s");
  expect(span("2026-01-01T10:00:00Z", "2026-01-01T10:03:05Z")).toBe("3 min 05 s");
  expect(span("2026-01-01T10:00:00Z", "2026-01-01T12:03:05Z")).toBe("2 h 03 min");
  expect(span("2026-01-01T10:00:00Z", null)).toBe("");
});

test("how long ago something was is said in the largest unit", () => {
  const now = Date.parse("2026-01-02T00:00:00Z");
  expect(ago("2026-01-01T23:57:00Z", now)).toBe("3 minutes ago");
  expect(ago("2026-01-02T00:00:00Z", now)).toBe("now");
  expect(ago(null, now)).toBe("never");
});

test("the menu marks the page that is open and those below it", () => {
  expect(isBelow("/app", "/app/")).toBe(true);
  expect(isBelow("/app/tasks", "/app/")).toBe(false);
  expect(isBelow("/app/tasks/7", "/app/tasks")).toBe(true);
  expect(isBelow("/app/tasksome", "/app/tasks")).toBe(false);
});
