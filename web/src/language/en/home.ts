/** Texts of the first page. */
export const home = {
  "home.title": "Home",
} as const;
