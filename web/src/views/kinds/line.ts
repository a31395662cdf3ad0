import { MOST_POINTS } from "../bounds";
import { isRecordList, numberOf, type Json } from "../json";

export interface Line {
  x: string;
  y: string;
  /** Undefined where there is no number, so that the line has a gap. */
  points: ([number, number] | undefined)[];
}

/** Return the points of a line that a view names by two columns; null for another form. */
export function readLine(value: Json, x: Json | undefined, y: Json | undefined): Line | null {
  if (
    !isRecordList(value) ||
    value.length > MOST_POINTS ||
    typeof x !== "string" ||
    typeof y !== "string"
  )
    return null;
  const points: Line["points"] = [];
  for (const one of value) {
    const [across, up] = [numberOf(one[x]), numberOf(one[y])];
    const isKnown = across !== undefined && up !== undefined;
    points.push(isKnown ? [across, up] : undefined);
  }
  return points.filter(Boolean).length > 1 ? { x, y, points } : null;
}
