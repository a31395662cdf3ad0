import { useId } from "preact/hooks";
import { t } from "../../language";
import { plainLine } from "../../ui/plain";
import type { Bar, Histogram } from "../kinds/histogram";
import { formatNumber } from "../numbers";
import { BottomAxis, LeftAxis } from "./Axis";
import { Figure } from "./Figure";
import { linearScale } from "./scale";

const TOP = 26;
const PLOT = 220;
const LEFT = 52;
const RIGHT = 14;
/** A masked interval of which nothing is known is drawn so high: seen, and no number. */
const UNKNOWN = 10;

/** Bars of counts; masked ones are hatched, and no higher than what is known. */
export function HistogramPlot({ histogram }: { histogram: Histogram }) {
  const hatch = useId();
  const { bars, isDensity } = histogram;
  const masked = bars.filter((one) => one.count === undefined);
  const heightOf = (bar: Bar) =>
    (bar.count ?? bar.atLeast ?? 0) / (isDensity ? bar.to - bar.from : 1);
  const most = bars.reduce((all, one) => Math.max(all, heightOf(one)), 0);
  const ends: [number, number] = [bars[0]?.from ?? 0, bars.at(-1)?.to ?? 1];
  const column = plainLine(histogram.column);
  const bottom = TOP + PLOT;
  return (
    <Figure
      title={t("views.histogram", { column })}
      description={t("views.histogram_desc", {
        bars: bars.length,
        from: formatNumber(ends[0]),
        to: formatNumber(ends[1]),
        masked: masked.length,
      })}
      note={masked.length ? t("views.histogram_masked") : undefined}
      height={bottom + 44}
      draw={(width) => {
        const x = linearScale(ends, [LEFT, width - RIGHT], width < 480 ? 4 : 7);
        const y = linearScale([0, most || 1], [bottom, TOP]);
        const label = t(isDensity ? "views.histogram_density" : "views.histogram_count");
        return (
          <>
            <defs>
              <pattern
                id={hatch}
                width="7"
                height="7"
                patternUnits="userSpaceOnUse"
                patternTransform="rotate(45)"
              >
                <line class="hatch" x1="0" x2="0" y1="0" y2="7" />
              </pattern>
            </defs>
            <LeftAxis scale={y} at={LEFT} across={[LEFT, width - RIGHT]} label={label} />
            {bars.map((bar, at) => {
              const isMasked = bar.count === undefined;
              const high = Math.max(isMasked ? UNKNOWN : 0, bottom - y.at(heightOf(bar)));
              return (
                <rect
                  key={at}
                  class={isMasked ? "column masked" : "column"}
                  fill={isMasked ? `url(#${hatch})` : undefined}
                  x={x.at(bar.from) + 0.5}
                  y={bottom - high}
                  width={Math.max(0.5, x.at(bar.to) - x.at(bar.from) - 1)}
                  height={high}
                />
              );
            })}
            <line class="axis-line" x1={LEFT} x2={width - RIGHT} y1={bottom} y2={bottom} />
            <BottomAxis scale={x} at={bottom} label={column} middle={(LEFT + width - RIGHT) / 2} />
          </>
        );
      }}
    />
  );
}
