import { api, take, takeList, type Schemas } from "../../api/client";
import { may, reachesAll } from "../../api/permissions";
import { user as me } from "../../api/session";
import { t } from "../../language";
import { plainLine } from "../../ui/plain";

type Organization = Schemas["OrganizationReply"];
type Collaboration = Schemas["CollaborationReply"];
type Role = Schemas["RoleReply"];
export type Node = Schemas["NodeReply"];
/** A user as it is read; one key is always null and left out. */
export type User = Omit<Schemas["UserReply"], "otp_secret">;

/** What lists refer to by number, as far as the user may see it. */
export class Names {
  constructor(
    readonly organizations: readonly Organization[],
    readonly collaborations: readonly Collaboration[],
    readonly roles: readonly Role[],
  ) {}

  organization(id: number | null | undefined): string {
    return nameOf(this.organizations, id, "admin.organization.number");
  }

  collaboration(id: number | null | undefined): string {
    return nameOf(this.collaborations, id, "admin.collaboration.number");
  }

  role(id: number): string {
    return nameOf(this.roles, id, "admin.role.number");
  }
}

type Kind = "organizations" | "collaborations" | "roles";

/** Read the names of some kinds of objects; those that the user may not list stay numbers. */
export async function readNames(signal: AbortSignal, ...kinds: Kind[]): Promise<Names> {
  const query = {};
  const [organizations, collaborations, roles] = await Promise.all([
    kinds.includes("organizations") && may("GET /organization")
      ? takeList(api.GET("/organization", { params: { query }, signal }))
      : nothing,
    kinds.includes("collaborations") && may("GET /collaboration")
      ? takeList(api.GET("/collaboration", { params: { query }, signal }))
      : nothing,
    kinds.includes("roles") ? takeList(api.GET("/role", { params: { query }, signal })) : nothing,
  ]);
  return new Names(organizations.rows, collaborations.rows, roles.rows);
}

/**
 * Read a user, or null if there is none that one may see.
 *
 * Whether it is within reach depends on its organization, which only the list tells without a
 * refusal.
 */
export async function readUser(id: number, signal: AbortSignal): Promise<User | null> {
  if (id === me.value?.id || reachesAll("user", "VIEW"))
    return take(api.GET("/user/{id}", { params: { path: { id } }, signal }));
  if (!may("GET /user")) return null;
  const { rows } = await takeList(api.GET("/user", { params: { query: {} }, signal }));
  return rows.find((row) => row.id === id) ?? null;
}

/** Read a node, or null if there is none that one may see. */
export async function readNode(id: number, signal: AbortSignal): Promise<Node | null> {
  if (reachesAll("node", "VIEW"))
    return take(api.GET("/node/{id}", { params: { path: { id } }, signal }));
  const { rows } = await takeList(api.GET("/node", { params: { query: {} }, signal }));
  return rows.find((row) => row.id === id) ?? null;
}

const nothing = { rows: [], total: 0 };

function nameOf(
  rows: readonly { id: number; name: string }[],
  id: number | null | undefined,
  unknown: "admin.organization.number" | "admin.collaboration.number" | "admin.role.number",
): string {
  if (id == null) return t("admin.none");
  const found = rows.find((row) => row.id === id);
  return found ? plainLine(found.name) : t(unknown, { id });
}
