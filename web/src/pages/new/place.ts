/* Where a task can go: collaborations, their organizations and stations. */
import { api, type Schemas, take } from "../../api/client";
import { Refusal } from "../../api/client";
import { rowsOf } from "../../cards/load";

export interface PlaceMember {
  id: number;
  name: string;
  publicKey: string;
}

export interface Place {
  id: number;
  name: string;
  isEncrypted: boolean;
  members: PlaceMember[];
}

export type Station = Schemas["NodeShortReply"];

/** Return the collaborations of an organization, with their members, in two requests. */
export async function loadPlaces(
  organization: number | undefined,
  signal: AbortSignal,
): Promise<Place[]> {
  const query = organization === undefined ? {} : { organization_id: organization };
  const [collaborations, organizations] = await Promise.all([
    take(api.GET("/collaboration", { params: { query }, signal })),
    take(api.GET("/organization", { params: { query: {} }, signal })),
  ]);
  return rowsOf(collaborations).map(({ id, name, encrypted, organizations: links }) => {
    const members = new Set((links ?? []).map((link) => link.id));
    return {
      id,
      name,
      isEncrypted: encrypted,
      members: rowsOf(organizations)
        .filter((one) => members.has(one.id))
        .map((one) => ({ id: one.id, name: one.name, publicKey: one.public_key })),
    };
  });
}

/** Return the stations of a collaboration; null where the user may not see them. */
export async function loadStations(id: number, signal: AbortSignal): Promise<Station[] | null> {
  try {
    const params = { path: { id } };
    return rowsOf(await take(api.GET("/collaboration/{id}/node", { params, signal })));
  } catch (error) {
    if (error instanceof Refusal && (error.status === 401 || error.status === 403)) return null;
    throw error;
  }
}
