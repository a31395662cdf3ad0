import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { allows, requestNames, type RequestName, type Subject } from "../src/api/allowed";
import { Rights, type Operation, type Rule, type Scope } from "../src/api/rights";

/** The server's own tests hold its answers against the same files. */
const serverTests = join(import.meta.dirname, "../../tests");
const read = (name: string) => readFileSync(join(serverTests, name), "utf8");

const all: Rule[] = read("models/rules.csv")
  .trim()
  .split("\n")
  .map((line, i) => {
    const [name = "", operation, scope] = line.trim().split(",");
    return {
      id: i + 1,
      name,
      operation: operation as Operation,
      scope: scope as Scope,
      description: "",
    };
  });
const defaultRoles: Record<string, number[]> = JSON.parse(read("models/default_roles.json"));
const idOf = (name: string, operation: Operation, scope: Scope) =>
  all.find(
    (rule) => [rule.name, rule.operation, rule.scope].join() === [name, operation, scope].join(),
  )?.id ?? 0;

const [amsterdam, berlin, cairo] = [1, 2, 3];
const [north, south, free, far] = [1, 2, 3, 4];
const [me, colleague, partner, stranger] = [10, 11, 12, 13];
const small = idOf("role", "VIEW", "ORGANIZATION");
const great = idOf("task", "CREATE", "GLOBAL");
const root = defaultRoles["Root"] ?? [];
const viewer = defaultRoles["Viewer"] ?? [];

/** Users are of Amsterdam, which works in the north with Berlin, and alone in `free`. */
function holding(rules: Iterable<number>): Rights {
  return new Rights(all, new Set(rules), {
    user: me,
    organization: amsterdam,
    collaborations: new Set([north, free]),
    partners: new Set([amsterdam, berlin]),
  });
}

const callers = [
  "no role",
  "Viewer",
  "Researcher",
  "Organization Admin",
  "Collaboration Admin",
  "Root",
];
const users: Record<string, Rights> = Object.fromEntries(
  callers.map((caller) => [caller, holding(defaultRoles[caller] ?? [])]),
);

/** What each line of the table asks, in the words of the pages. */
const asked: Record<string, [RequestName, Subject]> = {
  "GET /organization": ["GET /organization", {}],
  "GET /organization/{amsterdam}": ["GET /organization/{id}", { organization: amsterdam }],
  "GET /organization/{berlin}": ["GET /organization/{id}", { organization: berlin }],
  "GET /organization/{cairo}": ["GET /organization/{id}", { organization: cairo }],
  "POST /organization": ["POST /organization", {}],
  "PATCH /organization/{amsterdam}": ["PATCH /organization/{id}", { organization: amsterdam }],
  "PATCH /organization/{berlin}": ["PATCH /organization/{id}", { organization: berlin }],
  "GET /organization/{amsterdam}/collaboration": [
    "GET /organization/{id}/collaboration",
    { organization: amsterdam },
  ],
  "GET /organization/{berlin}/collaboration": [
    "GET /organization/{id}/collaboration",
    { organization: berlin },
  ],
  "GET /organization/{amsterdam}/node": [
    "GET /organization/{id}/node",
    { organization: amsterdam },
  ],
  "GET /organization/{berlin}/node": ["GET /organization/{id}/node", { organization: berlin }],

  "GET /collaboration": ["GET /collaboration", {}],
  "GET /collaboration/{north}": ["GET /collaboration/{id}", { collaboration: north }],
  "GET /collaboration/{south}": ["GET /collaboration/{id}", { collaboration: south }],
  "POST /collaboration": ["POST /collaboration", { organizations: [cairo] }],
  "PATCH /collaboration/{north}": ["PATCH /collaboration/{id}", { collaboration: north }],
  "DELETE /collaboration/{north}": ["DELETE /collaboration/{id}", { collaboration: north }],
  "GET /collaboration/{north}/organization": [
    "GET /collaboration/{id}/organization",
    { collaboration: north },
  ],
  "GET /collaboration/{south}/organization": [
    "GET /collaboration/{id}/organization",
    { collaboration: south },
  ],
  "POST /collaboration/{north}/organization cairo": [
    "POST /collaboration/{id}/organization",
    { collaboration: north, organization: cairo },
  ],
  "DELETE /collaboration/{north}/organization berlin": [
    "DELETE /collaboration/{id}/organization",
    { collaboration: north, organization: berlin },
  ],
  "GET /collaboration/{north}/node": ["GET /collaboration/{id}/node", { collaboration: north }],
  "GET /collaboration/{south}/node": ["GET /collaboration/{id}/node", { collaboration: south }],
  "POST /collaboration/{free}/node of amsterdam": [
    "POST /collaboration/{id}/node",
    { collaboration: free, organization: amsterdam },
  ],
  "DELETE /collaboration/{north}/node of berlin": [
    "DELETE /collaboration/{id}/node",
    { collaboration: north, organization: berlin },
  ],
  "GET /collaboration/{north}/task": ["GET /collaboration/{id}/task", { collaboration: north }],
  "GET /collaboration/{south}/task": ["GET /collaboration/{id}/task", { collaboration: south }],

  "GET /invitation": ["GET /invitation", {}],
  "POST /invitation of cairo to north": [
    "POST /invitation",
    { collaboration: north, organization: cairo },
  ],
  "POST /invitation of amsterdam to south": [
    "POST /invitation",
    { collaboration: south, organization: amsterdam },
  ],
  "DELETE /invitation/{to_us}": [
    "DELETE /invitation/{id}",
    { collaboration: far, organization: amsterdam },
  ],
  "DELETE /invitation/{to_cairo}": [
    "DELETE /invitation/{id}",
    { collaboration: free, organization: cairo },
  ],
  "POST /invitation/{to_us}/accept": [
    "POST /invitation/{id}/accept",
    { collaboration: far, organization: amsterdam },
  ],
  "POST /invitation/{to_cairo}/accept": [
    "POST /invitation/{id}/accept",
    { collaboration: free, organization: cairo },
  ],

  "GET /user": ["GET /user", {}],
  "GET /user/{me}": ["GET /user/{id}", { user: me, organization: amsterdam }],
  "GET /user/{colleague}": ["GET /user/{id}", { user: colleague, organization: amsterdam }],
  "GET /user/{partner}": ["GET /user/{id}", { user: partner, organization: berlin }],
  "GET /user/{stranger}": ["GET /user/{id}", { user: stranger, organization: cairo }],
  "POST /user viewer of amsterdam": ["POST /user", { organization: amsterdam, rules: viewer }],
  "POST /user viewer of berlin": ["POST /user", { organization: berlin, rules: viewer }],
  "POST /user root of amsterdam": ["POST /user", { organization: amsterdam, rules: root }],
  "PATCH /user/{me}": ["PATCH /user/{id}", { user: me, organization: amsterdam }],
  "PATCH /user/{me} as viewer": [
    "PATCH /user/{id} roles",
    { user: me, organization: amsterdam, rules: viewer },
  ],
  "PATCH /user/{colleague}": ["PATCH /user/{id}", { user: colleague, organization: amsterdam }],
  "PATCH /user/{colleague} as viewer": [
    "PATCH /user/{id} roles",
    { user: colleague, organization: amsterdam, rules: viewer },
  ],
  "PATCH /user/{colleague} as root": [
    "PATCH /user/{id} roles",
    { user: colleague, organization: amsterdam, rules: root },
  ],
  "PATCH /user/{partner}": ["PATCH /user/{id}", { user: partner, organization: berlin }],
  "DELETE /user/{me}/2fa": ["DELETE /user/{id}/2fa", { user: me, organization: amsterdam }],
  "DELETE /user/{colleague}/2fa": [
    "DELETE /user/{id}/2fa",
    { user: colleague, organization: amsterdam },
  ],
  "DELETE /user/{stranger}/2fa": ["DELETE /user/{id}/2fa", { user: stranger, organization: cairo }],
  "DELETE /user/{me}": ["DELETE /user/{id}", { user: me, organization: amsterdam }],
  "DELETE /user/{colleague}": ["DELETE /user/{id}", { user: colleague, organization: amsterdam }],
  "DELETE /user/{partner}": ["DELETE /user/{id}", { user: partner, organization: berlin }],
  "GET /session": ["GET /session", { user: me }],
  "DELETE /session": ["DELETE /session", { user: me }],
  "GET /session?user_id={colleague}": [
    "GET /session",
    { user: colleague, organization: amsterdam },
  ],
  "DELETE /session?user_id={colleague}": [
    "DELETE /session",
    { user: colleague, organization: amsterdam },
  ],
  "DELETE /session/{colleague_session}": [
    "DELETE /session/{id}",
    { user: colleague, organization: amsterdam },
  ],

  "GET /role": ["GET /role", {}],
  "POST /role of amsterdam": ["POST /role", { organization: amsterdam, rules: [small] }],
  "POST /role of berlin": ["POST /role", { organization: berlin, rules: [small] }],
  "POST /role of more than one's own": [
    "POST /role",
    { organization: amsterdam, rules: [small, great] },
  ],
  "PATCH /role/{own_role}": ["PATCH /role/{id}", { organization: amsterdam }],
  "PATCH /role/{own_role} to more": [
    "PATCH /role/{id} rules",
    { organization: amsterdam, rules: [small, great] },
  ],
  "PATCH /role/{foreign_role}": ["PATCH /role/{id}", { organization: berlin }],
  "PATCH /role/{viewer_role}": ["PATCH /role/{id}", { organization: null }],
  "DELETE /role/{own_role}": ["DELETE /role/{id}", { organization: amsterdam, rules: [small] }],
  "DELETE /role/{foreign_role}": ["DELETE /role/{id}", { organization: berlin, rules: [small] }],
  "DELETE /role/{viewer_role}": ["DELETE /role/{id}", { organization: null, rules: viewer }],
  "POST /role/{own_role}/rule/{small_rule}": [
    "POST /role/{id}/rule/{rule_id}",
    { organization: amsterdam, rules: [small] },
  ],
  "POST /role/{own_role}/rule/{great_rule}": [
    "POST /role/{id}/rule/{rule_id}",
    { organization: amsterdam, rules: [great] },
  ],
  "POST /role/{foreign_role}/rule/{small_rule}": [
    "POST /role/{id}/rule/{rule_id}",
    { organization: berlin, rules: [small] },
  ],
  "DELETE /role/{own_role}/rule/{small_rule}": [
    "DELETE /role/{id}/rule/{rule_id}",
    { organization: amsterdam, rules: [small] },
  ],
  "DELETE /role/{foreign_role}/rule/{small_rule}": [
    "DELETE /role/{id}/rule/{rule_id}",
    { organization: berlin, rules: [small] },
  ],
  "GET /rule": ["GET /rule", {}],

  "GET /node": ["GET /node", {}],
  "GET /node/{amsterdam_north}": [
    "GET /node/{id}",
    { organization: amsterdam, collaboration: north },
  ],
  "GET /node/{berlin_north}": ["GET /node/{id}", { organization: berlin, collaboration: north }],
  "POST /node of amsterdam": ["POST /node", { organization: amsterdam, collaboration: free }],
  "POST /node of cairo": ["POST /node", { organization: cairo, collaboration: far }],
  "PATCH /node/{amsterdam_north}": ["PATCH /node/{id}", { organization: amsterdam }],
  "PATCH /node/{berlin_north}": ["PATCH /node/{id}", { organization: berlin }],
  "PATCH /node/{amsterdam_north} to free": ["PATCH /node/{id}", { organization: amsterdam }],
  "DELETE /node/{amsterdam_north}": ["DELETE /node/{id}", { organization: amsterdam }],
  "DELETE /node/{berlin_north}": ["DELETE /node/{id}", { organization: berlin }],
  "POST /recover/node of amsterdam": ["POST /recover/node", { organization: amsterdam }],
  "POST /recover/node of cairo": ["POST /recover/node", { organization: cairo }],

  "GET /task": ["GET /task", {}],
  "GET /task/{mine}": ["GET /task/{id}", { collaboration: north }],
  "GET /task/{theirs}": ["GET /task/{id}", { collaboration: south }],
  "GET /task/{mine}/status": ["GET /task/{id}/status", { collaboration: north }],
  "GET /task/{theirs}/status": ["GET /task/{id}/status", { collaboration: south }],
  "GET /task/{mine}/result": ["GET /task/{id}/result", { collaboration: north }],
  "GET /task/{theirs}/result": ["GET /task/{id}/result", { collaboration: south }],
  "POST /task in north": ["POST /task", { collaboration: north }],
  "POST /task in south": ["POST /task", { collaboration: south }],
  "DELETE /task/{mine}": ["DELETE /task/{id}", { collaboration: north }],
  "DELETE /task/{theirs}": ["DELETE /task/{id}", { collaboration: south }],
  "POST /kill/task mine": ["POST /kill/task", { collaboration: north, organizations: [amsterdam] }],
  "POST /kill/task theirs": [
    "POST /kill/task",
    { collaboration: south, organizations: [berlin, cairo] },
  ],
  "POST /kill/node/tasks of amsterdam": [
    "POST /kill/node/tasks",
    { organization: amsterdam, collaboration: north },
  ],
  "POST /kill/node/tasks of berlin": [
    "POST /kill/node/tasks",
    { organization: berlin, collaboration: north },
  ],
  "POST /kill/node/tasks of cairo": [
    "POST /kill/node/tasks",
    { organization: cairo, collaboration: south },
  ],
  "GET /result": ["GET /result", {}],
  "GET /result/{mine_result}": ["GET /result/{id}", { collaboration: north }],
  "GET /result/{theirs_result}": ["GET /result/{id}", { collaboration: south }],

  "GET /algorithm": ["GET /algorithm", {}],
  "GET /algorithm/match?{match_north}": ["GET /algorithm/match", { collaboration: north }],
  "GET /algorithm/match?{match_south}": ["GET /algorithm/match", { collaboration: south }],
  "POST /algorithm in north": ["POST /algorithm", { collaboration: north }],
  "POST /algorithm in south": ["POST /algorithm", { collaboration: south }],
  "POST /algorithm for all": ["POST /algorithm", { collaboration: null }],
  "PATCH /algorithm/{our_card} document": [
    "PATCH /algorithm/{id} document",
    { collaboration: north, user: colleague },
  ],
  "PATCH /algorithm/{our_card} reviewed": ["PATCH /algorithm/{id} state", { collaboration: north }],
  "PATCH /algorithm/{our_card} retired": ["PATCH /algorithm/{id} state", { collaboration: north }],
  "PATCH /algorithm/{their_card} reviewed": [
    "PATCH /algorithm/{id} state",
    { collaboration: south },
  ],
  "PATCH /algorithm/{common_card} retired": [
    "PATCH /algorithm/{id} state",
    { collaboration: null },
  ],
  "DELETE /algorithm/{our_card}": [
    "DELETE /algorithm/{id}",
    { collaboration: north, user: colleague },
  ],
  "DELETE /algorithm/{their_card}": ["DELETE /algorithm/{id}", { collaboration: south }],
  "DELETE /algorithm/{common_card}": ["DELETE /algorithm/{id}", { collaboration: null }],
};

/** Requests with answers that the table does not have; the tests below tell them. */
const elsewhere = ["PATCH /organization/{id} public key", "PATCH /collaboration/{id} encryption"];

const table = read("api/permissions.txt")
  .split("\n")
  .filter((line) => line && !line.startsWith("#"))
  .map((line) => {
    const words = line.trim().split(/\s+/);
    // Columns: nobody, the users, node, algorithm.
    return { line: words.slice(0, -9).join(" "), answers: words.slice(-8, -2) };
  });

describe("the table of the server", () => {
  test("is told for each request that pages ask about", () => {
    expect(Object.keys(asked).filter((line) => !table.some((row) => row.line === line))).toEqual(
      [],
    );
    const told = new Set([
      ...Object.values(asked).map(([request]) => request as string),
      ...elsewhere,
    ]);
    expect(requestNames.filter((request) => !told.has(request))).toEqual([]);
  });

  test.each(table.filter(({ line }) => asked[line]))("agrees about $line", ({ line, answers }) => {
    const [request, subject] = asked[line] ?? expect.fail(line);
    // An answer with a number comes after the rules were weighed, or hides what is there.
    const expected = answers.map((answer) => answer === "+");
    expect(
      callers.map((caller) => allows(users[caller] ?? expect.fail(), request, subject)),
    ).toEqual(expected);
  });
});

test("a public key is changed by users of its organization alone", () => {
  const asks = (caller: string, organization: number) =>
    allows(users[caller] ?? expect.fail(), "PATCH /organization/{id} public key", {
      organization,
    });
  expect(asks("Root", amsterdam)).toBe(true);
  expect(asks("Root", berlin)).toBe(false);
  expect(asks("Viewer", amsterdam)).toBe(false);
});

test("encryption of others' collaborations is changed by the holder of every rule", () => {
  const asks = (caller: string, organizations: number[]) =>
    allows(users[caller] ?? expect.fail(), "PATCH /collaboration/{id} encryption", {
      collaboration: north,
      organizations,
    });
  expect(asks("Root", [amsterdam, berlin])).toBe(true);
  expect(asks("Collaboration Admin", [amsterdam, berlin])).toBe(false);
  expect(asks("Collaboration Admin", [amsterdam])).toBe(true);
});

test("an account with more rules is out of reach, also for an administrator", () => {
  const administrator = users["Organization Admin"] ?? expect.fail();
  const subject = { user: colleague, organization: amsterdam, rules: root };
  for (const request of [
    "PATCH /user/{id}",
    "DELETE /user/{id}",
    "DELETE /user/{id}/2fa",
    "GET /session",
  ] as const) {
    expect(allows(administrator, request, subject), request).toBe(false);
    expect(allows(administrator, request, { ...subject, rules: viewer }), request).toBe(true);
  }
});

test("rules of scope GLOBAL reach all for the holder of all rules but those about cards", () => {
  const decisive = all.filter(({ name }) => name !== "algorithm").map(({ id }) => id);
  expect(holding(decisive).reachesEverything("node", "DELETE")).toBe(true);
  expect(holding(decisive.slice(1)).reachesEverything("node", "DELETE")).toBe(false);
  expect(new Rights([], new Set(), holding([]).place).hasEverything).toBe(false);
});
