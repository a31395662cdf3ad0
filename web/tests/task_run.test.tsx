import { render } from "preact";
import { afterEach, expect, test, vi } from "vitest";
import type { Json } from "../src/views/json";

// As in a browser: paths belong to the address of the page.
vi.stubGlobal(
  "Request",
  class extends Request {
    constructor(path: RequestInfo | URL, init?: RequestInit) {
      super(typeof path === "string" ? new URL(path, "http://localhost") : path, init);
    }
  },
);
const { useLoad } = await import("../src/api/load");
const { Refusal } = await import("../src/api/client");
const { keyFingerprint } = await import("../src/crypto");
const { Arguments } = await import("../src/pages/task/Arguments");
const { differences } = await import("../src/pages/compare/Compare");
const { loadRun } = await import("../src/pages/task/run");
const { openResult, plainFault } = await import("../src/pages/task/opened");
const { useKept, useRetry } = await import("../src/pages/task/retry");
const { scriptOf } = await import("../src/pages/task/Script");

/** What the server answers at an address; a number is the status of a refusal. */
let answers: (address: URL) => unknown = () => 404;
const asked: string[] = [];

vi.stubGlobal("fetch", async (request: Request) => {
  const address = new URL(request.url);
  asked.push(`${address.pathname}${address.search}`);
  const body = answers(address);
  if (typeof body === "number") return Response.json({ msg: "no", code: "no" }, { status: body });
  const total = Array.isArray(body) && body.length >= 1000 ? 1200 : 0;
  return Response.json(body, total ? { headers: { "total-count": String(total) } } : {});
});

afterEach(() => {
  asked.length = 0;
  vi.useRealTimers();
});

const signal = new AbortController().signal;
const result = (id: number, task: number) => ({ id, task: { id: task }, organization: { id: 1 } });

/** A run of more than 1,000 results, of which the list has the newest. */
function longRun(collaboration: unknown): (address: URL) => unknown {
  return ({ pathname, searchParams }) => {
    if (pathname.endsWith("/task/1")) return { id: 1, run_id: 9, collaboration: { id: 4 } };
    if (pathname.endsWith("/task")) return [{ id: 1 }, { id: 2, parent: { id: 1 } }];
    if (pathname.endsWith("/organization")) return [];
    if (pathname.endsWith("/collaboration/4")) return collaboration;
    if (searchParams.get("task_id") === "1") return [result(1, 1)];
    return Array.from({ length: 1000 }, (_, at) => result(at + 201, 2));
  };
}

test("the answer of a task is there, however many results its run has", async () => {
  answers = longRun({ name: "c", encrypted: true });
  const run = await loadRun(1, signal);
  expect(run.results.get(1)?.map((one) => one.id)).toEqual([1]);
  expect(run.results.get(2)).toHaveLength(1000);
  expect(run.isCut).toBe(true);
  expect(run.collaboration).toEqual({ name: "c", isEncrypted: true });
});

test.each([401, 403, 404])("a collaboration that answers %d may be encrypted", async (status) => {
  answers = longRun(status);
  expect((await loadRun(1, signal)).collaboration).toBeNull();
});

test.each([429, 500, 503])("an error %d says nothing about encryption", async (status) => {
  answers = longRun(status);
  await expect(loadRun(1, signal)).rejects.toBeInstanceOf(Refusal);
});

test("plain text is read only where nothing is encrypted", async () => {
  const plain = btoa('json.{"a": 1}');
  answers = () => ({ id: 1, result: plain, input: plain, log: "printed" });
  const open = await openResult(1, false, signal);
  expect(open).toMatchObject({ answer: { value: { a: 1 } }, log: { text: "printed" } });
  for (const isEncrypted of [true, undefined]) {
    const { answer, input, log } = await openResult(1, isEncrypted, signal);
    for (const one of [answer, input, log]) {
      expect(one?.value).toBeUndefined();
      expect(one?.text).toBeUndefined();
      expect(one?.problem).toContain("was not encrypted on its way");
    }
  }
  expect(plainFault(plain, undefined)).toContain("known not to be encrypted");
  keyFingerprint.value = "ab";
  expect(plainFault(plain, false)).toContain("forget the key");
  keyFingerprint.value = null;
  expect(plainFault(plain, false)).toBeNull();
});

test("a collaboration that was encrypted stays so, whatever the server says later", async () => {
  answers = longRun({ name: "c", encrypted: true });
  await loadRun(1, signal);
  answers = longRun({ name: "c", encrypted: false });
  expect((await loadRun(1, signal)).collaboration?.isEncrypted).toBe(true);
});

test("an error while a task runs leaves what is known, and is asked again", async () => {
  vi.useFakeTimers();
  const root = document.createElement("div");
  const outcomes: (number | Error)[] = [
    ...[1, new Refusal(503, "busy", "busy"), new TypeError("broken"), 2],
    new Refusal(404, "not_found", "gone"),
  ];
  function Shown() {
    const found = useLoad(async () => {
      const next = outcomes.shift() ?? 0;
      if (typeof next !== "number") throw next;
      return next;
    }, []);
    useRetry(found);
    const kept = useKept(found);
    const trouble = found.state === "refused" ? found.refusal.message : "";
    return (
      <button type="button" onClick={found.reload}>
        {kept ?? "nothing"} {trouble}
      </button>
    );
  }
  render(<Shown />, root);
  const button = root.querySelector("button");
  const says = async (text: string, wait = 100) => {
    await vi.advanceTimersByTimeAsync(wait);
    expect(button?.textContent).toBe(text);
  };
  await says("1 ");
  button?.click();
  await says("1 busy");
  await says("1 broken", 15_000);
  await says("2 ", 15_000);
  button?.click();
  await says("nothing gone");
  await says("nothing gone", 60_000);
  expect(outcomes).toHaveLength(0);
  render(null, root);
});

function deep(levels: number): Json {
  let value: Json = 1;
  for (let at = 0; at < levels; at += 1) value = [value];
  return value;
}

function shownArguments(named: Record<string, Json>): HTMLElement {
  const root = document.createElement("div");
  const asked = { method: "m", isCentral: true, arguments: named, positional: [] };
  const rest = { refusal: undefined, again: () => {}, viewsOf: () => [], left: 0, more: () => {} };
  render(<Arguments answers={{ asked, opened: [], ...rest }} />, root);
  return root;
}

test("arguments of any depth and number are shown", () => {
  const root = shownArguments({ deep: deep(20_000), short: [1, "x"], text: "y ~ x", empty: "" });
  expect([...root.querySelectorAll("dt")].map((one) => one.textContent)).toEqual([
    ...["deep", "short", "text", "empty"],
  ]);
  expect(root.textContent).toContain('[1,"x"]');
  expect(root.textContent).toContain("y ~ x");
  const many = Object.fromEntries(Array.from({ length: 50_000 }, (_, at) => [`a${at}`, at]));
  const long = shownArguments({ ...many, wide: Array.from({ length: 100_000 }, () => 1) });
  expect(long.querySelectorAll("dt")).toHaveLength(100);
  expect(long.textContent).toContain("49901 more arguments");
});

test("arguments of any depth are compared", () => {
  const same: [string, Json] = ["same", { a: [1] }];
  const one: [string, Json][] = [same, ["x", 1], ["deep", deep(20_000)]];
  const other: [string, Json][] = [same, ["x", 2], ["deep", deep(20_000)], ["new", "y"]];
  expect(differences(one, other)).toEqual([
    ["x", "1", "2"],
    ["deep", null, null],
    ["new", "-", "y"],
  ]);
});

test("a number of the server is a number in the script", () => {
  const task = "1); import os; print(1" as unknown as number;
  const place = { origin: "https://v6.example", path: "/api", username: "a", isEncrypted: false };
  expect(scriptOf({ task, ...place })).not.toContain("import os");
});
