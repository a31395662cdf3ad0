import type { Texts } from ".";

export const de: Texts = {
  "nav.home": "Start",
  "sign_in.title": "Anmelden",
  "sign_in.username": "Benutzername",
  "sign_in.password": "Passwort",
  "sign_in.submit": "Anmelden",
};
