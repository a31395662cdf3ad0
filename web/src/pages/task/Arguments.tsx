import { t } from "../../language";
import { plainLine } from "../../ui/plain";
import { LONGEST_TEXT, MOST_ARGUMENTS } from "../../views/bounds";
import { isDeep, isLarge, isPlain, type Json } from "../../views/json";
import { JsonTree } from "../../views/JsonTree";
import { formatCell } from "../../views/numbers";
import type { Asked } from "./opened";
import type { Answers } from "./useAnswers";

/** What the function was asked with, where it can be read. */
export function Arguments({ answers }: { answers: Answers }) {
  const { asked, opened } = answers;
  if (!opened) return null;
  const known = asked ? argumentsOf(asked) : [];
  return (
    <section aria-labelledby="arguments">
      <h2 id="arguments">{t("task.arguments")}</h2>
      {!asked && <p>{t("task.arguments_unread")}</p>}
      {asked && known.length === 0 && <p>{t("task.arguments_none")}</p>}
      {known.length > 0 && (
        <dl class="pairs wide">
          {known.slice(0, MOST_ARGUMENTS).map(([name, value]) => (
            <div key={name}>
              <dt>{formatCell(name)}</dt>
              <dd>{plainLine(shortText(value) ?? "") || <JsonTree value={value} />}</dd>
            </div>
          ))}
        </dl>
      )}
      {known.length > MOST_ARGUMENTS && (
        <p class="quiet">{t("task.arguments_more", { count: known.length - MOST_ARGUMENTS })}</p>
      )}
    </section>
  );
}

/** Positional arguments have numbers for names. */
export function argumentsOf(asked: Asked): [string, Json][] {
  const positional = asked.positional.map((one, at): [string, Json] => [String(at + 1), one]);
  return [...positional, ...Object.entries(asked.arguments)];
}

const SHORT = 200;

/** Return what stands in one line; null where a value is too long or too deep for it. */
function shortText(value: Json): string | null {
  if (isPlain(value)) return String(value).length <= LONGEST_TEXT ? textOf(value) : null;
  if (isLarge(value, SHORT)) return null;
  const text = textOf(value);
  return text !== null && text.length <= SHORT ? text : null;
}

/** Return a value as text; null where it has too many levels to be written. */
export function textOf(value: Json): string | null {
  if (typeof value === "string") return value;
  // SECURITY: the input of a task may be of any depth, and the stack has an end.
  return isDeep(value) ? null : JSON.stringify(value);
}
