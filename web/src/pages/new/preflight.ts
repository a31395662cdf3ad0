/* What is known before a task is sent: which organizations can compute it, and what for whom. */
import { isObject } from "../../cards/card";
import type { TaskDraft } from "./draft";
import { inputOf, isCentral, receiversOf } from "./draft";
import type { Place, PlaceMember, Station } from "./place";

export type StationState = "online" | "offline" | "missing" | "unknown";

export interface Recipient extends PlaceMember {
  /** Whether its station gets the task itself; others are asked by the central function. */
  isReceiver: boolean;
  station: StationState;
  stationName: string;
  lastSeen: string | null;
}

export type Block = "no_receiver" | "no_station" | "no_key" | "retired" | "insecure";

/** Return the organizations that take part, those that get the task first. */
export function recipientsOf(
  task: TaskDraft,
  place: Place,
  own: number | undefined,
  stations: Station[] | null,
): Recipient[] {
  const receivers = receiversOf(task, place, own);
  const asked = isCentral(task) ? askedBy(task, place) : [];
  return place.members
    .filter(({ id }) => receivers.includes(id) || asked.includes(id))
    .map((member) => {
      const station = stations?.find(({ organization }) => organization.id === member.id);
      return {
        ...member,
        isReceiver: receivers.includes(member.id),
        station: stateOf(stations, station),
        stationName: station?.name ?? "",
        lastSeen: station?.last_seen ?? null,
      };
    })
    .sort((left, right) => Number(right.isReceiver) - Number(left.isReceiver));
}

function stateOf(stations: Station[] | null, station: Station | undefined): StationState {
  if (!stations) return "unknown";
  if (!station) return "missing";
  return station.status === "online" ? "online" : "offline";
}

/** A central function asks the organizations of its argument for them, or all. */
function askedBy(task: TaskDraft, place: Place): number[] {
  const all = place.members.map(({ id }) => id);
  const schema = task.listed?.function.arguments;
  const properties = isObject(schema?.properties) ? schema.properties : {};
  const { kwargs } = inputOf(task);
  for (const [name, one] of Object.entries(properties)) {
    if (!isObject(one) || one["x-is"] !== "organizations" || !isObject(kwargs)) continue;
    const given = kwargs[name];
    if (Array.isArray(given)) return all.filter((id) => given.includes(id));
  }
  return all;
}

/** Return why the task cannot be sent; nothing if it can. */
export function blocksOf(
  recipients: Recipient[],
  place: Place,
  isRetired: boolean,
  canEncrypt: boolean,
): Block[] {
  const receivers = recipients.filter(({ isReceiver }) => isReceiver);
  const blocks: Block[] = [];
  if (!receivers.length) blocks.push("no_receiver");
  if (receivers.some(({ station }) => station === "missing")) blocks.push("no_station");
  if (place.isEncrypted && receivers.some(({ publicKey }) => !publicKey)) blocks.push("no_key");
  if (isRetired) blocks.push("retired");
  if (place.isEncrypted && !canEncrypt) blocks.push("insecure");
  return blocks;
}
