import { t } from "../../language";
import { plainLine } from "../../ui/plain";
import { atRisk, cornersOf, type Curve, type Survival } from "../kinds/survival";
import { formatNumber } from "../numbers";
import { BottomAxis, LeftAxis } from "./Axis";
import { Figure } from "./Figure";
import { LETTER, linearScale, pathOf, shortened, type Scale } from "./scale";

const PLOT = 260;
const TOP = 30;
const ROW = 20;
/** Colours and patterns of lines; further curves repeat them. */
const SERIES = 6;

/** Kaplan–Meier curves with confidence bands, and how many are at risk below. */
export function SurvivalPlot({ survival }: { survival: Survival }) {
  const { curves, isLifeTable, until } = survival;
  const labels = curves.map((one) => plainLine(one.label) || t("views.survival_all"));
  const said = curves.map((one, at) => describe(one, labels[at] ?? ""));
  const legend = TOP + curves.length * ROW;
  const bottom = legend + PLOT;
  const height = bottom + 44 + (curves.length + 1) * ROW + 8;
  const note = isLifeTable ? t("views.survival_table_note") : t("views.survival_note");
  const risk = isLifeTable ? t("views.risk_table_note") : t("views.risk_note");
  return (
    <Figure
      title={t("views.survival")}
      description={t("views.survival_desc", { curves: said.join(" ") })}
      note={`${note} ${risk}`}
      height={height}
      draw={(width) => {
        const left = Math.min(
          110,
          Math.max(44, Math.max(...labels.map((one) => one.length)) * LETTER + 18),
        );
        const x = linearScale([0, until], [left, width - 14], width < 480 ? 4 : 7);
        const y = linearScale([0, 1], [bottom, legend]);
        return (
          <>
            <LeftAxis
              scale={y}
              at={left}
              across={[left, width - 14]}
              label={t("views.survival_axis")}
            />
            <BottomAxis
              scale={x}
              at={bottom}
              label={t("views.survival_time")}
              middle={(left + width) / 2}
            />
            {curves.map((one, at) => (
              <Drawn key={at} curve={one} number={at % SERIES} x={x} y={y} survival={survival} />
            ))}
            {labels.map((label, at) => (
              <g key={at}>
                <line
                  class={`line series-${at % SERIES}`}
                  x1={left}
                  x2={left + 34}
                  y1={TOP + at * ROW}
                  y2={TOP + at * ROW}
                />
                <text x={left + 42} y={TOP + at * ROW} dy="0.35em">
                  {shortened(label, width - left - 60)}
                </text>
              </g>
            ))}
            <RiskTable survival={survival} labels={labels} x={x} top={bottom + 44} left={left} />
          </>
        );
      }}
    />
  );
}

function describe(curve: Curve, label: string): string {
  const last = curve.points.at(-1);
  return t("views.survival_curve", {
    label,
    n: curve.n ?? "-",
    median: curve.median === undefined ? t("views.survival_unreached") : formatNumber(curve.median),
    survival: last ? formatNumber(last.survival, 3) : "1",
    time: last ? formatNumber(last.time) : "0",
  });
}

interface DrawnProps {
  curve: Curve;
  number: number;
  x: Scale;
  y: Scale;
  survival: Survival;
}

/** One curve: band, line, and where records remain after its last event. */
function Drawn({ curve, number, x, y, survival }: DrawnProps) {
  const { isLifeTable, until } = survival;
  const place = ([time, height]: [number, number]): [number, number] => [x.at(time), y.at(height)];
  const line = cornersOf(
    curve.points.map(({ time, survival: height }) => ({ time, height })),
    isLifeTable,
  );
  const known = curve.points.filter((one) => one.lower !== undefined && one.upper !== undefined);
  const edge = (name: "lower" | "upper") =>
    cornersOf(
      known.map((one) => ({ time: one.time, height: one[name] ?? one.survival })),
      isLifeTable,
    );
  const band = [...edge("upper"), ...edge("lower").reverse()].map(place);
  const last = line.at(-1) ?? [0, 1];
  const remains = curve.points.at(-1)?.after !== 0 && last[0] < until && !isLifeTable;
  return (
    <g class={`series-${number}`}>
      <path class="band" d={`${pathOf(band)}Z`} />
      <path class={`line series-${number}`} d={pathOf(line.map(place))} />
      {remains && <path class="beyond" d={pathOf([place(last), place([until, last[1]])])} />}
      {isLifeTable &&
        line
          .slice(1)
          .map(([time, height]) => (
            <circle key={time} class="mark" cx={x.at(time)} cy={y.at(height)} r={3} />
          ))}
    </g>
  );
}

interface RiskProps {
  survival: Survival;
  labels: string[];
  x: Scale;
  top: number;
  left: number;
}

function RiskTable({ survival, labels, x, top, left }: RiskProps) {
  return (
    <g class="risk">
      <text class="axis-label" x={0} y={top + 10}>
        {t("views.risk")}
      </text>
      {survival.curves.map((curve, at) => {
        const y = top + (at + 1) * ROW + 10;
        return (
          <g key={at}>
            <text x={0} y={y}>
              {shortened(labels[at] ?? "", left - 14)}
            </text>
            {x.ticks.map((tick) => (
              <text key={tick} class="tabular" x={x.at(tick)} y={y} text-anchor="middle">
                {atRisk(curve, tick, survival.isLifeTable)}
              </text>
            ))}
          </g>
        );
      })}
    </g>
  );
}
