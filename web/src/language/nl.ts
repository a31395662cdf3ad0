import type { Texts } from ".";

export const nl: Texts = {
  "nav.home": "Start",
  "sign_in.title": "Inloggen",
  "sign_in.username": "Gebruikersnaam",
  "sign_in.password": "Wachtwoord",
  "sign_in.submit": "Inloggen",
};
