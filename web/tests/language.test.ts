import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { de } from "../src/language/de";
import { en } from "../src/language/en";
import { nl } from "../src/language/nl";

test.each([
  ["nl", nl],
  ["de", de],
])("%s uses the names of the English texts", (_, texts) => {
  const names = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();
  for (const [key, text] of Object.entries(texts))
    expect(names(text), key).toEqual(names(en[key as keyof typeof en]));
});

test("each text is used", () => {
  const root = join(import.meta.dirname, "../src");
  const code = readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.tsx?$/.test(path) && !path.startsWith("language"))
    .map((path) => readFileSync(join(root, path), "utf8"))
    .join("\n");
  // Some keys are put together: `new.block.${block}`.
  const begins = [...code.matchAll(/`([a-z_]+\.[a-z_.]*)\$\{/g)].map(([, begin = ""]) => begin);
  const isUsed = (key: string) =>
    code.includes(`"${key}"`) || begins.some((begin) => key.startsWith(begin));
  expect(Object.keys(en).filter((key) => !isUsed(key))).toEqual([]);
});
