import { afterEach, expect, test, vi } from "vitest";
import type { Change } from "../src/api/live";

// As in a browser: paths belong to the address of the page, and the page is seen.
vi.stubGlobal(
  "Request",
  class extends Request {
    constructor(path: RequestInfo | URL, init?: RequestInit) {
      super(typeof path === "string" ? new URL(path, "http://localhost") : path, init);
    }
  },
);
Object.defineProperty(document, "hidden", { value: false });
const { onChange } = await import("../src/api/live");

const answers: (() => Promise<Response>)[] = [];
const asked: string[] = [];

vi.stubGlobal("fetch", (request: Request) => {
  asked.push(new URL(request.url).search);
  const next = answers.shift();
  if (next) return next();
  return new Promise<Response>((_, refuse) =>
    request.signal.addEventListener("abort", () => refuse(new DOMException("over", "AbortError"))),
  );
});

function reply(place: string, tasks: number[], isGap = false): () => Promise<Response> {
  const data = tasks.map((id) => ({ collaboration_id: 1, task_id: id, run_id: 5 }));
  return async () => Response.json({ place, is_gap: isGap, data });
}

const ANY = { collaboration: null, task: null, run: null };

function hear(count: number): Promise<Change[]> {
  const heard: Change[] = [];
  return new Promise((done) => {
    const stop = onChange((change) => {
      heard.push(change);
      if (heard.length < count) return;
      stop();
      done(heard);
    });
  });
}

afterEach(() => {
  answers.length = 0;
  asked.length = 0;
});

test("each request goes on where the last answer ended", async () => {
  answers.push(reply("7-0", []), reply("8-0", [3]), reply("9-0", [4]));
  expect(await hear(3)).toEqual([
    ANY,
    { collaboration: 1, task: 3, run: 5 },
    { collaboration: 1, task: 4, run: 5 },
  ]);
  expect(asked.slice(0, 3)).toEqual(["", "?after=7-0&wait=25", "?after=8-0&wait=25"]);
});

test("a place that is gone means that anything may have changed", async () => {
  answers.push(reply("7-0", []), reply("0-0", [], true));
  expect(await hear(2)).toEqual([ANY, ANY]);
});

test("no change is lost while the server does not answer", async () => {
  const away = async () => {
    throw new TypeError("Failed to fetch");
  };
  answers.push(reply("7-0", []), away, reply("8-0", [3]));
  expect(await hear(2)).toEqual([ANY, { collaboration: 1, task: 3, run: 5 }]);
  expect(asked.slice(1, 3)).toEqual(["?after=7-0&wait=25", "?after=7-0&wait=25"]);
});

test("what changed before the first place is not lost: a page was read earlier", async () => {
  answers.push(reply("7-0", []));
  expect(await hear(1)).toEqual([ANY]);
});

test("a token that the server could not exchange now does not end the waiting", async () => {
  const expired = async () =>
    Response.json({ code: "token_expired", msg: "The token has expired." }, { status: 401 });
  answers.push(reply("7-0", []), expired, reply("8-0", [3]));
  expect(await hear(2)).toEqual([ANY, { collaboration: 1, task: 3, run: 5 }]);
});
