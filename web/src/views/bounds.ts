/**
 * How much of an answer is drawn. Stations and algorithms write it; the page has to stay usable.
 *
 * What is above a bound is in the JSON, in the CSV file, or in the file of the whole answer.
 */

/** An answer of more values is shown as JSON only. */
export const MOST_VALUES = 200_000;
export const MOST_ROWS = 500;
export const MOST_COLUMNS = 30;
/** Columns of a table of counts, which are narrow. */
export const MOST_COUNT_COLUMNS = 100;
/** Cells of all tables of one part. */
export const MOST_CELLS = 10_000;
/** Bars, rows or marks of a picture. */
export const MOST_MARKS = 500;
/** Points of a line. */
export const MOST_POINTS = 5_000;
export const MOST_CURVES = 30;
/** Pictures of one kind. */
export const MOST_PICTURES = 20;
export const MOST_VIEWS = 20;
export const MOST_WARNINGS = 20;
export const MOST_ARGUMENTS = 100;
/** Letters of a name that stands beside a value. */
export const LONGEST_NAME = 400;
/** Letters of one text. */
export const LONGEST_TEXT = 5_000;
