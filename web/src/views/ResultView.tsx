import "../styles/pairs.css";
import "../styles/views.css";
import { t } from "../language";
import { plain, plainLine } from "../ui/plain";
import { Notice } from "../ui/Notice";
import { besideOf } from "./beside";
import type { Block } from "./blocks";
import { findAt, isDeep, stepsOf, type Json } from "./json";
import { JsonTree } from "./JsonTree";
import { formatCell } from "./numbers";
import { readAnything, readPart, type Part, type View } from "./parts";
import { ResultTable } from "./ResultTable";

interface Props {
  result: Json;
  /** What the card of the function says; empty where there is no card. */
  views: readonly View[];
}

interface Shown {
  parts: (Part & { title: string })[];
  paths: string[][];
}

/** A result, drawn as the views of its function say; what they do not fit is shown as JSON. */
export function ResultView({ result, views }: Props) {
  if (isDeep(result)) return <Notice kind="warning">{t("views.too_deep")}</Notice>;
  const { parts, paths } = read(result, views);
  const beside = besideOf(result, paths);
  return (
    <div class="result">
      {beside.warnings.map((text, at) => (
        <Notice key={at} kind="info">
          {t("views.warning", { text })}
        </Notice>
      ))}
      {parts.map((part, at) => (
        <PartView key={at} part={part} />
      ))}
      {beside.facts.length > 0 && (
        <details class="facts">
          <summary>{t("views.facts")}</summary>
          <BlockView block={{ kind: "facts", title: "", rows: beside.facts }} />
        </details>
      )}
      {beside.others.length > 0 && (
        <p class="chart-note">
          {t("views.others", { names: beside.others.map(plainLine).join(", ") })}
        </p>
      )}
      <details class="facts" open={parts.length === 0}>
        <summary>{t("views.json")}</summary>
        <JsonTree value={result} isOpen />
      </details>
    </div>
  );
}

/** Return the parts that are shown, and where they lie in the result. */
export function read(result: Json, views: readonly View[]): Shown {
  const shown: Shown = { parts: [], paths: [] };
  for (const view of views) {
    const steps = stepsOf(view.path);
    const place = findAt(result, steps);
    const part = place && readPart(place.value, place.above, view);
    if (!part) continue;
    const name = shown.parts.length && steps.length ? (steps.at(-1) ?? "") : "";
    shown.parts.push({ ...part, title: plainLine(name) });
    shown.paths.push(steps);
  }
  const other = shown.parts.length === 0 && readAnything(result);
  if (other) shown.parts.push({ ...other, title: "" });
  return shown;
}

/** The first table stands below its picture; what is in its rows is opened. */
function PartView({ part }: { part: Part & { title: string } }) {
  const shown = part.isTold ? 0 : part.pictures.length || part.blocks.length > FEW ? 1 : FEW;
  const draw = (block: Block, at: number) => (
    <BlockView key={at} block={block} absent={part.absent} />
  );
  return (
    <section>
      {part.title && <h3>{part.title}</h3>}
      {part.pictures}
      {part.blocks.slice(0, shown).map(draw)}
      {part.blocks.length > shown && (
        <details class="facts">
          <summary>{t("views.more_numbers")}</summary>
          {part.blocks.slice(shown).map(draw)}
        </details>
      )}
    </section>
  );
}

/** So many tables are shown at once. */
const FEW = 6;

export function BlockView({
  block,
  absent,
}: {
  block: Block;
  absent?: ReadonlyMap<string, string> | undefined;
}) {
  if (block.kind === "text")
    return (
      <>
        {block.title && <h4>{plainLine(block.title)}</h4>}
        <pre class="text">{plain(block.text)}</pre>
      </>
    );
  if (block.kind === "table") {
    const empty = new Map(
      block.header.flatMap((name, at) =>
        absent?.has(name) ? [[at, absent.get(name) ?? "-"] as const] : [],
      ),
    );
    return (
      <ResultTable title={block.title} header={block.header} rows={block.rows} absent={empty} />
    );
  }
  return (
    <>
      {block.title && <h4>{plainLine(block.title)}</h4>}
      <dl class="pairs">
        {block.rows.map(([name, value], at) => (
          <div key={at}>
            <dt>{plainLine(name)}</dt>
            <dd>{formatCell(value)}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
