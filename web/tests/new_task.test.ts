import { expect, test } from "vitest";
import { readCard } from "../src/cards/card";
import { familiarityOf, rememberKeys } from "../src/pages/new/known_keys";
import { inputOf, nameOf, receiversOf, startDraft } from "../src/pages/new/draft";
import { findListed } from "../src/pages/new/fill";
import type { Place, Station } from "../src/pages/new/place";
import { blocksOf, recipientsOf } from "../src/pages/new/preflight";
import { literal, writeScript } from "../src/pages/new/script";
import { openTemplate, writeTemplate } from "../src/pages/new/template";

const card = readCard({
  name: "spread",
  version: "1.0.0",
  functions: [
    {
      name: "central",
      kind: "central",
      arguments: {
        type: "object",
        properties: {
          column: { type: "string", "x-is": "column" },
          who: { type: ["array", "null"], items: { type: "integer" }, "x-is": "organizations" },
        },
        required: ["column"],
      },
    },
  ],
});
const [central] = card.functions;
if (!central) throw new Error("The card has no function.");
const link = { id: 1, link: "", methods: [] };
const entry = {
  id: 1,
  name: "spread",
  version: "1.0.0",
  title: "",
  functions: ["central"],
  images: [{ reference: "registry.example.org:5000/spread:1", digest: null }],
  state: "reviewed" as const,
  reason: null,
  sha256: "",
  collaboration: null,
  organization: link,
  user: null,
  created_at: "",
  changed_at: "",
  reviews: [],
  card: {},
};
const listed = { entry, card, function: central };
const place: Place = {
  id: 7,
  name: "a",
  isEncrypted: true,
  members: [1, 2, 3].map((id) => ({ id, name: `org ${id}`, publicKey: id === 3 ? "" : "key" })),
};
const station = (id: number, status: string): Station => ({
  id,
  name: `node ${id}`,
  status,
  ip: null,
  last_seen: null,
  organization: { ...link, id },
  config: [],
});
const stations = [station(1, "online"), station(2, "offline")];

test("a central function goes to the own station, and asks all others or those it names", () => {
  const task = startDraft(listed, { values: { column: "age" } });
  expect(receiversOf(task, place, 2)).toEqual([2]);
  expect(receiversOf(task, place, 9)).toEqual([1]);
  const asked = recipientsOf(task, place, 2, stations);
  expect(asked.map(({ id, isReceiver, station }) => [id, isReceiver, station])).toEqual([
    [2, true, "offline"],
    [1, false, "online"],
    [3, false, "missing"],
  ]);
  const some = startDraft(listed, { values: { column: "age", who: [1] } });
  expect(recipientsOf(some, place, 2, stations).map(({ id }) => id)).toEqual([2, 1]);
});

test("a task is held back where an organization cannot compute or nothing can be encrypted", () => {
  const blocks = (receivers: number[], isRetired = false, canEncrypt = true) =>
    blocksOf(
      recipientsOf(startDraft(listed, { receivers }), place, 1, stations),
      place,
      isRetired,
      canEncrypt,
    );
  expect(blocks([1])).toEqual([]);
  expect(blocks([2])).toEqual([]);
  expect(blocks([])).toEqual(["no_receiver"]);
  expect(blocks([3])).toEqual(["no_station", "no_key"]);
  expect(blocks([1], true)).toEqual(["retired"]);
  expect(blocks([1], false, false)).toEqual(["insecure"]);
});

test("stations that the user may not see hold nothing back", () => {
  const [found] = recipientsOf(startDraft(listed, { receivers: [1] }), place, 1, null);
  expect(found?.station).toBe("unknown");
});

test("the name of an encrypted task does not tell its function", () => {
  const task = startDraft(listed);
  expect(nameOf(task, true)).toBe("spread");
  expect(nameOf(task, false)).toBe("central");
  expect(nameOf({ ...task, name: " mine " }, true)).toBe("mine");
});

test("an input finds its function by image and name, unless the form could not show all of it", () => {
  const image = "registry.example.org:5000/spread@sha256:00";
  const input = { method: "central", kwargs: { column: "age" }, master: true };
  expect(findListed([listed], image, input)).toBe(listed);
  expect(findListed([listed], image, { ...input, master: false })).toBeNull();
  expect(findListed([listed], image, { ...input, kwargs: { other: 1 } })).toBeNull();
  expect(findListed([listed], "other/spread", input)).toBeNull();
});

test("a template brings a task by hand back as it was", async () => {
  const input = { method: "x", args: [1], kwargs: { a: 1 } };
  const task = startDraft(null, { image: "a/b", raw: JSON.stringify(input), database: "other" });
  const opened = await openTemplate(new File([writeTemplate(task)], "t.json"));
  expect(inputOf(opened)).toEqual(input);
  expect([opened.image, opened.database, opened.source]).toEqual(["a/b", "other", "by=hand"]);
  await expect(openTemplate(new File(["{}"], "t.json"))).rejects.toThrow();
});

test("the key of an organization is new, as before, or changed", () => {
  localStorage.clear();
  expect(familiarityOf(1, "aa")).toBe("new");
  rememberKeys(new Map([[1, "aa"]]));
  expect(familiarityOf(1, "aa")).toBe("known");
  expect(familiarityOf(1, "bb")).toBe("changed");
  localStorage.setItem("vantage6.fingerprints", "no json");
  expect(familiarityOf(1, "aa")).toBe("new");
});

test("a script has the literals of Python, and no text can end one", () => {
  expect(literal({ a: [true, null, 1e-10, 0.5, 2], "b'": '"""\n\u202e😀' })).toBe(
    '{\n    "a": [True, None, 1e-10, 0.5, 2],\n    "b\'": "\\"\\"\\"\\n\\u202e😀",\n}',
  );
  const script = writeScript(startDraft(listed, { values: { column: 'x")\nimport os #' } }), {
    address: "https://server.example",
    apiPath: "/api",
    username: "me",
    collaboration: 7,
    isEncrypted: true,
    receivers: [1],
    name: "spread",
  });
  expect(script).toContain('client = Client("https://server.example", 443, "/api")');
  expect(script.split("\n").filter((line) => line.startsWith("import"))).toEqual([]);
});
