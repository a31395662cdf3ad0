/** The filters of the list as its address has them: `/app/tasks?collaboration=2&status=failed`. */
export interface Filters {
  text: string;
  collaboration: number | null;
  status: string | null;
  isMine: boolean;
  withSubTasks: boolean;
  page: number;
  size: number;
}

/** The states that a task, other than a result, can be in. */
export const STATES = ["pending", "initializing", "active", "completed", "failed"] as const;
export const SIZES = [25, 100, 1000] as const;

export const NO_FILTERS: Filters = {
  text: "",
  collaboration: null,
  status: null,
  isMine: false,
  withSubTasks: false,
  page: 1,
  size: SIZES[0],
};

/** Read the filters from an address; what makes no sense counts as not there. */
export function readFilters(query: Record<string, string>): Filters {
  return {
    text: query["text"] ?? "",
    collaboration: numberIn(query["collaboration"]),
    status: STATES.find((state) => state === query["status"]) ?? null,
    isMine: query["mine"] === "1",
    withSubTasks: query["sub"] === "1",
    page: numberIn(query["page"]) ?? 1,
    size: SIZES.find((size) => size === numberIn(query["size"])) ?? SIZES[0],
  };
}

/** Write the address of the list with some filters; those that are not set are left out. */
export function addressOf(filters: Partial<Filters>): string {
  const { text, collaboration, status, isMine, withSubTasks, page, size } = {
    ...NO_FILTERS,
    ...filters,
  };
  const query = new URLSearchParams();
  if (text) query.set("text", text);
  if (collaboration !== null) query.set("collaboration", String(collaboration));
  if (status !== null) query.set("status", status);
  if (isMine) query.set("mine", "1");
  if (withSubTasks) query.set("sub", "1");
  if (page > 1) query.set("page", String(page));
  if (size !== SIZES[0]) query.set("size", String(size));
  const written = query.toString();
  return written ? `/app/tasks?${written}` : "/app/tasks";
}

/** Return the parameters of `GET /task` for filters. */
export function parametersOf(filters: Filters, me: number) {
  return {
    page: filters.page,
    per_page: filters.size,
    include: ["metadata"],
    ...(filters.text && { name: `%${filters.text}%` }),
    ...(filters.collaboration !== null && { collaboration_id: filters.collaboration }),
    ...(filters.status !== null && { status: filters.status }),
    ...(filters.isMine && { init_user_id: me }),
    ...(!filters.withSubTasks && { is_sub_task: false }),
  };
}

/** Tell whether anything but the page is filtered. */
export function isFiltered(filters: Filters): boolean {
  return addressOf({ ...filters, page: 1, size: SIZES[0] }) !== addressOf(NO_FILTERS);
}

function numberIn(text: string | undefined): number | null {
  return text !== undefined && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : null;
}
