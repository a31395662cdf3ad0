/** What the server says about its pages: `settings.json` beside `index.html`. */
export interface Settings {
  /** Prefix of all routes of the API, such as `/api`; may be empty. */
  apiPath: string;
  /** Name that the pages show. */
  name: string;
  contact: string | null;
  imprint: string | null;
}

export let settings: Settings = { apiPath: "/api", name: "vantage6", contact: null, imprint: null };

export async function loadSettings(): Promise<void> {
  const answer = await fetch(`${import.meta.env.BASE_URL}settings.json`, { cache: "no-store" });
  if (answer.ok) settings = { ...settings, ...((await answer.json()) as Partial<Settings>) };
}
