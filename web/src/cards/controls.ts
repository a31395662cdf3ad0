/* Which control of a form an argument gets, and how its text becomes a value. */
import { isObject, type Json } from "./card";
import { type Schema, typesOf } from "./schema";

export type Control =
  | "text"
  | "number"
  | "flag"
  | "choice"
  | "column"
  | "columns"
  | "formula"
  | "organizations"
  | "numbers"
  | "texts"
  | "json";

export interface Argument {
  name: string;
  title: string;
  description: string;
  schema: Schema;
  control: Control;
  isRequired: boolean;
  /** The value that the function takes where none is given; undefined: the card names none. */
  standard: unknown;
}

/** What a form holds of an argument: a text as it was typed, a flag, or ids. */
export type Draft = string | boolean | number[];

const CONTROLS: Record<string, Control> = {
  column: "column",
  weights: "column",
  columns: "columns",
  formula: "formula",
  organizations: "organizations",
};

/** Return the arguments of a function in the order of its card. */
export function argumentsOf(schema: Schema): Argument[] {
  const properties = isObject(schema.properties) ? schema.properties : {};
  const required = Array.isArray(schema.required) ? schema.required : [];
  return Object.entries(properties).map(([name, value]) => {
    const one = isObject(value) ? value : {};
    return {
      name,
      title: typeof one.title === "string" ? one.title : name,
      description: typeof one.description === "string" ? one.description : "",
      schema: one,
      control: controlOf(one),
      isRequired: required.includes(name),
      standard: one.default,
    };
  });
}

export function controlOf(schema: Schema): Control {
  const types = typesOf(schema).filter((type) => type !== "null");
  const is = schema["x-is"];
  const known = typeof is === "string" && Object.hasOwn(CONTROLS, is) ? CONTROLS[is] : undefined;
  if (known && types.length <= 1) return known;
  if (Array.isArray(schema.enum)) return "choice";
  if (types.length !== 1) return "json";
  const [type] = types;
  if (type === "boolean") return "flag";
  if (type === "string") return "text";
  if (type === "number" || type === "integer") return "number";
  if (type !== "array" || !isObject(schema.items)) return "json";
  if (Array.isArray(schema.items.enum)) return "json";
  const [of, ...more] = typesOf(schema.items);
  if (more.length) return "json";
  if (of === "string") return "texts";
  return of === "number" || of === "integer" ? "numbers" : "json";
}

/** The text of a list: one entry in a line, or several between commas. */
const split = (text: string): string[] =>
  text
    .split(/[,\n]/)
    .map((each) => each.trim())
    .filter(Boolean);

/** Return what the form shows for a value. */
export function draftOf(argument: Argument, value: unknown): Draft {
  const { control } = argument;
  if (control === "flag") return value === true;
  if (control === "organizations")
    return Array.isArray(value) ? value.filter((each) => typeof each === "number") : [];
  if (control === "choice") return value === undefined ? "" : JSON.stringify(value);
  if (value === undefined || value === null) return "";
  if (control === "json") return JSON.stringify(value);
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/** Return the value behind a draft; undefined where nothing is given. */
export function valueOf(argument: Argument, draft: Draft | undefined): unknown {
  if (draft === undefined) return undefined;
  if (typeof draft === "boolean") return draft;
  if (Array.isArray(draft)) return draft.length ? draft : undefined;
  const text = draft.trim();
  if (!text) return undefined;
  switch (argument.control) {
    case "number":
      return number(text);
    case "numbers":
      return split(text).map(number);
    case "columns":
    case "texts":
      return split(text);
    case "choice":
    case "json":
      return parse(text);
    default:
      return text;
  }
}

/** A text that is no number stays a text: the check of the schema says what is wrong. */
function number(text: string): number | string {
  const plain = text.replace(/^\+/, "");
  return /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : text;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Return the arguments that are given, without those that are as the function has them anyway. */
export function valuesOf(args: Argument[], drafts: Record<string, Draft>): Json {
  const values: [string, unknown][] = [];
  for (const argument of args) {
    const draft = Object.hasOwn(drafts, argument.name) ? drafts[argument.name] : undefined;
    const value = valueOf(argument, draft);
    if (value === undefined) continue;
    const isStandard = JSON.stringify(value) === JSON.stringify(argument.standard);
    if (argument.isRequired || !isStandard) values.push([argument.name, value]);
  }
  return Object.fromEntries(values);
}

/** Return what a form shows at first: given values, else those of the card. */
export function draftsOf(args: Argument[], values: Json = {}): Record<string, Draft> {
  return Object.fromEntries(
    args.map((argument) => {
      const value = Object.hasOwn(values, argument.name)
        ? values[argument.name]
        : argument.standard;
      return [argument.name, draftOf(argument, value)];
    }),
  );
}
