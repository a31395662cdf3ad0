import "../styles/pairs.css";
import "../styles/views.css";
import { t } from "../language";
import { plain, plainLine } from "../ui/plain";
import { Notice } from "../ui/Notice";
import { besideOf } from "./beside";
import type { Block } from "./blocks";
import {
  LONGEST_TEXT,
  MOST_CELLS,
  MOST_COLUMNS,
  MOST_ROWS,
  MOST_VALUES,
  MOST_VIEWS,
  MOST_WARNINGS,
} from "./bounds";
import { Guarded } from "./Guarded";
import { findAt, isDeep, isLarge, stepsOf, type Json } from "./json";
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
  if (isLarge(result, MOST_VALUES))
    return (
      <div class="result">
        <Notice kind="info">
          {t("views.too_large", { count: MOST_VALUES.toLocaleString("en") })}
        </Notice>
        <JsonTree value={result} isOpen />
      </div>
    );
  return (
    <Guarded of={result} otherwise={<JsonTree value={result} isOpen />}>
      <Drawn result={result} views={views} />
    </Guarded>
  );
}

function Drawn({ result, views }: Props) {
  const { parts, paths } = read(result, views);
  const beside = besideOf(result, paths);
  return (
    <div class="result">
      {beside.warnings.slice(0, MOST_WARNINGS).map((text, at) => (
        <Notice key={at} kind="info">
          {t("views.warning", { text })}
        </Notice>
      ))}
      {beside.warnings.length > MOST_WARNINGS && (
        <p class="chart-note">
          {t("views.warnings_more", { count: beside.warnings.length - MOST_WARNINGS })}
        </p>
      )}
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
        <p class="chart-note">{t("views.others", { names: namesOf(beside.others) })}</p>
      )}
      <details class="facts" open={parts.length === 0}>
        <summary>{t("views.json")}</summary>
        <JsonTree value={result} isOpen />
      </details>
    </div>
  );
}

/** Return names in one line, as many as have room. */
export function namesOf(names: readonly string[]): string {
  const shown = names.slice(0, MOST_COLUMNS).map((one) => formatCell(one));
  return [...shown, ...(names.length > MOST_COLUMNS ? ["…"] : [])].join(", ");
}

/** Return the parts that are shown, and where they lie in the result. */
export function read(result: Json, views: readonly View[]): Shown {
  const shown: Shown = { parts: [], paths: [] };
  for (const view of views.slice(0, MOST_VIEWS)) {
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
  const blocks = part.blocks.slice(0, shownBlocks(part.blocks));
  const shown = part.isTold ? 0 : part.pictures.length || blocks.length > FEW ? 1 : FEW;
  const draw = (block: Block, at: number) => (
    <BlockView key={at} block={block} absent={part.absent} />
  );
  return (
    <section>
      {part.title && <h3>{part.title}</h3>}
      {part.pictures.map((one, at) => (
        <Guarded key={at} of={part}>
          {one}
        </Guarded>
      ))}
      {blocks.slice(0, shown).map(draw)}
      {blocks.length > shown && (
        <details class="facts">
          <summary>{t("views.more_numbers")}</summary>
          {blocks.slice(shown).map(draw)}
        </details>
      )}
      {part.blocks.length > blocks.length && (
        <p class="chart-note">
          {t("views.blocks_more", { count: part.blocks.length - blocks.length })}
        </p>
      )}
    </section>
  );
}

/** So many tables are shown at once. */
const FEW = 6;

/** A table has headings and buttons, too, which are the work of so many cells. */
const OF_BLOCK = 25;

/** Return how many tables have room: the first one, and others while their cells are few. */
function shownBlocks(blocks: readonly Block[]): number {
  let cells = 0;
  const first = blocks.findIndex((block) => {
    cells += OF_BLOCK;
    if (block.kind !== "text") cells += Math.min(block.rows.length, MOST_ROWS) * widthOf(block);
    return cells > MOST_CELLS;
  });
  return first < 0 ? blocks.length : Math.max(1, first);
}

/** Headings have more to draw than cells. */
function widthOf(block: Block): number {
  return block.kind === "table" ? block.header.length + 1 : 2;
}

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
        <pre class="text">{plain(cut(block.text))}</pre>
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
        {block.rows.slice(0, MOST_ROWS).map(([name, value], at) => (
          <div key={at}>
            <dt>{plainLine(name)}</dt>
            <dd>{formatCell(value)}</dd>
          </div>
        ))}
      </dl>
      {block.rows.length > MOST_ROWS && (
        <p class="chart-note">
          {t("views.facts_first", { shown: MOST_ROWS, count: block.rows.length })}
        </p>
      )}
    </>
  );
}

function cut(text: string): string {
  return text.length > 10 * LONGEST_TEXT ? `${text.slice(0, 10 * LONGEST_TEXT)}…` : text;
}
