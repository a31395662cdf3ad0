/*
 * The part of JSON Schema that cards may use, with the sentences of `vantage6.common.cards`. It
 * is there to help while a form is filled in: server and station check by themselves.
 */
import { isObject, type Json } from "./card";

export type Schema = Json;

export interface Fault {
  /** Where the value stands: the name of an argument, then keys and positions. */
  path: (string | number)[];
  sentence: string;
}

const TYPES: Record<string, (value: unknown) => boolean> = {
  number: (value) => typeof value === "number" && Number.isFinite(value),
  integer: (value) => Number.isInteger(value),
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  array: Array.isArray,
  object: isObject,
  null: (value) => value === null,
};
const TYPE_WORDS: Record<string, string> = {
  number: "a number",
  integer: "a whole number",
  string: "a text",
  boolean: "yes or no",
  array: "a list",
  object: "a dictionary",
  null: "empty",
};

// SECURITY: the author of a card wrote the names. What every object of JavaScript has is none.
const isOf = (type: string, value: unknown) =>
  Object.hasOwn(TYPES, type) && TYPES[type]?.(value) === true;
const wordOf = (type: string) =>
  (Object.hasOwn(TYPE_WORDS, type) ? TYPE_WORDS[type] : undefined) ?? type;

const size = (value: string | unknown[]) =>
  typeof value === "string" ? [...value].length : value.length;

/** Keywords with a bound: for which values, whether one fits, and the words. */
const BOUNDS: Record<string, [string, (value: never, wanted: number) => boolean, string]> = {
  minimum: ["number", (value: number, wanted) => value >= wanted, "has to be at least {}"],
  maximum: ["number", (value: number, wanted) => value <= wanted, "has to be at most {}"],
  exclusiveMinimum: ["number", (value: number, wanted) => value > wanted, "has to be more than {}"],
  exclusiveMaximum: ["number", (value: number, wanted) => value < wanted, "has to be less than {}"],
  multipleOf: [
    "number",
    (value: number, wanted) => Number.isInteger(value / wanted),
    "has to be a multiple of {}",
  ],
  minLength: [
    "string",
    (value: string, wanted) => size(value) >= wanted,
    "has to have at least {} characters",
  ],
  maxLength: [
    "string",
    (value: string, wanted) => size(value) <= wanted,
    "has to have at most {} characters",
  ],
  minItems: [
    "array",
    (value: unknown[], wanted) => size(value) >= wanted,
    "has to have at least {} entries",
  ],
  maxItems: [
    "array",
    (value: unknown[], wanted) => size(value) <= wanted,
    "has to have at most {} entries",
  ],
  minProperties: [
    "object",
    (value: Json, wanted) => Object.keys(value).length >= wanted,
    "has to have at least {} entries",
  ],
  maxProperties: [
    "object",
    (value: Json, wanted) => Object.keys(value).length <= wanted,
    "has to have at most {} entries",
  ],
};

/** Return the types that a schema allows, in its order. */
export function typesOf(schema: Schema): string[] {
  const { type } = schema;
  return (Array.isArray(type) ? type : [type]).filter((each) => typeof each === "string");
}

/** Return what is wrong with arguments; nothing if all is right. */
export function findFaults(schema: Schema, args: Json): Fault[] {
  return check(schema, args, []);
}

function check(schema: unknown, value: unknown, path: (string | number)[]): Fault[] {
  if (schema === false) return [{ path, sentence: "must not be there" }];
  if (!isObject(schema)) return [];
  const types = typesOf(schema);
  if (types.length && !types.some((type) => isOf(type, value)))
    return [{ path, sentence: `has to be ${either(types.map(wordOf))}` }];
  const sentence = checkValue(schema, value);
  return [
    ...(sentence ? [{ path, sentence }] : []),
    ...(isObject(value) ? checkObject(schema, value, path) : []),
    ...(Array.isArray(value) ? checkList(schema, value, path) : []),
    ...checkCombined(schema, value, path),
  ];
}

function checkValue(schema: Schema, value: unknown): string | null {
  if (Array.isArray(schema.enum) && !schema.enum.some((each) => isSame(each, value)))
    return `has to be one of: ${schema.enum.map((each) => JSON.stringify(each)).join(", ")}`;
  if ("const" in schema && !isSame(schema.const, value))
    return `has to be ${JSON.stringify(schema.const)}`;
  for (const [keyword, [type, fits, words]] of Object.entries(BOUNDS)) {
    const wanted = schema[keyword];
    if (typeof wanted === "number" && isOf(type, value) && !fits(value as never, wanted))
      return words.replace("{}", String(wanted));
  }
  if (schema.uniqueItems === true && Array.isArray(value)) {
    const marks = value.map((each) => JSON.stringify(each));
    if (new Set(marks).size < marks.length) return "has to name each entry once only";
  }
  return null;
}

function checkObject(schema: Schema, value: Json, path: (string | number)[]): Fault[] {
  const faults: Fault[] = [];
  const properties = isObject(schema.properties) ? schema.properties : {};
  for (const name of names(schema.required))
    if (!Object.hasOwn(value, name)) faults.push({ path: [...path, name], sentence: "is needed" });
  const needs = isObject(schema.dependentRequired) ? schema.dependentRequired : {};
  for (const [name, others] of Object.entries(needs))
    for (const other of Object.hasOwn(value, name) ? names(others) : [])
      if (!Object.hasOwn(value, other))
        faults.push({ path: [...path, other], sentence: `is needed with ${name}` });
  for (const [name, each] of Object.entries(value)) {
    const known = Object.hasOwn(properties, name) ? properties[name] : schema.additionalProperties;
    if (known === false) faults.push({ path: [...path, name], sentence: "is not an argument" });
    else faults.push(...check(known, each, [...path, name]));
  }
  return faults;
}

function checkList(schema: Schema, value: unknown[], path: (string | number)[]): Fault[] {
  const first = Array.isArray(schema.prefixItems) ? schema.prefixItems : [];
  return value.flatMap((each, at) => check(first[at] ?? schema.items, each, [...path, at]));
}

function checkCombined(schema: Schema, value: unknown, path: (string | number)[]): Fault[] {
  const faults: Fault[] = [];
  const fits = (part: unknown) => check(part, value, path).length === 0;
  const parts = (keyword: string) => (Array.isArray(schema[keyword]) ? schema[keyword] : []);
  for (const part of parts("allOf")) faults.push(...check(part, value, path));
  const any = parts("anyOf");
  if (any.length && !any.some(fits)) faults.push(...meant(any, value, path));
  const one = parts("oneOf");
  if (one.length && one.filter(fits).length !== 1) faults.push(...meant(one, value, path));
  if ("not" in schema && fits(schema.not))
    faults.push({ path, sentence: "has a value that the card of the function does not allow" });
  if ("if" in schema) {
    const branch = fits(schema.if) ? schema.then : schema.else;
    if (branch !== undefined) faults.push(...check(branch, value, path));
  }
  return faults;
}

/** Return the faults of the alternative that is meant: the one whose type fits. */
function meant(parts: unknown[], value: unknown, path: (string | number)[]): Fault[] {
  const close = parts.find(
    (part) => isObject(part) && typesOf(part).some((type) => isOf(type, value)),
  );
  const faults = close === undefined ? [] : check(close, value, path);
  if (faults.length) return faults;
  const types = parts.flatMap((part) => (isObject(part) ? typesOf(part) : []));
  const words = [...new Set(types)].map(wordOf);
  const sentence = words.length
    ? `has to be ${either(words)}`
    : "has a value that the card of the function does not allow";
  return [{ path, sentence }];
}

const names = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];

export function isSame(left: unknown, right: unknown): boolean {
  return left === right || JSON.stringify(left) === JSON.stringify(right);
}

function either(words: string[]): string {
  const last = words.at(-1) ?? "";
  return words.length < 2 ? last : `${words.slice(0, -1).join(", ")} or ${last}`;
}
