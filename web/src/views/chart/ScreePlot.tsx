import { t } from "../../language";
import { BottomAxis, LeftAxis } from "./Axis";
import { Figure } from "./Figure";
import { linearScale, pathOf } from "./scale";

const TOP = 26;
const PLOT = 200;
const LEFT = 52;
const RIGHT = 14;
const MOST_TICKS = 12;

/** The share of variance of each component, alone and together with those before. */
export function ScreePlot({ shares }: { shares: number[] }) {
  let sum = 0;
  const sums = shares.map((share) => (sum += share));
  const parts = shares.map((share, at) =>
    t("views.scree_part", {
      number: at + 1,
      share: (100 * share).toFixed(1),
      sum: (100 * (sums[at] ?? 0)).toFixed(1),
    }),
  );
  const bottom = TOP + PLOT;
  return (
    <Figure
      title={t("views.scree")}
      description={parts.join(" ")}
      note={t("views.scree_note")}
      height={bottom + 44}
      draw={(width) => {
        const inner = width - LEFT - RIGHT;
        const at = (number: number) => LEFT + ((number - 0.5) / shares.length) * inner;
        const every = Math.ceil(shares.length / MOST_TICKS);
        const ticks = shares
          .map((_, place) => place + 1)
          .filter((number) => (number - 1) % every === 0);
        const y = linearScale([0, 1], [bottom, TOP]);
        const high = (values: number[]) =>
          values.map((one, place): [number, number] => [at(place + 1), y.at(one)]);
        const bar = Math.min(60, (inner / shares.length) * 0.7);
        return (
          <>
            <LeftAxis
              scale={y}
              at={LEFT}
              across={[LEFT, width - RIGHT]}
              label={t("views.scree_share")}
            />
            {high(shares).map(([x, top], place) => (
              <rect
                key={place}
                class="column"
                x={x - bar / 2}
                y={top}
                width={bar}
                height={bottom - top}
              />
            ))}
            <path class="line series-1" d={pathOf(high(sums))} />
            {high(sums).map(([x, top], place) => (
              <circle key={place} class="mark series-1" cx={x} cy={top} r={3} />
            ))}
            <BottomAxis
              scale={{ at, ticks }}
              at={bottom}
              label={t("views.scree_component")}
              middle={LEFT + inner / 2}
            />
          </>
        );
      }}
    />
  );
}
