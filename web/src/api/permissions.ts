/**
 * What the signed-in user may do. Each page asks here before it shows a button or sends a request,
 * so that no button answers with a refusal. The server decides again at each request.
 */
import { effect, signal } from "@preact/signals";
import { allows, type RequestName, type Subject } from "./allowed";
import { api, take } from "./client";
import { Rights, type Operation } from "./rights";
import { user } from "./session";

/** The rights of the signed-in user; null until they are known. */
export const rights = signal<Rights | null>(null);
/** Why they are not known, if they could not be read. */
export const rightsError = signal<Error | null>(null);

/** Whether the user may send a request about a subject; false until the rights are known. */
export function may(request: RequestName, subject: Subject = {}): boolean {
  return rights.value !== null && allows(rights.value, request, subject);
}

/** Whether the user may send a task somewhere. */
export function maySendTasks(): boolean {
  const places = [...(rights.value?.place.collaborations ?? [])];
  return places.some((collaboration) => may("POST /task", { collaboration }));
}

/** Whether the user may do something to all objects of a kind. */
export function reachesAll(name: string, operation: Operation): boolean {
  return rights.value?.reachesEverything(name, operation) ?? false;
}

/** The organization of the user, or null. */
export function ownOrganization(): number | null {
  return rights.value?.place.organization ?? null;
}

/** Read the rules and the place of the user anew: after a change of roles or members. */
export async function loadRights(): Promise<void> {
  const me = user.value;
  if (!me) return;
  try {
    const [all, roles] = await Promise.all([
      take(api.GET("/rule", { params: { query: {} } })),
      take(api.GET("/role", { params: { query: { user_id: me.id } } })),
    ]);
    const held = new Set((me.rules ?? []).map(({ id }) => id));
    for (const role of rows(roles)) for (const { id } of role.rules ?? []) held.add(id);
    const organization = me.organization?.id ?? null;
    const alone = new Rights(rows(all), held, {
      user: me.id,
      organization,
      collaborations: new Set(),
      partners: new Set(),
    });
    const found = new Rights(rows(all), held, { ...alone.place, ...(await readPlace(alone)) });
    // Another user may have signed in meanwhile.
    if (user.value?.id !== me.id) return;
    rights.value = found;
    rightsError.value = null;
  } catch (error) {
    rightsError.value = error instanceof Error ? error : new Error(String(error));
  }
}

/** Read which collaborations the organization of the user is in, and with which others. */
async function readPlace(alone: Rights) {
  const collaborations = new Set<number>();
  const partners = new Set<number>();
  const organization = alone.place.organization;
  if (organization === null) return { collaborations, partners };
  if (allows(alone, "GET /collaboration")) {
    const query = { organization_id: organization };
    for (const one of rows(await take(api.GET("/collaboration", { params: { query } })))) {
      collaborations.add(one.id);
      for (const { id } of one.organizations ?? []) partners.add(id);
    }
  } else if (allows(alone, "GET /organization/{id}", { organization })) {
    const params = { path: { id: organization } };
    const home = await take(api.GET("/organization/{id}", { params }));
    for (const { id } of home.collaborations ?? []) collaborations.add(id);
  }
  return { collaborations, partners };
}

/** The rows of a list, with or without its envelope. */
function rows<T>(list: readonly T[] | { data: readonly T[] }): readonly T[] {
  return "data" in list ? list.data : list;
}

/** Ids of the rules that some roles and rules grant together, for `Subject.rules`. */
export function rulesOf(
  roles: readonly { rules: readonly { id: number }[] | null }[],
  rules: readonly { id: number }[] | null = null,
): Set<number> {
  const links = [...roles.flatMap((role) => role.rules ?? []), ...(rules ?? [])];
  return new Set(links.map(({ id }) => id));
}

effect(() => {
  if (user.value) void loadRights();
  else {
    rights.value = null;
    rightsError.value = null;
  }
});
