import { signal } from "@preact/signals";
import { en } from "./en";

export type Key = keyof typeof en;
export type Texts = Partial<Record<Key, string>>;
export type Language = "en" | "nl" | "de";

export const language = signal<Language>("en");
const texts: Record<Language, Texts> = { en, nl: {}, de: {} };

/** Change the language of the pages; its texts are loaded when they are first needed. */
export async function speak(wanted: Language): Promise<void> {
  if (wanted === "nl") texts.nl = (await import("./nl")).nl;
  if (wanted === "de") texts.de = (await import("./de")).de;
  document.documentElement.lang = wanted;
  language.value = wanted;
}

/** Return a text in the language of the user, with its `{names}` replaced. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  const text = texts[language.value][key] ?? en[key];
  return text.replace(/\{(\w+)\}/g, (all, name: string) => String(values[name] ?? all));
}
