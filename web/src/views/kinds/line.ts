import { isRecordList, numberOf, type Json } from "../json";

export interface Line {
  x: string;
  y: string;
  points: [number, number][];
}

/** Return the points of a line that a view names by two columns; null for another form. */
export function readLine(value: Json, x: Json | undefined, y: Json | undefined): Line | null {
  if (!isRecordList(value) || typeof x !== "string" || typeof y !== "string") return null;
  const points: [number, number][] = [];
  for (const one of value) {
    const [across, up] = [numberOf(one[x]), numberOf(one[y])];
    if (across !== undefined && up !== undefined) points.push([across, up]);
  }
  return points.length > 1 ? { x, y, points } : null;
}
