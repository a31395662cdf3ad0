import type { Operation, Rights, Scope, Target } from "./rights";
import type { paths } from "./schema";

/** What a request is about; a page names what it knows of it. */
export interface Subject extends Target {
  /** Ids of the rules that a user or a role has, is given, and loses. */
  rules?: Iterable<number> | undefined;
  /** Ids of all organizations that a request is about. */
  organizations?: readonly number[] | undefined;
}

type Weigh = (rights: Rights, subject: Subject) => boolean;
type Method = "GET" | "POST" | "PATCH" | "DELETE";
type Path = `${Method} ${keyof paths}`;

const anybody: Weigh = () => true;

/** A list that shows what is within reach. */
function lists(name: string, ...scopes: Scope[]): Weigh {
  return (rights) => rights.holdsSome(name, "VIEW", "GLOBAL", ...scopes);
}

/** Something that belongs to an organization. */
function of(name: string, operation: Operation): Weigh {
  return (rights, { organization }) => rights.may(name, operation, { organization });
}

/** Something that belongs to a collaboration. */
function within(name: string, operation: Operation): Weigh {
  return (rights, { collaboration }) => rights.may(name, operation, { collaboration });
}

/** Something that partners in a collaboration may look at. */
function near(name: string): Weigh {
  return (rights, { organization }) =>
    rights.may(name, "VIEW", { organization, partner: organization });
}

function both(...weighs: Weigh[]): Weigh {
  return (rights, subject) => weighs.every((weigh) => weigh(rights, subject));
}

function either(...weighs: Weigh[]): Weigh {
  return (rights, subject) => weighs.some((weigh) => weigh(rights, subject));
}

const oneself: Weigh = ({ place }, { user }) => user === place.user;
const another: Weigh = (rights, subject) => !oneself(rights, subject);
const holdsRules: Weigh = (rights, { rules }) => rights.holdsAll(rules ?? []);
/** An account is changed by one with the same rules, or by itself. */
const asStrong = either(oneself, holdsRules);

const changesUser: Weigh = (rights, { organization, user }) =>
  rights.may("user", "EDIT", { organization, user });
const removesUser: Weigh = (rights, { organization, user }) =>
  rights.may("user", "DELETE", { organization, user });
const administersUser = both(another, of("user", "EDIT"), holdsRules);
/** A server-wide role stays as it is. */
const isOfOrganization: Weigh = (_, { organization }) => organization != null;
const seesNode: Weigh = (rights, { organization, collaboration }) => {
  const isShared = collaboration != null && rights.place.collaborations.has(collaboration);
  return rights.may("node", "VIEW", { organization, partner: isShared ? organization : null });
};
/** Encryption is changed for the own organization alone, unless all collaborations are reached. */
const speaksForAll: Weigh = (rights, { organizations = [] }) =>
  rights.reachesEverything("collaboration", "EDIT") ||
  organizations.every((id) => id === rights.place.organization);
const agreesForAll: Weigh = (rights, { organizations = [] }) =>
  organizations.every((organization) => rights.may("organization", "EDIT", { organization }));
const isHome: Weigh = ({ place }, { organization }) =>
  organization != null && organization === place.organization;
const isMember: Weigh = ({ place }, { collaboration }) =>
  place.organization != null && collaboration != null && place.collaborations.has(collaboration);
/** Ended by a sender or a receiver, or by one who may end all that its collaborations compute. */
const endsTask: Weigh = (rights, { collaboration, organizations = [] }) => {
  if (rights.reachesEverything("event", "CREATE")) return true;
  if (collaboration == null || !rights.place.collaborations.has(collaboration)) return false;
  if (rights.holds("event", "CREATE", "COLLABORATION")) return true;
  const own = rights.place.organization;
  return (
    own !== null &&
    organizations.includes(own) &&
    rights.may("event", "CREATE", { organization: own })
  );
};
const endsTasksOfNode: Weigh = (rights, { organization, collaboration }) =>
  (rights.holds("event", "CREATE", "COLLABORATION") &&
    collaboration != null &&
    rights.place.collaborations.has(collaboration)) ||
  rights.may("event", "CREATE", { organization });

/**
 * Who may send which request, as the server answers it (`tests/api/permissions.txt`).
 *
 * A text after the path names a kind of body that asks for more.
 */
const requests = {
  "GET /organization": lists("organization", "COLLABORATION", "ORGANIZATION"),
  "GET /organization/{id}": near("organization"),
  "POST /organization": (rights) => rights.may("organization", "CREATE"),
  "PATCH /organization/{id}": of("organization", "EDIT"),
  "PATCH /organization/{id} public key": both(isHome, of("organization", "EDIT")),
  "GET /organization/{id}/collaboration": of("collaboration", "VIEW"),
  "GET /organization/{id}/node": of("node", "VIEW"),

  "GET /collaboration": lists("collaboration", "ORGANIZATION"),
  "GET /collaboration/{id}": within("collaboration", "VIEW"),
  "POST /collaboration": both((rights) => rights.may("collaboration", "CREATE"), agreesForAll),
  "PATCH /collaboration/{id}": within("collaboration", "EDIT"),
  "PATCH /collaboration/{id} encryption": both(within("collaboration", "EDIT"), speaksForAll),
  "DELETE /collaboration/{id}": within("collaboration", "DELETE"),
  "GET /collaboration/{id}/organization": both(
    within("collaboration", "VIEW"),
    lists("organization", "COLLABORATION", "ORGANIZATION"),
  ),
  "POST /collaboration/{id}/organization": both(
    within("collaboration", "EDIT"),
    of("organization", "EDIT"),
  ),
  "DELETE /collaboration/{id}/organization": within("collaboration", "DELETE"),
  "GET /collaboration/{id}/node": both(
    within("collaboration", "VIEW"),
    lists("node", "ORGANIZATION"),
  ),
  "POST /collaboration/{id}/node": both(within("collaboration", "EDIT"), of("node", "EDIT")),
  "DELETE /collaboration/{id}/node": both(within("collaboration", "EDIT"), of("node", "EDIT")),
  "GET /collaboration/{id}/task": within("task", "VIEW"),

  "GET /invitation": lists("collaboration", "ORGANIZATION"),
  "POST /invitation": within("collaboration", "EDIT"),
  "DELETE /invitation/{id}": either(within("collaboration", "EDIT"), of("organization", "EDIT")),
  "POST /invitation/{id}/accept": of("organization", "EDIT"),

  "GET /user": lists("user", "ORGANIZATION"),
  "GET /user/{id}": either(oneself, near("user")),
  "POST /user": both(of("user", "CREATE"), holdsRules),
  "PATCH /user/{id}": both(changesUser, asStrong),
  "PATCH /user/{id} roles": both(another, changesUser, holdsRules),
  "DELETE /user/{id}": both(removesUser, asStrong),
  "DELETE /user/{id}/2fa": administersUser,
  "GET /session": either(oneself, administersUser),
  "DELETE /session": either(oneself, administersUser),
  "DELETE /session/{id}": either(oneself, administersUser),

  "GET /role": anybody,
  "POST /role": both(of("role", "CREATE"), holdsRules),
  "PATCH /role/{id}": both(isOfOrganization, of("role", "EDIT")),
  "PATCH /role/{id} rules": both(isOfOrganization, of("role", "EDIT"), holdsRules),
  "DELETE /role/{id}": both(isOfOrganization, of("role", "DELETE"), holdsRules),
  "POST /role/{id}/rule/{rule_id}": both(isOfOrganization, of("role", "EDIT"), holdsRules),
  "DELETE /role/{id}/rule/{rule_id}": both(isOfOrganization, of("role", "DELETE"), holdsRules),
  "GET /rule": anybody,

  "GET /node": lists("node", "ORGANIZATION"),
  "GET /node/{id}": seesNode,
  "POST /node": of("node", "CREATE"),
  "PATCH /node/{id}": of("node", "EDIT"),
  "DELETE /node/{id}": of("node", "DELETE"),
  "POST /recover/node": of("node", "EDIT"),

  "GET /task": lists("task", "ORGANIZATION"),
  "GET /task/{id}": within("task", "VIEW"),
  "GET /task/{id}/status": within("task", "VIEW"),
  "GET /task/{id}/result": both(within("result", "VIEW"), lists("result", "ORGANIZATION")),
  "POST /task": both(isMember, within("task", "CREATE")),
  "DELETE /task/{id}": within("task", "DELETE"),
  "POST /kill/task": endsTask,
  "POST /kill/node/tasks": endsTasksOfNode,
  "GET /result": lists("result", "ORGANIZATION"),
  "GET /result/{id}": within("result", "VIEW"),

  "GET /algorithm": lists("algorithm", "ORGANIZATION"),
  "GET /algorithm/match": both(
    lists("algorithm", "ORGANIZATION"),
    (rights, { collaboration }) =>
      rights.reachesEverything("algorithm", "VIEW") ||
      (collaboration != null && rights.place.collaborations.has(collaboration)),
  ),
  "POST /algorithm": within("algorithm", "CREATE"),
  // `user` is the author of a draft, and nobody's for what was reviewed.
  "PATCH /algorithm/{id} document": changesCard("EDIT"),
  "PATCH /algorithm/{id} state": within("algorithm", "EDIT"),
  "DELETE /algorithm/{id}": changesCard("DELETE"),
} as const satisfies Partial<Record<Path | `${Path} ${string}`, Weigh>>;

function changesCard(operation: Operation): Weigh {
  return (rights, { collaboration, user }) =>
    rights.may("algorithm", operation, { collaboration, user });
}

export type RequestName = keyof typeof requests;

export const requestNames = Object.keys(requests);

/** Whether the server would not refuse a request for want of a rule. */
export function allows(rights: Rights, request: RequestName, subject: Subject = {}): boolean {
  return requests[request](rights, subject);
}
