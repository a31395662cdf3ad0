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

export type Block =
  | "no_receiver"
  | "no_station"
  | "no_key"
  | "key_unread"
  | "retired"
  | "insecure"
  | "not_allowed"
  | "plain_with_key"
  | "plain_now";

/** What else is known before a task is sent. */
export interface Circumstances {
  isRetired: boolean;
  canEncrypt: boolean;
  /** Whether the rules of the user allow tasks in the collaboration. */
  maySend: boolean;
  /** Whether a private key is loaded. */
  hasKey: boolean;
  /** Whether this browser has known the collaboration as encrypted. */
  wasEncrypted: boolean;
  /** Organizations whose public key could be read. */
  readable: ReadonlySet<number>;
}

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
export function blocksOf(recipients: Recipient[], place: Place, known: Circumstances): Block[] {
  const receivers = recipients.filter(({ isReceiver }) => isReceiver);
  const { canEncrypt, hasKey, wasEncrypted, readable } = known;
  const blocks: Block[] = [];
  if (!known.maySend) blocks.push("not_allowed");
  if (!receivers.length) blocks.push("no_receiver");
  if (receivers.some(({ station }) => station === "missing")) blocks.push("no_station");
  if (known.isRetired) blocks.push("retired");
  if (place.isEncrypted) {
    if (receivers.some(({ publicKey }) => !publicKey)) blocks.push("no_key");
    if (!canEncrypt) blocks.push("insecure");
    else if (receivers.some(({ id, publicKey }) => publicKey && !readable.has(id)))
      blocks.push("key_unread");
  } else {
    // SECURITY: the server alone says that a collaboration is not encrypted.
    if (hasKey) blocks.push("plain_with_key");
    if (wasEncrypted) blocks.push("plain_now");
  }
  return blocks;
}
