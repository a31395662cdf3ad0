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
