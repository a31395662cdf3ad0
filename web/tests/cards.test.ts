import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { askable, readCard, sharesOf, shortName } from "../src/cards/card";
import { argumentsOf, controlOf, draftsOf, valuesOf } from "../src/cards/controls";
import { checkFormula } from "../src/cards/formula";
import { makeInput, pythonJson, readInput, writeInput } from "../src/cards/input";
import { findFaults } from "../src/cards/schema";

const statistics = readCard(
  JSON.parse(readFileSync("../algorithms/statistics/card.json", "utf-8")) as unknown,
);
const cox = statistics.functions.find(({ name, kind }) => name === "cox" && kind === "central");
const schema = cox?.arguments ?? {};
const args = argumentsOf(schema);

test("an input has the bytes that the Python client sends", () => {
  const input = makeInput("cox", { time: "días", tolerance: 1e-10, at: [1, 0.5, -2.25] }, true);
  const text = new TextDecoder().decode(writeInput(input));
  expect(text).toBe(
    'json.{"method": "cox", "kwargs": {"time": "d\\u00edas", "tolerance": 1e-10, ' +
      '"at": [1, 0.5, -2.25]}, "master": true}',
  );
  expect(readInput(writeInput(input))).toEqual(input);
});

// What `json.dumps` of Python writes for each.
test.each([
  [0.00001, "1e-05"],
  [0.0001, "0.0001"],
  [0.00012345, "0.00012345"],
  [1.5e-7, "1.5e-07"],
  [123456789.125, "123456789.125"],
  [1e16, "1e+16"],
  [1.5e300, "1.5e+300"],
  [-0.1, "-0.1"],
  [0.30000000000000004, "0.30000000000000004"],
  [7, "7"],
])("the number %d is written as in Python", (value, text) => {
  expect(pythonJson(value)).toBe(text);
});

test("texts are written as in Python", () => {
  expect(pythonJson('a"b\\\n\u0001é😀\u007f')).toBe(
    '"a\\"b\\\\\\n\\u0001\\u00e9\\ud83d\\ude00\u007f"',
  );
  expect(pythonJson({})).toBe("{}");
  expect(pythonJson([null, true, {}])).toBe("[null, true, {}]");
});

test("a card offers central functions, and partial ones that no other calls", () => {
  const offered = askable(statistics);
  expect(offered.filter(({ kind }) => kind === "central").map(({ name }) => name)).toContain("cox");
  const called = statistics.functions.flatMap(({ calls }) => calls);
  const partial = offered.filter(({ kind }) => kind === "partial");
  expect(partial.filter(({ name }) => called.includes(name))).toEqual([]);
});

test("what leaves a site for a central function are the shares of its partial ones", () => {
  if (!cox) throw new Error("There is no cox.");
  const found = sharesOf(statistics, cox);
  expect(found.map(({ name }) => name).sort()).toEqual([...cox.calls].sort());
  expect(found.some(({ shares }) => shares.length > 0)).toBe(true);
});

test("each argument gets the control that its schema asks for", () => {
  const controls = Object.fromEntries(args.map(({ name, control }) => [name, control]));
  expect(controls).toMatchObject({
    time: "column",
    formula: "formula",
    ties: "choice",
    max_iterations: "number",
    time_unit: "number",
    levels: "json",
    organization_ids: "organizations",
    confidence: "number",
  });
  expect(controlOf({ type: "array", items: { type: "string" }, "x-is": "columns" })).toBe(
    "columns",
  );
  expect(controlOf({ type: ["array", "null"], items: { type: "number" } })).toBe("numbers");
  expect(controlOf({ type: "boolean" })).toBe("flag");
  expect(controlOf({ anyOf: [] })).toBe("json");
});

test("only what differs from the card is sent, and values come back into the form", () => {
  const drafts = draftsOf(args);
  expect(drafts.ties).toBe('"efron"');
  const filled = {
    ...drafts,
    time: "time",
    event: "status",
    formula: "age + sex",
    confidence: "0.9",
  };
  const values = valuesOf(args, filled);
  expect(values).toEqual({ time: "time", event: "status", formula: "age + sex", confidence: 0.9 });
  expect(valuesOf(args, draftsOf(args, values))).toEqual(values);
});

test("faults name the argument and say what is wanted", () => {
  const faults = findFaults(schema, {
    event: 3,
    formula: "age",
    confidence: 2,
    other: 1,
    ties: "x",
  });
  const sentences = Object.fromEntries(
    faults.map(({ path, sentence }) => [path.join("/"), sentence]),
  );
  expect(sentences).toMatchObject({
    time: "is needed",
    event: "has to be a text",
    confidence: "has to be at most 0.999",
    other: "is not an argument",
    ties: 'has to be one of: "efron", "breslow"',
  });
});

test("arguments can depend on each other", () => {
  const depends = {
    type: "object",
    properties: { a: { type: "string" }, b: { type: "number" } },
    dependentRequired: { a: ["b"] },
    if: { properties: { a: { const: "x" } }, required: ["a"] },
    then: { properties: { b: { minimum: 5 } } },
  };
  expect(findFaults(depends, { a: "y" })).toEqual([{ path: ["b"], sentence: "is needed with a" }]);
  expect(findFaults(depends, { a: "x", b: 1 })).toEqual([
    { path: ["b"], sentence: "has to be at least 5" },
  ]);
  expect(findFaults(depends, { a: "x", b: 5 })).toEqual([]);
});

test.each([
  ["died ~ age + arm * stage", true, null],
  ["log(x) + I(x ** 2) + C(stage)", false, null],
  ["`my column` + x:y - 1", false, null],
  ["C(stage, contr.sum)", false, null],
  ["y ~ x", false, "outcome_unwanted"],
  ["x", true, "outcome_missing"],
  ["y ~ x ~ z", true, "outcome_many"],
  ["y ~ x +", true, "operand"],
  ["y ~ (x + z", true, "brackets"],
  ["y ~ x z", true, "operator"],
  ["y ~ open(x)", true, "function"],
  ["Surv(time, event) ~ x", true, "surv"],
  ["y ~ x; z", true, "sign"],
  ["", true, "empty"],
])("the formula %j is judged while it is typed", (text, hasOutcome, problem) => {
  expect(checkFormula(text, hasOutcome).problem).toBe(problem);
});

test("a formula tells its columns", () => {
  expect(checkFormula("y ~ log(x) + C(stage, contr.sum) * `my column`", true).columns).toEqual([
    "y",
    "x",
    "stage",
    "my column",
  ]);
});

test("the short name of an image has neither registry nor tag nor digest", () => {
  expect(shortName("harbor2.vantage6.ai/demo/average:1@sha256:00")).toBe("average");
  expect(shortName("")).toBe("task");
});

test("what every object of JavaScript has is no type, no control and no argument", () => {
  expect(controlOf({ "x-is": "constructor", type: "string" })).toBe("text");
  expect(findFaults({ type: "constructor" }, {})).toEqual([
    { path: [], sentence: "has to be constructor" },
  ]);
  expect(findFaults({ required: ["toString"] }, {})).toEqual([
    { path: ["toString"], sentence: "is needed" },
  ]);
  expect(findFaults({ dependentRequired: { valueOf: ["a"] } }, {})).toEqual([]);
  const schema = { properties: JSON.parse('{"__proto__": {"type": "string"}}') };
  const args = argumentsOf(schema);
  const drafts = JSON.parse('{"__proto__": "x"}');
  expect(JSON.stringify(valuesOf(args, drafts))).toBe('{"__proto__":"x"}');
});
