import "../../styles/pairs.css";
import "../../styles/task.css";
import { useLocation } from "preact-iso";
import { useLoad } from "../../api/load";
import { t } from "../../language";
import { Field } from "../../ui/Field";
import { Page } from "../../ui/Page";
import { Show } from "../../ui/Loading";
import { TaskState } from "../../ui/State";
import { Answers } from "../task/Answers";
import { argumentsOf, textOf } from "../task/Arguments";
import { Facts } from "../task/Facts";
import { KeyNeeded } from "../task/KeyNeeded";
import { useRetry } from "../task/retry";
import { loadRun, titleOf, type Run } from "../task/run";
import { type Answers as Read, useAnswers } from "../task/useAnswers";
import { MOST_ARGUMENTS } from "../../views/bounds";
import { Guarded } from "../../views/Guarded";
import type { Json } from "../../views/json";
import { formatCell } from "../../views/numbers";

/** Two tasks beside each other: what differs in their arguments, and both answers. */
export default function Compare() {
  const { query, route } = useLocation();
  const [a, b] = [numberOf(query.a), numberOf(query.b)];

  function choose(event: SubmitEvent) {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    const form = new FormData(event.currentTarget);
    const wanted = new URLSearchParams({ a: String(form.get("a")), b: String(form.get("b")) });
    route(`/app/compare?${wanted}`);
  }
  return (
    <Page title={t("compare.title")}>
      <form class="compare-form" onSubmit={choose} key={`${a} ${b}`}>
        <Field
          name="a"
          label={t("compare.first")}
          inputMode="numeric"
          pattern="[0-9]+"
          required
          defaultValue={a}
        />
        <Field
          name="b"
          label={t("compare.second")}
          inputMode="numeric"
          pattern="[0-9]+"
          required
          defaultValue={b}
        />
        <button type="submit">{t("compare.choose")}</button>
      </form>
      {a && b && <Both key={`${a} ${b}`} a={a} b={b} />}
    </Page>
  );
}

function numberOf(text: string | undefined): number | undefined {
  return text && /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined;
}

function Both({ a, b }: { a: number; b: number }) {
  const found = useLoad((signal) => Promise.all([loadRun(a, signal), loadRun(b, signal)]), [a, b]);
  useRetry(found);
  return (
    <Show from={found}>
      {([one, other]) => (
        <>
          <KeyNeeded runs={[one, other]} />
          <Sides one={one} other={other} />
        </>
      )}
    </Show>
  );
}

function Sides({ one, other }: { one: Run; other: Run }) {
  const sides = [
    { run: one, answers: useAnswers(one) },
    { run: other, answers: useAnswers(other) },
  ];
  return (
    <>
      <Guarded of={sides}>
        <Differences sides={sides} />
      </Guarded>
      <div class="sides">
        {sides.map(({ run, answers }, at) => (
          <section key={at} aria-label={titleOf(run.task)}>
            <h2>
              <a href={`/app/tasks/${run.task.id}`}>{titleOf(run.task)}</a>
            </h2>
            <p>
              <TaskState status={run.task.status} />
            </p>
            <Facts run={run} asked={answers.asked} />
            <Answers run={run} answers={answers} isPart />
          </section>
        ))}
      </div>
    </>
  );
}

interface Side {
  run: Run;
  answers: Read;
}

/** The arguments in which two tasks differ. */
function Differences({ sides }: { sides: Side[] }) {
  const known = sides.map(({ answers }) => answers.asked);
  if (!known.every((one) => one !== null)) return null;
  const differ = differences(...(known.map(argumentsOf) as [Named, Named]));
  if (differ.length === 0) return <p>{t("compare.same")}</p>;
  return (
    <div class="scroll" role="region" aria-label={t("compare.differ")} tabIndex={0}>
      <table>
        <caption>{t("compare.differ")}</caption>
        <thead>
          <tr>
            <th scope="col">{t("task.name")}</th>
            {sides.map(({ run }) => (
              <th key={run.task.id} scope="col">
                {titleOf(run.task)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {differ.slice(0, MOST_ARGUMENTS).map(([name, ...texts]) => (
            <tr key={name}>
              <th scope="row">{formatCell(name)}</th>
              {texts.map((text, at) => (
                <td key={at}>{formatCell(text ?? t("compare.too_deep"))}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {differ.length > MOST_ARGUMENTS && (
        <p class="quiet">{t("task.arguments_more", { count: differ.length - MOST_ARGUMENTS })}</p>
      )}
    </div>
  );
}

type Named = [string, Json][];

/** Return names with both texts where they differ; null is the text of what is too deep to compare. */
export function differences(one: Named, other: Named): [string, string | null, string | null][] {
  const sides = [new Map(one), new Map(other)];
  const names = new Set([...one, ...other].map(([name]) => name));
  const found: [string, string | null, string | null][] = [];
  for (const name of names) {
    const [a = null, b = null] = sides.map((side) => {
      const value = side.get(name);
      return value === undefined ? "-" : textOf(value);
    });
    if (a === null || a !== b) found.push([name, a, b]);
  }
  return found;
}
