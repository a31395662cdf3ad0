import { expect, test } from "vitest";
import {
  addressOf,
  isFiltered,
  NO_FILTERS,
  parametersOf,
  readFilters,
} from "../src/pages/tasks/filters";

function read(address: string) {
  return readFilters(Object.fromEntries(new URL(address, "http://here").searchParams));
}

test("the address of the list keeps every filter", () => {
  const filters = {
    text: "a & b %",
    collaboration: 2,
    status: "failed",
    isMine: true,
    withSubTasks: true,
    page: 3,
    size: 100,
  };
  expect(read(addressOf(filters))).toEqual(filters);
  expect(addressOf(NO_FILTERS)).toBe("/app/tasks");
  expect(read("/app/tasks")).toEqual(NO_FILTERS);
});

test("an address that makes no sense shows the whole list", () => {
  const odd = "/app/tasks?collaboration=-1&status=%3Cscript%3E&page=1e9&size=7&mine=yes";
  expect(read(odd)).toEqual(NO_FILTERS);
});

test("the server is asked for one page, and for no sub-tasks unless they are wanted", () => {
  expect(parametersOf(NO_FILTERS, 7)).toEqual({
    page: 1,
    per_page: 25,
    include: ["metadata"],
    is_sub_task: false,
  });
  const query = parametersOf({ ...NO_FILTERS, isMine: true, withSubTasks: true, text: "x" }, 7);
  expect(query).toMatchObject({ init_user_id: 7, name: "%x%" });
  expect(query).not.toHaveProperty("is_sub_task");
});

test("another page is no filter", () => {
  expect(isFiltered({ ...NO_FILTERS, page: 2, size: 100 })).toBe(false);
  expect(isFiltered({ ...NO_FILTERS, isMine: true })).toBe(true);
});
