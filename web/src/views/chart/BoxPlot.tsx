import { t } from "../../language";
import { plainLine } from "../../ui/plain";
import type { Box, Boxes } from "../kinds/tableOne";
import { formatNumber } from "../numbers";
import { BottomAxis } from "./Axis";
import { Figure } from "./Figure";
import { LETTER, linearScale, shortened, widened, type Scale } from "./scale";

const ROW = 34;
const TOP = 6;

/** Quantiles of a column, for each group. */
export function BoxPlot({ boxes: { column, boxes, whiskers } }: { boxes: Boxes }) {
  const [low, high] = whiskers;
  const labels = boxes.map((one) => plainLine(one.label) || plainLine(column));
  const said = boxes.map((one, at) =>
    t("views.box_row", {
      label: labels[at] ?? "",
      median: formatNumber(one.median),
      first: formatNumber(one.first),
      third: formatNumber(one.third),
    }),
  );
  const bottom = TOP + boxes.length * ROW;
  return (
    <Figure
      title={t("views.box", { column })}
      description={t("views.box_desc", { low, high, boxes: said.join(" ") })}
      note={t("views.box_note", { low, high })}
      height={bottom + 44}
      draw={(width) => {
        const left = Math.min(
          width * 0.3,
          Math.max(...labels.map((one) => one.length)) * LETTER + 10,
        );
        const scale = linearScale(widened(boxes.flatMap((one) => [one.low, one.high])), [
          left,
          width - 14,
        ]);
        return (
          <>
            <BottomAxis
              scale={scale}
              at={bottom}
              across={[TOP, bottom]}
              label={column}
              middle={(left + width) / 2}
            />
            {boxes.map((one, at) => (
              <g key={at}>
                <text x={0} y={TOP + (at + 0.5) * ROW} dy="0.35em">
                  {shortened(labels[at] ?? "", left - 8)}
                </text>
                <Drawn box={one} y={TOP + (at + 0.5) * ROW} scale={scale} />
              </g>
            ))}
          </>
        );
      }}
    />
  );
}

function Drawn({ box, y, scale }: { box: Box; y: number; scale: Scale }) {
  const [low, first, median, third, high] = [
    box.low,
    box.first,
    box.median,
    box.third,
    box.high,
  ].map(scale.at);
  return (
    <>
      <line class="interval" x1={low} x2={high} y1={y} y2={y} />
      <line class="interval" x1={low} x2={low} y1={y - 6} y2={y + 6} />
      <line class="interval" x1={high} x2={high} y1={y - 6} y2={y + 6} />
      <rect
        class="box"
        x={first}
        y={y - 10}
        width={Math.max(1, (third ?? 0) - (first ?? 0))}
        height={20}
      />
      <line class="median" x1={median} x2={median} y1={y - 10} y2={y + 10} />
    </>
  );
}
