import { afterEach, expect, test, vi } from "vitest";

// As in a browser: paths belong to the address of the page.
vi.stubGlobal(
  "Request",
  class extends Request {
    constructor(path: RequestInfo | URL, init?: RequestInit) {
      super(typeof path === "string" ? new URL(path, "http://localhost") : path, init);
    }
  },
);
const { loadPlaces } = await import("../src/pages/new/place");

/** What the server answers, by the end of the path. */
const answers: Record<string, () => Response> = {};
const asked: string[] = [];
const { signal } = new AbortController();

vi.stubGlobal("fetch", async (request: Request) => {
  const { pathname, search } = new URL(request.url);
  asked.push(pathname.replace(/^\/api/, "") + search);
  const found = Object.entries(answers).find(([path]) => pathname.endsWith(path));
  return (
    found?.[1]() ?? Response.json({ code: "not_found", msg: "There is none." }, { status: 404 })
  );
});

afterEach(() => {
  asked.length = 0;
  for (const path of Object.keys(answers)) delete answers[path];
});

test("all places and their members are read by two requests", async () => {
  const links = (...ids: number[]) => ids.map((id) => ({ id, link: "", methods: [] }));
  answers["/collaboration"] = () =>
    Response.json([
      { id: 1, name: "north", encrypted: true, organizations: links(7, 8) },
      { id: 2, name: "south", encrypted: false, organizations: links(8, 9) },
    ]);
  answers["/organization"] = () =>
    Response.json([7, 8].map((id) => ({ id, name: `of ${id}`, public_key: `key ${id}` })));
  const member = (id: number) => ({ id, name: `of ${id}`, publicKey: `key ${id}` });
  expect(await loadPlaces(7, signal)).toEqual([
    { id: 1, name: "north", isEncrypted: true, members: [member(7), member(8)] },
    // The user does not see the organization 9.
    { id: 2, name: "south", isEncrypted: false, members: [member(8)] },
  ]);
  expect(asked).toEqual(["/collaboration?organization_id=7", "/organization"]);
});
