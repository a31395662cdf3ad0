import { render } from "preact";
import { describe, expect, test, vi } from "vitest";
import { besideOf } from "../src/views/beside";
import { linearScale, logScale, widened } from "../src/views/chart/scale";
import { Guarded } from "../src/views/Guarded";
import { isLarge, type Json } from "../src/views/json";
import { readForest } from "../src/views/kinds/coefficients";
import { readLine } from "../src/views/kinds/line";
import { normalReach, studentShare } from "../src/views/kinds/quantile";
import { bounded, niceTicks, ratioTicks } from "../src/views/numbers";
import type { View } from "../src/views/parts";
import { ResultView } from "../src/views/ResultView";

function show(answer: Json, kind = "table"): HTMLElement {
  const root = document.createElement("div");
  const views: View[] = [{ kind, path: "" }];
  render(<ResultView result={answer} views={views} />, root);
  return root;
}

const many = <T,>(length: number, make: (at: number) => T): T[] =>
  Array.from({ length }, (_, at) => make(at));

const EXTREMES = [0, 1, -1, 5e-324, 1e-300, 1e-10, 1e300, 1.7e308, -1.7e308, Infinity, NaN];
const PAIRS = EXTREMES.flatMap((one) => EXTREMES.map((other) => [one, other] as const));

describe("an axis", () => {
  test("has few finite numbers and places, whatever its ends are", () => {
    for (const [least, most] of PAIRS)
      for (const scale of [linearScale, logScale]) {
        const { at, ticks } = scale([least, most], [10, 500]);
        expect(ticks.length).toBeLessThan(102);
        for (const value of [...EXTREMES, ...ticks])
          expect(Number.isFinite(at(value)), `${least} ${most} ${value}`).toBe(true);
      }
  });
  test("of ratios ends, whatever its ends are", () => {
    for (const [least, most] of PAIRS) {
      expect(ratioTicks(least, most).length).toBeLessThan(102);
      for (const tick of [...ratioTicks(least, most), ...niceTicks(least, most)])
        expect(tick).not.toBeNaN();
    }
  });
  test("is as wide as its numbers", () => {
    expect(widened([1e308, -1e308, NaN]).every(Number.isFinite)).toBe(true);
    expect(widened([])).toEqual([0, 0]);
    expect(bounded(NaN, 1, 2)).toBe(1);
    const { at } = logScale([0.5, 2], [0, 100]);
    expect([0.5, 1, 2].map(at).map(Math.round)).toEqual([0, 50, 100]);
  });
  test.each<[string, Json]>([
    ["ratios of 600 powers", [ratio("a", 1e-300), ratio("b", 1e300)]],
    ["the largest number", [ratio("a", 1e308), ratio("b", 1.7e308)]],
    ["the least number", [ratio("a", 5e-324)]],
    [
      "an upper end below 0",
      [{ term: "a", hazard_ratio: 1, hazard_ratio_lower: 0.5, hazard_ratio_upper: -2 }],
    ],
    ["linear terms", [{ term: "a", estimate: -1e308, lower: -1.7e308, upper: 1.7e308 }]],
    [
      "a pooled effect",
      [
        {
          ...{ term: "a", estimate: 1e308, lower: -1e308, upper: 1.7e308, standard_error: 1e-300 },
          sites: [{ organization: 1, estimate: 1e308, standard_error: 1e300 }],
        },
      ],
    ],
  ])("is drawn for %s", (_, answer) => {
    for (const picture of show(answer, "coefficients").querySelectorAll("svg"))
      expect(picture.outerHTML).not.toMatch(/NaN|undefined|Infinity/);
  });
  test("of other pictures stands extreme numbers", () => {
    const ends = [-1.7e308, 0, 5e-324, 1.7e308];
    const points = ends.map((x) => ({ x, y: -x }));
    const root = document.createElement("div");
    render(
      <ResultView result={points} views={[{ kind: "line", path: "", x: "x", y: "y" }]} />,
      root,
    );
    const bars = show({ column: "x", edges: ends, counts: [1, 1.7e308, 0] }, "histogram");
    const curves = show(
      [{ level: 1, n: 2, rows: { time: [-1e308, 1.7e308], survival: [1, 0] } }],
      "kaplan_meier",
    );
    for (const one of [root, bars, curves]) {
      expect(one.querySelectorAll("svg")).toHaveLength(1);
      expect(one.querySelector("svg")?.outerHTML).not.toMatch(/NaN|undefined|Infinity/);
    }
  });
});

function ratio(term: string, value: number): Json {
  return { term, hazard_ratio: value, hazard_ratio_lower: value, hazard_ratio_upper: value };
}

/** Elements of a page of one answer: browsers lay out so many without a pause. */
const MOST_ELEMENTS = 60_000;

describe("the work of drawing is bounded for", () => {
  const group = (at: number) => ({
    level: at,
    columns: {
      a: { kind: "categorical", n: 1, missing: 0, levels: [{ level: `x${at}`, count: 1 }] },
    },
  });
  const chain = (depth: number): Json => (depth ? { a: chain(depth - 1) } : 1);
  const quantiles = [0.05, 0.25, 0.5, 0.75, 0.95].map((p) => ({ p, value: p }));
  const numeric = { kind: "numeric", n: 5, missing: 0, mean: 1, sd: 1, quantiles };
  test.each<[string, Json, string]>([
    ["rows with a name of their own each", many(30_000, (at) => ({ [`k${at}`]: 1 })), "table"],
    ["chains of records", many(300, () => chain(450)), "table"],
    [
      "chains of names",
      many(300, (at) => ({ [`${at}${"x".repeat(300)}`]: { ["y".repeat(300)]: 1 } })),
      "table",
    ],
    ["groups of levels of their own", many(10_000, group), "table"],
    ["groups of one column", Object.fromEntries(many(5_000, (at) => [`c${at}`, numeric])), "table"],
    ["many facts", Object.fromEntries(many(100_000, (at) => [`f${at}`, at])), "table"],
    [
      "many tables",
      Object.fromEntries(many(5_000, (at) => [`t${at}`, [{ a: 1, b: [[1]] }]])),
      "table",
    ],
    [
      "sparse tables",
      Object.fromEntries(
        many(40, (at) => [`t${at}`, many(500, (row) => ({ [`k${row % 29}`]: 1 }))]),
      ),
      "table",
    ],
    [
      "bars",
      { column: "x", edges: many(60_001, (at) => at), counts: many(60_000, () => 1) },
      "histogram",
    ],
    [
      "components",
      { variance_share: many(60_000, () => 0), standard_deviations: many(60_000, () => 1) },
      "scree",
    ],
    [
      "terms",
      many(30_000, (at) => ({ term: `t${at}`, estimate: 1, lower: 0, upper: 2 })),
      "coefficients",
    ],
    [
      "counts",
      {
        ...{ rows: { column: "r", levels: many(2_000, String) } },
        ...{ columns: { column: "c", levels: many(50, String) } },
        counts: many(2_000, () => many(50, () => 1)),
      },
      "cross_table",
    ],
    [
      "curves",
      many(20_000, (level) => ({ level, rows: { time: [1], survival: [0.5] } })),
      "kaplan_meier",
    ],
    ["points", many(30_000, (at) => ({ x: at % 2 ? at : null, y: at })), "line"],
    ["more values than are counted", many(300_000, (at) => at), "table"],
    ["a long text", "x".repeat(4_000_000), "text"],
  ])("%s", { timeout: 120_000 }, (_, answer, kind) => {
    const root = show(answer, kind);
    expect(root.querySelectorAll("*").length).toBeLessThan(MOST_ELEMENTS);
    expect(root.textContent?.length).toBeLessThan(2_000_000);
  });
  test("views and warnings", () => {
    const root = document.createElement("div");
    const views = many(500, () => ({ kind: "table", path: "/result" }));
    const warnings = many(150_000, (at) => ({ message: `w${at}` }));
    render(
      <ResultView result={{ result: { a: 1 }, warnings: warnings.slice(0, 900) }} views={views} />,
      root,
    );
    expect(root.querySelectorAll("section")).toHaveLength(20);
    expect(root.textContent).toContain("880 more warnings are in the JSON.");
    expect(besideOf({ result: 1, warnings }, [["result"]]).warnings).toHaveLength(150_000);
  });
});

test("values are counted as far as needed", () => {
  expect(isLarge([1, { a: [2, 3] }], 6)).toBe(false);
  expect(isLarge([1, { a: [2, 3] }], 5)).toBe(true);
});

test("what cannot be drawn leaves what stands beside it, and is drawn again for other data", async () => {
  const said = vi.spyOn(console, "error").mockImplementation(() => undefined);
  const root = document.createElement("div");
  const Odd = ({ of }: { of: number }) => {
    if (of === 1) throw new RangeError("Maximum call stack size exceeded");
    return <p>drawn {of}</p>;
  };
  const draw = (of: number) =>
    render(
      <>
        <p>beside</p>
        <Guarded of={of} otherwise={<b>json</b>}>
          <Odd of={of} />
        </Guarded>
      </>,
      root,
    );
  draw(1);
  await vi.waitFor(() => expect(root.textContent).toContain("cannot be drawn"));
  expect(root.textContent).toContain("beside");
  expect(root.textContent).toContain("json");
  draw(2);
  await vi.waitFor(() => expect(root.textContent).toContain("drawn 2"));
  said.mockRestore();
});

describe("a pooled effect with the adjustment of Knapp and Hartung", () => {
  test("quantiles are those of Student and of the normal distribution", () => {
    for (const [reach, degrees, share] of [
      [12.706204736432095, 1, 0.95],
      [4.302652729911275, 2, 0.95],
      [3.182446305284263, 3, 0.95],
      [2.3533634348018264, 3, 0.9],
      [1.9839715185235523, 100, 0.95],
    ] as const)
      expect(studentShare(reach, degrees)).toBeCloseTo(share, 11);
    expect(normalReach(0.95)).toBeCloseTo(1.959963984540054, 12);
    expect(normalReach(0.9)).toBeCloseTo(1.6448536269514722, 12);
    expect(normalReach(0.999)).toBeCloseTo(3.2905267314919255, 9);
  });
  // As algorithms.meta answers for these organizations.
  const sites = [
    { organization: 1, estimate: 0.4, standard_error: 0.2 },
    { organization: 2, estimate: 1, standard_error: 0.3 },
    { organization: 3, estimate: -0.2, standard_error: 0.22360679774997896 },
    { organization: 4, estimate: 0.3, standard_error: 0.1 },
  ];
  const two = {
    ...{ term: "x", estimate: 0.6583333333333333, standard_error: 0.2970923911662648 },
    ...{ statistic: 2.215921218140197, tau_squared: 0.11499999999999999 },
    sites: sites.slice(0, 2),
  };
  const four = {
    ...{ term: "x", estimate: 0.34484226263117707, standard_error: 0.23016538180756982 },
    ...{ statistic: 1.4982368761236347, tau_squared: 0.1440213128630098, sites },
  };
  test.each<[string, Json, number]>([
    [
      "two, 0.95",
      { ...two, p_value: 0.2698742734874763, lower: -3.1165834143849254, upper: 4.433250081051592 },
      1.959964,
    ],
    [
      "two, 0.9",
      { ...two, p_value: 0.2698742734874763, lower: -1.217434201391102, upper: 2.5341008680577684 },
      1.6448536,
    ],
    [
      "four, 0.95",
      {
        ...four,
        p_value: 0.23100750218341407,
        lower: -0.38764670630653747,
        upper: 1.0773312315688917,
      },
      1.959964,
    ],
    [
      "two without it",
      { ...two, p_value: 0.02669673, lower: 0.07604294, upper: 1.24062373 },
      1.959964,
    ],
  ])("has normal intervals of organizations: %s", (_, effect, reach) => {
    const rows = readForest([effect])?.rows ?? [];
    expect(rows.at(-1)?.isPooled).toBe(true);
    for (const [at, row] of rows.slice(0, -1).entries()) {
      const error = sites[at]?.standard_error ?? 0;
      expect(row.upper - row.estimate).toBeCloseTo(reach * error, 5);
      expect(row.estimate - row.lower).toBeCloseTo(reach * error, 5);
    }
  });
});

test("a line has a gap where there is no number, and a mark where a point is alone", () => {
  const y = [1, 2, null, 3, null, 4, 5];
  const points = y.map((one, x) => ({ x, y: one }));
  expect(readLine(points, "x", "y")?.points.map((one) => one?.[1])).toEqual(
    y.map((one) => one ?? undefined),
  );
  const root = document.createElement("div");
  render(<ResultView result={points} views={[{ kind: "line", path: "", x: "x", y: "y" }]} />, root);
  expect(root.querySelector("path.line")?.getAttribute("d")?.match(/M/g)).toHaveLength(3);
  expect(root.querySelectorAll("circle.mark")).toHaveLength(1);
});

test("what there is none of is not masked", () => {
  const numeric = { kind: "numeric", missing: 0, quantiles: [] };
  const groups: Json = [
    { level: "none", columns: { a: { ...numeric, n: 0, mean: null, sd: null } } },
    { level: "one", columns: { a: { ...numeric, n: 1, mean: 5, sd: null } } },
    {
      level: "hidden",
      columns: { a: { ...numeric, n: null, missing: null, mean: null, sd: null } },
    },
    { level: "other", columns: { b: { ...numeric, n: 9, mean: 5, sd: 1 } } },
  ];
  const rows = [...(show(groups).querySelector("table")?.querySelectorAll("tbody tr") ?? [])];
  expect(rows.map((row) => [...row.querySelectorAll("td")].map((one) => one.textContent))).toEqual([
    ["n 0", "n 1", "n masked, missing masked", "-"],
    ["-", "5 (-)", "masked (masked)", "-"],
    ["-", "-", "-", "n 9"],
    ["-", "-", "-", "5 (1)"],
  ]);
});
