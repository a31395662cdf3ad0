import { crypto } from "./en/crypto";

/** Every text of the pages; `{name}` is replaced. Other languages may lack entries. */
export const en = {
  ...crypto,
  "app.skip": "Skip to the content",
  "app.lost": "The server does not answer. The page tries again by itself.",
  "app.sign_out": "Sign out",
  "app.menu": "Menu",
  "nav.home": "Home",
  "sign_in.title": "Sign in",
  "sign_in.username": "User name",
  "sign_in.password": "Password",
  "sign_in.code": "Code of the authenticator app, or a recovery code",
  "sign_in.submit": "Sign in",
  "home.title": "Home",
  "missing.title": "Page not found",
  "missing.text": "There is no page at this address. Go to the start: ",
} as const;
