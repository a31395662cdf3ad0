import { expect, test } from "vitest";
import { csvOf, clipboardText, fileName, harmless } from "../src/views/files";
import { formatNumber, niceTicks, ratioTicks } from "../src/views/numbers";

test.each([
  [0.1 + 0.2, "0.3"],
  [1.23456789e-9, "1.23457e-09"],
  [0.0001, "0.0001"],
  [0.000099999, "9.9999e-05"],
  [0.0000999999999, "0.0001"],
  [123456.7, "123457"],
  [1234567.8, "1.23457e+06"],
  [999999.5, "1e+06"],
  [9007199254740991, "9007199254740991"],
  [-12, "-12"],
  [-0.05, "-0.05"],
  [1e300, "1e+300"],
  [34.567891234, "34.5679"],
])("%d is written as Python's g writes it", (value, wanted) => {
  expect(formatNumber(value)).toBe(wanted);
});

test.each<[number, number, number[]]>([
  [0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
  [-3, 3, [-2, 0, 2]],
  [0, 35, [0, 10, 20, 30]],
  [0.001, 0.0042, [0.001, 0.002, 0.003, 0.004]],
  [5, 5, [5]],
])("an axis from %d to %d has round numbers", (least, most, wanted) => {
  expect(niceTicks(least, most)).toEqual(wanted);
});

test("an axis has few numbers, whatever its ends", () => {
  for (const [least, most] of [
    [-1e308, 1e308],
    [1e15, 1e15 + 1],
    [0, 5e-324],
    [1, 1 + 1e-15],
  ] as const)
    expect(niceTicks(least, most).length).toBeLessThan(102);
});

test.each<[number, number, number[]]>([
  [0.4, 2.6, [0.5, 1, 2]],
  [0.001, 1000, [0.001, 0.01, 0.1, 1, 10, 100, 1000]],
  [1e-9, 10, [1e-9, 1e-7, 1e-5, 0.001, 0.1, 10]],
  [1.1, 1.3, [1.1, 1.15, 1.2, 1.25, 1.3]],
])(
  "an axis of ratios from %d to %d has powers of ten, with 2 and 5 where there is room",
  (least, most, wanted) => {
    expect(ratioTicks(least, most)).toEqual(wanted);
  },
);

test("CSV keeps all digits, quotes what needs it, and holds no formula", () => {
  const rows = [
    ["a,b", 0.1 + 0.2, null],
    ['say "hi"', -1, true],
    ["=HYPERLINK(1)", 1e21, [1, 2]],
    ["-2+3", 0, "x\ny"],
  ];
  expect(csvOf(["name", "value", "more"], rows)).toBe(
    [
      '"name","value","more"',
      '"a,b",0.30000000000000004,',
      '"say ""hi""",-1,true',
      `"'=HYPERLINK(1)",1e+21,"1, 2"`,
      `"'-2+3",0,"x\ny"`,
      "",
    ].join("\r\n"),
  );
});

test.each([
  ["=1+1", "'=1+1"],
  ["\n =cmd|' /c calc'!A0", "\n' =cmd|' /c calc'!A0"],
  ["x;=cmd|' /c calc'!A0;", "x;'=cmd|' /c calc'!A0;"],
  ["x\t@SUM(A1)", "x\t'@SUM(A1)"],
  ["x\n+A1", "x\n'+A1"],
  ["＝1", "'＝1"],
  ["－A1", "'－A1"],
  ["-A1 (0.2)", "'-A1 (0.2)"],
  ["-1 (=A1)", "'-1 (=A1)"],
])("the formula in %j is harmless, in a file and in the clipboard", (text, wanted) => {
  expect(harmless(text)).toBe(wanted);
  expect(csvOf([], [[text]])).toContain(`"${wanted}"`);
  const copied = clipboardText(["a"], [[text]]).split("\n")[1] ?? "";
  expect(copied).not.toMatch(/(^|[;|])\s*[=+\-@＝＋－＠]/);
});

test.each([
  ...["-", "-0.12", "-1e-05", "-0.1212 (0.8244)", "-0.3 [-0.9; 0.3]", "-3 (-)", "-2 (masked)"],
  ...["27 (54.0 %)", "-1, -2", "a-b", "0.1 [masked; -1e-05]", "5 - 6"],
])("numbers as tables show them stay as they are: %j", (text) => {
  expect(harmless(text)).toBe(text);
  expect(clipboardText([text], [])).toBe(text);
});

test("a copied table has a line for each row", () => {
  expect(clipboardText(["a", "b"], [["1\n2", "3\t4"]])).toBe("a\tb\n1 2\t3 4");
});

test.each([
  ["../../etc/passwd", "_.._etc_passwd"],
  ["a\u202egpj.exe", "a_u202egpj.exe"],
  ["", "result"],
  ["Größe µ.csv", "Größe µ.csv"],
  ["x".repeat(500) + ".json", "x".repeat(100) + ".json"],
])("%j is no dangerous name of a file", (name, wanted) => {
  expect(fileName(name)).toBe(wanted);
});
