import { expect, test } from "vitest";
import { readCard } from "../src/cards/card";
import { user } from "../src/api/session";
import { keyFingerprint } from "../src/crypto";
import { familiarityOf, rememberEncrypted, rememberKeys } from "../src/pages/new/known_keys";
import { keepDraft } from "../src/pages/new/New";
import { receiving } from "../src/pages/new/Review";
import { sealTask } from "../src/pages/new/send";
import { draft, inputOf, nameOf, receiversOf, startDraft } from "../src/pages/new/draft";
import { findListed, isOfCard } from "../src/pages/new/fill";
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

const usual = {
  isRetired: false,
  canEncrypt: true,
  maySend: true,
  hasKey: false,
  wasEncrypted: false,
  readable: new Set([1, 2, 3]),
};

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
    blocksOf(recipientsOf(startDraft(listed, { receivers }), place, 1, stations), place, {
      ...usual,
      isRetired,
      canEncrypt,
    });
  expect(blocks([1])).toEqual([]);
  expect(blocks([2])).toEqual([]);
  expect(blocks([])).toEqual(["no_receiver"]);
  expect(blocks([3])).toEqual(["no_station", "no_key"]);
  expect(blocks([1], true)).toEqual(["retired"]);
  expect(blocks([1], false, false)).toEqual(["insecure"]);
});

test("a task is held back where the rules forbid it, or a key of a receiver cannot be read", () => {
  const [first, second] = recipientsOf(
    startDraft(listed, { receivers: [1, 2] }),
    place,
    1,
    stations,
  );
  if (!first || !second) throw new Error("There are two.");
  expect(blocksOf([first], place, { ...usual, maySend: false })).toEqual(["not_allowed"]);
  const some = { ...usual, readable: new Set([1]) };
  expect(blocksOf([first, second], place, some)).toEqual(["key_unread"]);
  expect(blocksOf([first, { ...second, isReceiver: false }], place, some)).toEqual([]);
});

test("no input is sent in plain text with a key, or where it was encrypted before", async () => {
  localStorage.clear();
  const open = { ...place, isEncrypted: false };
  const task = startDraft(listed, { receivers: [1], values: { column: "age" } });
  const recipients = recipientsOf(task, open, 1, stations);
  const blocks = (more: object) => blocksOf(recipients, open, { ...usual, ...more });
  expect(blocks({ hasKey: true })).toEqual(["plain_with_key"]);
  expect(blocks({ wasEncrypted: true })).toEqual(["plain_now"]);
  expect((await sealTask(task, open, recipients)).body.organizations[0]?.input).toMatch(/^anNvbi/);
  rememberEncrypted(open.id);
  await expect(sealTask(task, open, recipients)).rejects.toMatchObject({ code: "plain_now" });
  localStorage.clear();
  keyFingerprint.value = "aa";
  await expect(sealTask(task, open, recipients)).rejects.toMatchObject({ code: "plain_with_key" });
  keyFingerprint.value = null;
});

test("only the keys of receivers are remembered, and a changed one after it was compared", () => {
  localStorage.clear();
  const found = new Map([
    [1, "new"],
    [2, "new"],
  ]);
  rememberKeys(new Map([[1, "old"]]), false);
  rememberKeys(found, false);
  expect(familiarityOf(1, "old")).toBe("known");
  expect(familiarityOf(2, "new")).toBe("known");
  rememberKeys(found, true);
  expect(familiarityOf(1, "new")).toBe("known");
  const asked = recipientsOf(startDraft(listed, { receivers: [2] }), place, 2, stations);
  const all = new Map([
    [1, "a"],
    [2, "b"],
    [3, "c"],
  ]);
  expect([...receiving(asked, all)]).toEqual([[2, "b"]]);
});

test("a draft is gone when its user signs out, and no late answer replaces it", () => {
  const made = { id: 1 } as NonNullable<typeof user.value>;
  const late = new AbortController();
  user.value = made;
  keepDraft(startDraft(null, { image: "a" }), "by=hand", late.signal);
  late.abort();
  keepDraft(startDraft(null, { image: "b" }), "by=hand", late.signal);
  expect(draft.value?.image).toBe("a");
  user.value = null;
  expect(draft.value).toBeNull();
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

test("the card of the very image is found first, and another one is told from it", () => {
  const of = (id: number, digest: string) => ({
    ...listed,
    entry: { ...entry, id, images: [{ reference: "a/spread:1", digest }] },
  });
  const [newer, older] = [of(2, "sha256:22"), of(1, "sha256:11")];
  const input = { method: "central", kwargs: {}, master: true };
  expect(findListed([newer, older], "a/spread:1@sha256:11", input)).toBe(older);
  expect(findListed([newer, older], "a/spread:1@sha256:33", input)).toBe(newer);
  expect(isOfCard("a/spread:1@sha256:33", newer.entry)).toBe(false);
  expect(isOfCard("b/spread:1@sha256:22", newer.entry)).toBe(false);
  expect(isOfCard("a/spread@sha256:22", newer.entry)).toBe(true);
  expect(isOfCard("a/spread:1", newer.entry)).toBe(true);
  expect(isOfCard("a/spread:2", newer.entry)).toBe(false);
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
  rememberKeys(new Map([[1, "aa"]]), false);
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
    // As a server could send it: types are not checked while the page runs.
    collaboration: JSON.parse('"7)\\nimport os #"'),
    isEncrypted: true,
    receivers: [1],
    name: "spread",
  });
  expect(script).toContain('client = Client("https://server.example", 443, "/api")');
  expect(script.split("\n").filter((line) => line.startsWith("import"))).toEqual([]);
});
