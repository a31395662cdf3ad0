import { may } from "./permissions";
import { api, takeList, type Schemas } from "./client";

/** The most organizations or collaborations that one page names; others stand as their number. */
const MOST = 1000;

/** Names by id. */
export type Names = ReadonlyMap<number, string>;

/** Return the organizations that the user may see; none where the rules show none. */
export async function listOrganizations(
  signal: AbortSignal,
): Promise<Schemas["OrganizationReply"][]> {
  if (!may("GET /organization")) return [];
  const query = { page: 1, per_page: MOST };
  return (await takeList(api.GET("/organization", { params: { query }, signal }))).rows;
}

/** Return the collaborations that the user may see; none where the rules show none. */
export async function listCollaborations(
  signal: AbortSignal,
): Promise<Schemas["CollaborationReply"][]> {
  if (!may("GET /collaboration")) return [];
  const query = { page: 1, per_page: MOST };
  return (await takeList(api.GET("/collaboration", { params: { query }, signal }))).rows;
}

export function namesOf(rows: readonly { id: number; name: string }[]): Names {
  return new Map(rows.map(({ id, name }) => [id, name]));
}
