import { render } from "preact";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Refusal } from "../src/api/client";
import { Lost } from "../src/api/connection";
import { type Rule, Rights } from "../src/api/rights";
import { rights } from "../src/api/permissions";
import { Names } from "../src/pages/admin/names";
import { About } from "../src/pages/admin/User";
import { divide } from "../src/pages/home/mine";
import { canStop } from "../src/pages/tasks/BulkBar";
import type { Task } from "../src/pages/tasks/columns";
import { Confirm } from "../src/ui/Dialog";
import { Refused } from "../src/ui/Loading";

// jsdom draws no dialogs.
HTMLDialogElement.prototype.showModal ??= function (this: HTMLDialogElement) {
  this.open = true;
};

let place: HTMLElement;

beforeEach(() => {
  place = document.body.appendChild(document.createElement("div"));
});

afterEach(() => {
  render(null, place);
  place.remove();
  rights.value = null;
});

function button(name: string): HTMLButtonElement {
  const found = [...place.querySelectorAll("button")].find((one) => one.textContent === name);
  if (!found) throw new Error(`There is no button ${name}.`);
  return found;
}

function hold(rule: Rule): void {
  rights.value = new Rights([rule], new Set([rule.id]), {
    user: 1,
    organization: 1,
    collaborations: new Set([1]),
    partners: new Set([1]),
  });
}

test("a dialog stays while its deed runs, does it once, and shows its error", async () => {
  const close = vi.fn();
  let refuse: (error: Error) => void = () => {};
  const act = vi.fn(() => new Promise<void>((_, reject) => (refuse = reject)));
  render(<Confirm title="Delete?" deed="Delete" what={[]} act={act} close={close} />, place);
  button("Delete").click();
  button("Delete").click();
  await vi.waitFor(() => expect(button("Cancel").disabled).toBe(true));
  place.querySelector("dialog")?.dispatchEvent(new Event("cancel", { cancelable: true }));
  expect(close).not.toHaveBeenCalled();
  expect(act).toHaveBeenCalledOnce();
  refuse(new Error("It is in use."));
  await vi.waitFor(() => expect(place.textContent).toContain("It is in use."));
  button("Cancel").click();
  expect(close).toHaveBeenCalledOnce();
});

test("only a refusal is called one, and the others say what happened", () => {
  const said = (error: Error) => {
    render(<Refused refusal={error} />, place);
    return place.textContent;
  };
  const refused = "The server refuses this";
  const next = "Ask your administrator";
  expect(said(new Refusal(403, "forbidden", "You may not."))).toContain(`${refused}You may not.`);
  expect(place.textContent).toContain(next);
  const others: [Error, string][] = [
    [new Error("This card has no such function."), "This cannot be shownThis card has no such"],
    [new Refusal(503, "busy", "Too much at once."), "cannot answer this nowToo much at once."],
    [new Refusal(429, "too_many", "Too much at once."), "cannot answer this now"],
    [new Refusal(401, "token_expired", "The token has expired."), "did not renew your session"],
    [new Lost(), "The server does not answer"],
  ];
  for (const [error, words] of others) {
    expect(said(error)).toContain(words);
    expect(place.textContent).not.toContain(refused);
    expect(place.textContent).not.toContain(next);
  }
});

function task(id: number, status: string, complete: boolean): Task {
  const link = (of: number) => ({ id: of, link: "", methods: [] });
  return {
    id,
    run_id: id,
    name: "",
    description: "",
    image: "",
    database: "",
    initiator: 1,
    init_user: 1,
    collaboration: link(1),
    parent: null,
    children: [],
    created_at: null,
    finished_at: null,
    complete,
    status,
    results: [],
  };
}

test("a task that failed at one station and computes at another runs", () => {
  const mixed = [task(1, "completed", true), task(2, "failed", false), task(3, "active", false)];
  const { running, last } = divide([...mixed, ...mixed]);
  expect(running.map(({ id }) => id)).toEqual([3, 2]);
  expect(last.map(({ id }) => id)).toEqual([1]);
});

test("a task that failed at one station and computes at another can be stopped", () => {
  hold({ id: 1, name: "event", operation: "CREATE", scope: "COLLABORATION", description: "" });
  expect(canStop(task(1, "failed", false))).toBe(true);
  expect(canStop(task(1, "failed", true))).toBe(false);
});

test("an address that the server cannot take away is not emptied", () => {
  hold({ id: 1, name: "user", operation: "EDIT", scope: "ORGANIZATION", description: "" });
  const organization = { id: 1, link: "", methods: [] };
  const needsAddress = (email: string | null) => {
    const user = {
      id: 2,
      type: "user",
      username: "anna",
      firstname: "",
      lastname: "",
      email,
      status: null,
      last_seen: null,
      ip: null,
      organization,
      roles: [],
      rules: [],
      created_tasks: [],
    };
    const subject = { user: 2, organization: 1, rules: [] };
    const names = new Names([], [], []);
    render(<About user={user} names={names} subject={subject} changed={() => {}} />, place);
    return place.querySelector<HTMLInputElement>("[name=email]")?.required;
  };
  expect(needsAddress("anna@example.org")).toBe(true);
  expect(needsAddress(null)).toBe(false);
});
