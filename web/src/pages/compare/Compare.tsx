import "../../styles/pairs.css";
import "../../styles/task.css";
import { useLocation } from "preact-iso";
import { useLoad } from "../../api/load";
import { hasKey } from "../../crypto";
import { KeyBox } from "../../crypto/KeyBox";
import { t } from "../../language";
import { Field } from "../../ui/Field";
import { Notice } from "../../ui/Notice";
import { Page } from "../../ui/Page";
import { Show } from "../../ui/Loading";
import { plainLine } from "../../ui/plain";
import { TaskState } from "../../ui/State";
import { Answers } from "../task/Answers";
import { argumentsOf, textOf } from "../task/Arguments";
import { Facts } from "../task/Facts";
import { loadRun, titleOf, type Run } from "../task/run";
import { useAnswers } from "../task/useAnswers";

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
  return (
    <Show from={found}>
      {([one, other]) => (
        <>
          {[one, other].some((run) => run.collaboration?.isEncrypted) && !hasKey.value && (
            <div class="key-needed">
              <Notice kind="info">{t("task.key_needed")}</Notice>
              <KeyBox />
            </div>
          )}
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
  const [first, second] = sides.map(
    ({ answers }) => new Map(answers.asked ? argumentsOf(answers.asked) : []),
  );
  const names = [...new Set([...(first?.keys() ?? []), ...(second?.keys() ?? [])])];
  const say = (known: typeof first, name: string) => {
    const value = known?.get(name);
    return value === undefined ? "-" : plainLine(textOf(value));
  };
  const differ = names.filter((name) => say(first, name) !== say(second, name));
  const isKnown = sides.every(({ answers }) => answers.asked);
  return (
    <>
      {isKnown && differ.length === 0 && <p>{t("compare.same")}</p>}
      {isKnown && differ.length > 0 && (
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
              {differ.map((name) => (
                <tr key={name}>
                  <th scope="row">{plainLine(name)}</th>
                  <td>{say(first, name)}</td>
                  <td>{say(second, name)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
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
