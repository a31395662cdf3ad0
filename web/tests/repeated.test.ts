import { afterEach, beforeEach, expect, test, vi } from "vitest";

const sent: { path: string; key: string | null; body: string }[] = [];
const answers: (Response | null)[] = [];
const api = "http://localhost/api";

vi.stubGlobal("fetch", async (request: Request) => {
  const key = request.headers.get("Idempotency-Key");
  sent.push({ path: new URL(request.url).pathname, key, body: await request.text() });
  const answer = answers.shift();
  if (!answer) throw new TypeError("Failed to fetch");
  return answer;
});

type Module = typeof import("../src/api/repeated");
let module: Module;

beforeEach(async () => {
  vi.resetModules();
  module = await import("../src/api/repeated");
});

afterEach(() => {
  sent.length = 0;
  answers.length = 0;
});

const knowing = () => new Response("{}", { headers: { "X-Idempotency-Seconds": "86400" } });
const task = () => new Request(`${api}/task`, { method: "POST", body: '{"a": 1}' });

test("what creates something gets a key, and keeps the one that it has", () => {
  const keyed = (path: string, method = "POST", headers = {}) => {
    const request = new Request(`${api}/${path}`, { method, headers });
    module.addKey(request);
    return request.headers.get("Idempotency-Key");
  };
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  expect(keyed("task")).toMatch(uuid);
  expect(keyed("role")).not.toBe(keyed("role"));
  expect(keyed("node")).toBeNull();
  expect(keyed("task", "POST", { "Idempotency-Key": "mine" })).toBe("mine");
  expect(keyed("task", "GET")).toBeNull();
  expect(keyed("token/user")).toBeNull();
  expect(keyed("task/1")).toBeNull();
});

test("where no answer comes, the same request goes out twice more", async () => {
  answers.push(knowing());
  await module.deliver(new Request(`${api}/user/1`));
  sent.length = 0;
  const request = task();
  module.addKey(request);
  const key = request.headers.get("Idempotency-Key");
  answers.push(null, null, new Response("{}", { status: 201 }));
  expect((await module.deliver(request)).status).toBe(201);
  expect(sent).toEqual(Array(3).fill({ path: "/api/task", key, body: '{"a": 1}' }));
});

test("a server that never comes back is asked three times", async () => {
  answers.push(knowing());
  await module.deliver(new Request(`${api}/user/1`));
  const request = task();
  module.addKey(request);
  await expect(module.deliver(request)).rejects.toThrow("does not answer");
  expect(sent.length).toBe(1 + 3);
});

test("nothing is repeated without a key, or where the server does not know keys", async () => {
  const keyed = task();
  module.addKey(keyed);
  await expect(module.deliver(keyed)).rejects.toThrow("does not answer");
  expect(sent.length).toBe(1);
  answers.push(knowing());
  await module.deliver(new Request(`${api}/user/1`));
  await expect(module.deliver(task())).rejects.toThrow("does not answer");
  expect(sent.length).toBe(3);
});
