import type { ComponentChild } from "preact";
import { t } from "../language";
import { blocksOf, NotShown, type Block } from "./blocks";
import { BoxPlot } from "./chart/BoxPlot";
import { ForestPlot } from "./chart/ForestPlot";
import { HistogramPlot } from "./chart/HistogramPlot";
import { LinePlot } from "./chart/LinePlot";
import { ScreePlot } from "./chart/ScreePlot";
import { SurvivalPlot } from "./chart/SurvivalPlot";
import { CountTable } from "./CountTable";
import { DescriptionTable } from "./DescriptionTable";
import type { Json } from "./json";
import { coefficientBlocks, readForest } from "./kinds/coefficients";
import { crossTableBlocks, readCrossTable } from "./kinds/crossTable";
import { histogramBlocks, readHistogram } from "./kinds/histogram";
import { readLine } from "./kinds/line";
import { readScree, screeBlocks } from "./kinds/scree";
import { readSurvival } from "./kinds/survival";
import { readBoxes, readTableOne } from "./kinds/tableOne";

/** How a card says that a part of a result is shown. */
export interface View {
  kind: string;
  path: string;
  [more: string]: Json;
}

/** A part of a result: pictures, and what is written below them. */
export interface Part {
  pictures: ComponentChild[];
  blocks: Block[];
  /** Whether the pictures have what the first table has. */
  isTold?: boolean;
  /** By title of a block, what an empty cell of its columns says. */
  absent?: ReadonlyMap<string, string>;
}

type Reader = (value: Json, above: Json, view: View) => Part;

function picture<T>(found: T | null, draw: (found: T) => ComponentChild): ComponentChild[] {
  return found === null ? [] : [draw(found)];
}

const table: Reader = (value, above) => {
  const described = picture(readTableOne(value), (found) => <DescriptionTable table={found} />);
  const boxes = readBoxes(value).map((found) => <BoxPlot key={found.column} boxes={found} />);
  return {
    pictures: [...described, ...boxes],
    blocks: blocksOf(value, above),
    isTold: described.length > 0,
  };
};

const histogram: Reader = (value) => ({
  pictures: picture(readHistogram(value), (found) => <HistogramPlot histogram={found} />),
  blocks: histogramBlocks(value),
  absent: new Map([["count", t("views.masked")]]),
});

const READERS = new Map<string, Reader>([
  ["table", table],
  ["text", table],
  [
    "line",
    (value, above, view) => ({
      pictures: picture(readLine(value, view.x, view.y), (found) => <LinePlot line={found} />),
      blocks: blocksOf(value, above),
    }),
  ],
  [
    "coefficients",
    (value, above) => ({
      pictures: picture(readForest(value), (found) => <ForestPlot forest={found} />),
      blocks: coefficientBlocks(value, above),
    }),
  ],
  [
    "kaplan_meier",
    (value, above) => ({
      pictures: picture(readSurvival(value, above), (found) => <SurvivalPlot survival={found} />),
      blocks: blocksOf(value, above),
    }),
  ],
  ["histogram", histogram],
  [
    "cross_table",
    (value) => ({
      pictures: picture(readCrossTable(value), (found) => <CountTable table={found} />),
      blocks: crossTableBlocks(value),
    }),
  ],
  [
    "scree",
    (value) => ({
      pictures: picture(readScree(value), (found) => <ScreePlot shares={found} />),
      blocks: screeBlocks(value),
    }),
  ],
]);

/** Return how a part is shown; null where the kind is not known, or the part has another form. */
export function readPart(value: Json, above: Json, view: View): Part | null {
  try {
    return READERS.get(view.kind)?.(value, above, view) ?? null;
  } catch (error) {
    // SECURITY: what a station wrote must not take the page away; the JSON shows it.
    if (!(error instanceof NotShown)) console.error(error);
    return null;
  }
}

/** Return how a result without views is shown: as a table, or in no way but as JSON. */
export function readAnything(value: Json): Part | null {
  return readPart(value, null, { kind: "table", path: "" });
}
