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

/** Return the collaborations of an organization, with their members, in two requests and one each. */
export async function loadPlaces(organization: number | undefined, signal: AbortSignal) {
  const query = organization === undefined ? {} : { organization_id: organization };
  const all = rowsOf(await take(api.GET("/collaboration", { params: { query }, signal })));
  return Promise.all(all.map((one) => loadPlace(one, signal)));
}

async function loadPlace(
  { id, name, encrypted }: Schemas["CollaborationReply"],
  signal: AbortSignal,
): Promise<Place> {
  const query = { collaboration_id: id };
  const members = rowsOf(await take(api.GET("/organization", { params: { query }, signal })));
  return {
    id,
    name,
    isEncrypted: encrypted,
    members: members.map((one) => ({ id: one.id, name: one.name, publicKey: one.public_key })),
  };
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
