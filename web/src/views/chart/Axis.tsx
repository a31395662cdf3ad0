import { formatNumber } from "../numbers";
import type { Scale } from "./scale";

interface Props {
  scale: Scale;
  /** Where the axis lies. */
  at: number;
  /** The other ends of the lines through the picture. */
  across?: [number, number];
  label?: string;
  /** Where the label stands along the axis. */
  middle?: number;
}

/** A horizontal axis with its numbers and its label below. */
export function BottomAxis({ scale, at, across, label, middle }: Props) {
  return (
    <g class="axis">
      {scale.ticks.map((tick) => (
        <g key={tick}>
          {across && (
            <line
              class="grid"
              x1={scale.at(tick)}
              x2={scale.at(tick)}
              y1={across[0]}
              y2={across[1]}
            />
          )}
          <line x1={scale.at(tick)} x2={scale.at(tick)} y1={at} y2={at + 5} />
          <text x={scale.at(tick)} y={at + 18} text-anchor="middle">
            {formatNumber(tick)}
          </text>
        </g>
      ))}
      {label && (
        <text class="axis-label" x={middle} y={at + 36} text-anchor="middle">
          {label}
        </text>
      )}
    </g>
  );
}

/** A vertical axis with its numbers at the left. */
export function LeftAxis({ scale, at, across, label }: Props) {
  return (
    <g class="axis">
      {scale.ticks.map((tick) => (
        <g key={tick}>
          {across && (
            <line
              class="grid"
              y1={scale.at(tick)}
              y2={scale.at(tick)}
              x1={across[0]}
              x2={across[1]}
            />
          )}
          <line y1={scale.at(tick)} y2={scale.at(tick)} x1={at - 5} x2={at} />
          <text x={at - 8} y={scale.at(tick)} dy="0.35em" text-anchor="end">
            {formatNumber(tick)}
          </text>
        </g>
      ))}
      {label && (
        <text class="axis-label" x={0} y={12}>
          {label}
        </text>
      )}
    </g>
  );
}
