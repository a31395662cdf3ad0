import { t } from "../../language";
import { plainLine } from "../../ui/plain";
import type { Line } from "../kinds/line";
import { formatNumber } from "../numbers";
import { BottomAxis, LeftAxis } from "./Axis";
import { Figure } from "./Figure";
import { linearScale, pathOf, widened } from "./scale";

const TOP = 26;
const BOTTOM = 246;
const LEFT = 64;
const RIGHT = 14;

/** A line through points, in their order. */
export function LinePlot({ line }: { line: Line }) {
  const [x, y] = [plainLine(line.x), plainLine(line.y)];
  const known = line.points.filter((one) => one !== undefined);
  const across = widened(
    known.map(([one]) => one),
    0,
  );
  const ends = { from: formatNumber(across[0]), to: formatNumber(across[1]) };
  return (
    <Figure
      title={t("views.line", { x, y })}
      description={t("views.line_desc", { count: known.length, x, ...ends })}
      height={BOTTOM + 44}
      draw={(width) => {
        const right = width - RIGHT;
        const bottomScale = linearScale(across, [LEFT, right], width < 480 ? 4 : 7);
        const leftScale = linearScale(widened(known.map(([, one]) => one)), [BOTTOM, TOP]);
        const points = line.points.map((one): [number, number] | undefined =>
          one ? [bottomScale.at(one[0]), leftScale.at(one[1])] : undefined,
        );
        return (
          <>
            <LeftAxis scale={leftScale} at={LEFT} across={[LEFT, right]} label={y} />
            <BottomAxis scale={bottomScale} at={BOTTOM} label={x} middle={(LEFT + right) / 2} />
            <path class="line series-0" d={pathOf(points)} />
            {points.map(
              (one, at) =>
                // Between two gaps there is no line.
                one &&
                !points[at - 1] &&
                !points[at + 1] && <circle key={at} class="mark" cx={one[0]} cy={one[1]} r={3} />,
            )}
          </>
        );
      }}
    />
  );
}
