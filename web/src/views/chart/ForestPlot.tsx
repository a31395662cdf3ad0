import { t } from "../../language";
import { plainLine } from "../../ui/plain";
import type { Forest, ForestRow } from "../kinds/coefficients";
import { bounded, formatCell, formatNumber } from "../numbers";
import { BottomAxis } from "./Axis";
import { Figure } from "./Figure";
import { LETTER, linearScale, logScale, shortened, widened, type Scale } from "./scale";

const ROW = 26;
const TOP = 8;
const BOTTOM = 44;
/** On narrow pages the numbers stand in the table only. */
const NARROW = 520;
/** Intervals beyond are cut, and end in an arrow. */
const MOST_POWERS = 6;

/** Estimates with intervals, and the line of no effect. */
export function ForestPlot({ forest }: { forest: Forest }) {
  const rows = forest.rows.map((row) => ({ ...row, label: labelOf(row, forest) }));
  const measure = plainLine(forest.measure);
  const none = forest.isRatio ? 1 : 0;
  const said = rows.map((row) =>
    t("views.forest_row", {
      label: row.label,
      estimate: formatNumber(row.estimate),
      lower: formatNumber(row.lower),
      upper: formatNumber(row.upper),
    }),
  );
  const height = TOP + rows.length * ROW + BOTTOM;
  const leftOut = forest.leftOut.map((one) => formatCell(one)).join(", ");
  return (
    <Figure
      title={t("views.forest")}
      description={t("views.forest_desc", { measure, none, rows: said.join(" ") })}
      note={leftOut && t("views.forest_left_out", { names: leftOut })}
      height={height}
      draw={(width) => {
        const labels = Math.min(
          width * 0.36,
          Math.max(...rows.map((one) => one.label.length)) * LETTER + 8,
        );
        const numbers = width < NARROW ? 0 : 170;
        const range: [number, number] = [labels + 8, width - numbers - 12];
        const domain = domainOf(forest, none);
        const scale = forest.isRatio ? logScale(domain, range) : linearScale(domain, range);
        const bottom = TOP + rows.length * ROW;
        const label = forest.isRatio ? t("views.forest_ratio_axis", { measure }) : measure;
        return (
          <>
            <BottomAxis
              scale={scale}
              at={bottom}
              across={[TOP, bottom]}
              label={label}
              middle={(range[0] + range[1]) / 2}
            />
            <line class="none" x1={scale.at(none)} x2={scale.at(none)} y1={TOP} y2={bottom} />
            {rows.map((row, at) => {
              const y = TOP + (at + 0.5) * ROW;
              return (
                <g
                  key={at}
                  class={row.isPooled ? "pooled" : row.isPrediction ? "prediction" : undefined}
                >
                  <text x={0} y={y} dy="0.35em">
                    {shortened(row.label, labels)}
                  </text>
                  <Interval row={row} y={y} scale={scale} range={range} />
                  {numbers > 0 && (
                    <text class="tabular" x={width} y={y} dy="0.35em" text-anchor="end">
                      {rangeText(row)}
                    </text>
                  )}
                </g>
              );
            })}
          </>
        );
      }}
    />
  );
}

function labelOf(row: ForestRow, forest: Forest): string {
  if (row.isPrediction) return t("views.forest_prediction");
  const label = plainLine(row.label);
  if (row.isPooled) return t("views.forest_pooled", { label });
  return forest.rows.some((one) => one.isPooled) ? t("views.forest_site", { name: label }) : label;
}

function rangeText(row: ForestRow): string {
  const [lower, upper] = [row.lower, row.upper].map((one) => formatNumber(one, 3));
  const interval = `[${lower}; ${upper}]`;
  return row.isPrediction ? interval : `${formatNumber(row.estimate, 3)} ${interval}`;
}

/** Return the ends of the axis: all intervals, and no effect. */
function domainOf(forest: Forest, none: number): [number, number] {
  const values = forest.rows.flatMap((row) => [row.estimate, row.lower, row.upper]);
  if (!forest.isRatio) return widened([...values, none]);
  const [first, last] = widened(
    forest.rows.map((row) => Math.log10(row.estimate)),
    0,
  );
  const [least, most] = [first - MOST_POWERS / 2, last + MOST_POWERS / 2];
  const [low, high] = widened(
    [...values, none].map((one) => bounded(Math.log10(one), least, most)),
  );
  return [10 ** low, 10 ** high];
}

interface IntervalProps {
  row: ForestRow;
  y: number;
  scale: Scale;
  range: [number, number];
}

function Interval({ row, y, scale, range }: IntervalProps) {
  const inside = (value: number) => Math.min(range[1], Math.max(range[0], scale.at(value)));
  const [lower, upper, middle] = [inside(row.lower), inside(row.upper), inside(row.estimate)];
  if (row.isPooled)
    return (
      <path
        class="diamond"
        d={`M${lower} ${y}L${middle} ${y - 7}L${upper} ${y}L${middle} ${y + 7}Z`}
      />
    );
  const size =
    row.weight === undefined ? 4 : 2 + 6 * Math.sqrt(Math.min(1, Math.max(0, row.weight)));
  return (
    <>
      <line class="interval" x1={lower} x2={upper} y1={y} y2={y} />
      <End x={lower} y={y} isCut={scale.at(row.lower) < range[0]} direction={-1} />
      <End x={upper} y={y} isCut={scale.at(row.upper) > range[1]} direction={1} />
      {!row.isPrediction && (
        <rect class="estimate" x={middle - size} y={y - size} width={2 * size} height={2 * size} />
      )}
    </>
  );
}

function End({
  x,
  y,
  isCut,
  direction,
}: {
  x: number;
  y: number;
  isCut: boolean;
  direction: number;
}) {
  if (!isCut) return <line class="interval" x1={x} x2={x} y1={y - 4} y2={y + 4} />;
  const back = x - 7 * direction;
  return <path class="estimate" d={`M${x} ${y}L${back} ${y - 4}L${back} ${y + 4}Z`} />;
}
