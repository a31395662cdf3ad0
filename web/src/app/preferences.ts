import { signal } from "@preact/signals";
import { speak, type Language } from "../language";

export type Theme = "system" | "light" | "dark";

export const LANGUAGES: Record<Language, string> = {
  en: "English",
  nl: "Nederlands",
  de: "Deutsch",
};
const THEMES: readonly Theme[] = ["system", "light", "dark"];

export const theme = signal<Theme>("system");

/** Take over what this browser remembers of the reader: language and theme, which are no secrets. */
export async function applyPreferences(): Promise<void> {
  changeTheme(THEMES.find((one) => one === read("theme")) ?? "system");
  const wanted = read("language");
  if (isLanguage(wanted)) await speak(wanted);
}

export function changeTheme(wanted: Theme): void {
  theme.value = wanted;
  if (wanted === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = wanted;
  write("theme", wanted);
}

export async function changeLanguage(wanted: Language): Promise<void> {
  await speak(wanted);
  write("language", wanted);
}

export function isLanguage(text: string | null): text is Language {
  return text !== null && Object.hasOwn(LANGUAGES, text);
}

// A browser may forbid the storage; the choice then lasts until the tab is closed.
function read(name: string): string | null {
  try {
    return localStorage.getItem(`vantage6.${name}`);
  } catch {
    return null;
  }
}

function write(name: string, value: string): void {
  try {
    localStorage.setItem(`vantage6.${name}`, value);
  } catch {
    // See above.
  }
}
