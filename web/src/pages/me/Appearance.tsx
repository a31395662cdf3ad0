import { useId } from "preact/hooks";
import {
  changeLanguage,
  changeTheme,
  isLanguage,
  LANGUAGES,
  theme,
  type Theme,
} from "../../app/preferences";
import { language, t, type Key } from "../../language";

const THEMES: Record<Theme, Key> = {
  system: "me.theme.system",
  light: "me.theme.light",
  dark: "me.theme.dark",
};

/** Language and theme of the pages in this browser. */
export function Appearance() {
  const id = useId();
  return (
    <>
      <div class="field">
        <label for={`${id}-language`}>{t("me.language")}</label>
        <small class="hint" id={`${id}-hint`}>
          {t("me.language_hint")}
        </small>
        <select
          id={`${id}-language`}
          aria-describedby={`${id}-hint`}
          onChange={({ currentTarget: { value } }) => {
            if (isLanguage(value)) void changeLanguage(value);
          }}
        >
          {Object.entries(LANGUAGES).map(([code, name]) => (
            <option key={code} value={code} lang={code} selected={code === language.value}>
              {name}
            </option>
          ))}
        </select>
      </div>
      <fieldset class="field">
        <legend>{t("me.theme")}</legend>
        {THEME_NAMES.map((name) => (
          <label key={name} class="check">
            <input
              type="radio"
              name="theme"
              checked={theme.value === name}
              onChange={() => changeTheme(name)}
            />
            {t(THEMES[name])}
          </label>
        ))}
      </fieldset>
      <p class="quiet">{t("me.appearance_text")}</p>
    </>
  );
}

const THEME_NAMES: readonly Theme[] = ["system", "light", "dark"];
