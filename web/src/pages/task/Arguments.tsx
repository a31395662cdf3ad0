import { t } from "../../language";
import { plainLine } from "../../ui/plain";
import { isPlain, type Json } from "../../views/json";
import { JsonTree } from "../../views/JsonTree";
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
          {known.map(([name, value]) => (
            <div key={name}>
              <dt>{plainLine(name)}</dt>
              <dd>{isShort(value) ? plainLine(textOf(value)) : <JsonTree value={value} />}</dd>
            </div>
          ))}
        </dl>
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

function isShort(value: Json): boolean {
  return isPlain(value) || textOf(value).length <= SHORT;
}

export function textOf(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
