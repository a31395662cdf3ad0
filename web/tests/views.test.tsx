import { readdirSync, readFileSync } from "node:fs";
import { render } from "preact";
import { describe, expect, test } from "vitest";
import type { Block } from "../src/views/blocks";
import { besideOf } from "../src/views/beside";
import type { Json } from "../src/views/json";
import { formatCell } from "../src/views/numbers";
import type { View } from "../src/views/parts";
import { read, ResultView } from "../src/views/ResultView";

interface Kept {
  views: View[];
  answer: Json;
  lines: string[];
}

const FOLDER = `${import.meta.dirname}/results`;
const NAMES = readdirSync(FOLDER).map((one) => one.replace(".json", ""));

function kept(name: string): Kept {
  return JSON.parse(readFileSync(`${FOLDER}/${name}.json`, "utf8")) as Kept;
}

function drawn(name: string): HTMLElement {
  const { answer, views } = kept(name);
  return show(answer, views);
}

function show(answer: Json, views: View[]): HTMLElement {
  const root = document.createElement("div");
  render(<ResultView result={answer} views={views} />, root);
  return root;
}

const textsOf = (root: Element, selector: string) =>
  [...root.querySelectorAll(selector)].map((one) => one.textContent ?? "");

/** A block as the command line prints it, without its spaces. */
function linesOf(block: Block): string[] {
  const title = block.title ? [block.title] : [];
  if (block.kind === "text") return [...title, block.text];
  const rows = block.rows.map((row) => row.map(formatCell));
  const header = block.kind === "table" ? [block.header] : [];
  return [...title, ...[...header, ...rows].map((row) => row.join(" ").trim())];
}

/** Counts are drawn, and JSON in a browser does not tell 10000002.0 from 10000002. */
const OTHERWISE = ["crosstab_masked", "randhie_table", "numacc1"];

test.each(NAMES.filter((one) => !OTHERWISE.includes(one)))(
  "%s has the numbers, names and order of the command line",
  (name) => {
    const { answer, views, lines } = kept(name);
    const { parts, paths } = read(answer, views);
    const beside = besideOf(answer, paths);
    const found = parts.flatMap((part) => [
      ...(part.title ? [`${part.title}:`] : []),
      ...part.blocks.flatMap(linesOf),
    ]);
    found.push(...beside.warnings.map((one) => `Warning: ${one}`));
    found.push(...beside.facts.map(([key, value]) => `${key} ${formatCell(value)}`));
    const wanted = lines.filter((one) => one && !one.startsWith("Not shown:"));
    const squeezed = (text: string) => text.trim().replaceAll(/ +/g, " ");
    expect(found.map(squeezed)).toEqual(wanted.map(squeezed));
  },
);

test("a cross table has the counts and tests of the command line", () => {
  const root = drawn("randhie_table");
  expect(textsOf(root, "table.counts tr").slice(1)).toEqual(["096475294", "132342015"]);
  expect(root.textContent).toContain("14.5638");
  expect(root.textContent).not.toContain("masked");
});

test("a large mean that is a whole number has all its digits", () => {
  expect(textsOf(drawn("numacc1"), "dl.pairs div")).toContain("x.mean10000002");
});

test.each(NAMES)(
  "%s is drawn with a title, words and numbers for those who do not see it",
  (name) => {
    const root = drawn(name);
    for (const picture of root.querySelectorAll("svg")) {
      expect(picture.getAttribute("role")).toBe("img");
      const texts = [
        ...(picture.getAttribute("aria-labelledby") ?? "").split(" "),
        picture.getAttribute("aria-describedby"),
      ];
      for (const id of texts) expect(root.querySelector(`[id="${id}"]`)?.textContent).toMatch(/\w/);
      expect(picture.outerHTML).not.toMatch(/NaN|undefined|Infinity/);
    }
    expect(root.querySelectorAll("table, dl").length).toBeGreaterThan(0);
    expect(root.querySelector("[style]")).toBeNull();
  },
);

describe("masked counts", () => {
  test("of a cross table are said to be masked, and are not 0", () => {
    const root = drawn("crosstab_masked");
    expect(textsOf(root, "table.counts tbody tr")).toEqual([
      "amasked, at least 5masked, at least 3",
      "b2020",
      "cmasked, at least 3masked, at least 7",
    ]);
    expect(root.textContent).toContain("They are not 0.");
  });
  test("of a histogram are hatched bars, and masked in the table", () => {
    const root = drawn("histogram_masked");
    expect(root.querySelectorAll("rect.column.masked")).toHaveLength(5);
    expect(root.querySelectorAll("rect.column")).toHaveLength(6);
    for (const bar of root.querySelectorAll("rect.column"))
      expect(Number(bar.getAttribute("height"))).toBeGreaterThan(0);
    expect(textsOf(root, "tbody tr:first-child td")).toEqual([
      "-3",
      "-2",
      "masked",
      "0",
      ...["1", "2"],
    ]);
  });
  test("of levels leave their shares unknown", () => {
    const levels = [
      { level: "a", count: null },
      { level: "b", count: 9 },
    ];
    const part = { kind: "categorical", n: null, missing: null, levels };
    const root = show({ result: { g: part } }, [{ kind: "table", path: "/result" }]);
    expect(textsOf(root, "th.level + td")).toEqual(["masked", "9"]);
  });
});

describe("pictures", () => {
  test("hazard ratios stand on a logarithmic axis with their intervals", () => {
    const root = drawn("rossi_efron");
    expect(root.textContent).toContain("hazard_ratio, logarithmic");
    expect(root.querySelector("desc")?.textContent).toContain(
      "fin: 0.684257, from 0.470237 to 0.995684.",
    );
    const x = (selector: string) => Number(root.querySelector(selector)?.getAttribute("x1"));
    // fin, the first term, lies below 1 with its whole interval.
    expect(x("line.interval")).toBeLessThan(x("line.none"));
    expect(root.querySelectorAll("rect.estimate")).toHaveLength(7);
  });
  test("an intercept is in the table only", () => {
    const root = drawn("spector");
    expect(root.textContent).toContain("In the table only: Intercept.");
    expect(root.querySelectorAll("rect.estimate")).toHaveLength(3);
    expect(textsOf(root, "tbody tr:first-child td")[0]).toBe("Intercept");
  });
  test("a meta-analysis shows every organization, the pooled effect and its prediction", () => {
    const root = drawn("bcg_REML");
    expect(root.querySelectorAll("rect.estimate")).toHaveLength(13);
    expect(root.querySelectorAll("path.diamond")).toHaveLength(1);
    expect(root.querySelectorAll("g.prediction")).toHaveLength(1);
  });
  test("survival curves fall in steps, with bands and numbers at risk", () => {
    const root = drawn("leukemia_km");
    expect(root.querySelectorAll("path.band")).toHaveLength(2);
    expect(root.querySelectorAll("path.line")).toHaveLength(2);
    expect(root.querySelectorAll("path.beyond")).toHaveLength(1);
    // Time 0, 5, 10, ...; 15 of the first group are known to be at risk at time 10, an event.
    expect(textsOf(root, ".risk g:nth-of-type(1) text.tabular").slice(0, 3)).toEqual([
      "21",
      "21",
      "15",
    ]);
    expect(textsOf(root, ".risk g:nth-of-type(2) text.tabular")).toContain("0");
  });
  test("names of groups have room beside the numbers at risk", () => {
    const curves = ["new", "usual"].map((level) => ({
      level,
      n: 3,
      rows: { time: [1], survival: [0.5] },
    }));
    const root = show({ curves }, [{ kind: "kaplan_meier", path: "/curves" }]);
    expect(textsOf(root, ".risk g text:first-child")).toEqual(["new", "usual"]);
  });
  test("a life table has marks, and no steps", () => {
    const root = drawn("life_table");
    expect(root.querySelectorAll("circle.mark").length).toBeGreaterThan(3);
    expect(root.textContent).toContain("the ends of intervals of time");
  });
  test("the first table of a paper has groups beside each other", () => {
    const root = drawn("table_one");
    const rows = textsOf(root, ".result-table:first-of-type tbody tr");
    expect(rows).toContain("mean (sd)-0.1212 (0.8244)-0.235 (0.963)");
    expect(rows).toContain("a-27 (54.0 %)");
    expect(root.querySelectorAll("rect.box")).toHaveLength(2);
  });
  test("components have shares that add up", () => {
    const root = drawn("longley_pca");
    expect(root.querySelectorAll("rect.column")).toHaveLength(6);
    expect(root.querySelector("desc")?.textContent).toContain("together 100.0 %");
  });
});

describe("what does not fit", () => {
  test.each<[string, Json, View[]]>([
    ["a view of another kind", { a: 1 }, [{ kind: "hologram", path: "" }]],
    ["a path that leads nowhere", { a: 1 }, [{ kind: "table", path: "/b/c" }]],
    ["a histogram without edges", { counts: [1, 2] }, [{ kind: "histogram", path: "" }]],
    ["curves that are numbers", { curves: [1, 2] }, [{ kind: "kaplan_meier", path: "/curves" }]],
    ["names of the language", JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}') as Json, []],
    [
      "counts of another size",
      { counts: [[1]], rows: { levels: [] } },
      [{ kind: "cross_table", path: "" }],
    ],
    [
      "shares that are texts",
      { variance_share: ["x"], standard_deviations: [1] },
      [{ kind: "scree", path: "" }],
    ],
    ["nothing", null, []],
    ["a list of lists", [[1, [2]]], []],
    ["an empty list", [], [{ kind: "coefficients", path: "" }]],
  ])("%s is shown all the same", (_, answer, views) => {
    const root = show(answer, views);
    expect(root.textContent).toContain("The whole answer as JSON");
  });
  test("an answer of many levels ends in a sentence", () => {
    let answer: Json = 1;
    for (let at = 0; at < 20_000; at += 1) answer = [answer];
    expect(show(answer, []).textContent).toContain("more levels than the page draws");
  });
  test("a table of many rows shows the first ones", () => {
    const rows = Array.from({ length: 20_000 }, (_, at) => ({ x: at }));
    const root = show(rows, [{ kind: "table", path: "" }]);
    expect(root.querySelectorAll("tbody tr")).toHaveLength(500);
    expect(root.textContent).toContain("the first 500 of 20000 rows");
  });
});

test("hostile names are text: no element, no hidden character", () => {
  const bad = "<img src=x onerror=alert(1)>\u202eevil\u200b";
  const terms = [{ term: bad, estimate: 1, lower: 0.5, upper: 2, p_value: 0.5 }];
  const curves = [{ level: bad, n: 3, events: 1, rows: { time: [1], survival: [0.5] } }];
  const part = { kind: "numeric", n: 1, missing: 0, mean: 1, sd: 1, quantiles: [] };
  for (const [answer, kind] of [
    [terms, "coefficients"],
    [curves, "kaplan_meier"],
    [{ column: bad, edges: [0, 1], counts: [1] }, "histogram"],
    [
      {
        counts: [[1]],
        rows: { column: bad, levels: [bad] },
        columns: { column: bad, levels: [bad] },
      },
      "cross_table",
    ],
    [{ [bad]: part }, "table"],
    [bad, "text"],
  ] as [Json, string][]) {
    const root = show({ result: answer, warnings: [{ organization: 1, message: bad }] }, [
      { kind, path: "/result" },
    ]);
    expect(root.querySelector("img")).toBeNull();
    expect(root.textContent).not.toMatch(/[\u202e\u200b]/);
    for (const one of root.querySelectorAll("*"))
      for (const { value } of one.attributes) expect(value).not.toMatch(/[\u202e\u200b]/);
    expect(root.textContent).toContain("\\u202e");
  }
});
