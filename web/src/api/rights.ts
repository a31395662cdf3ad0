/** What a user may do, weighed as the server weighs it; the server has the last word. */

export type Operation = "VIEW" | "CREATE" | "EDIT" | "DELETE";
export type Scope = "OWN" | "ORGANIZATION" | "COLLABORATION" | "GLOBAL";

/** One thing that a holder may do to one kind of objects, and how far it reaches. */
export interface Rule {
  id: number;
  /** The kind of objects: `node`, `task` and so on. */
  name: string;
  operation: Operation;
  scope: Scope;
  description: string;
}

/** What a user wants to do something to, as far as scopes of rules tell it apart. */
export interface Target {
  /** The organization that it belongs to. */
  organization?: number | null | undefined;
  /** The collaboration that it belongs to. */
  collaboration?: number | null | undefined;
  /** The organization that it belongs to, where sharing a collaboration with that is enough. */
  partner?: number | null | undefined;
  /** The user that it is. */
  user?: number | null | undefined;
}

/** Where a user stands: its organization, and those that it shares a collaboration with. */
export interface Place {
  user: number;
  organization: number | null;
  collaborations: ReadonlySet<number>;
  partners: ReadonlySet<number>;
}

/** Kinds that belong to an organization or to members who agreed on them. */
const owned = new Set(["user", "role", "node", "organization", "collaboration"]);
/** What nobody owns: names and public keys are for all, and what is new is free. */
const free = new Set(["organization VIEW", "organization CREATE", "collaboration CREATE"]);

/** The rules that a user holds, and where that user stands. */
export class Rights {
  private readonly names: ReadonlySet<string>;
  /** Whether the user holds every rule but those about function cards. */
  readonly hasEverything: boolean;

  constructor(
    /** Every rule of the server. */
    readonly all: readonly Rule[],
    /** Ids of the rules that the user holds. */
    readonly held: ReadonlySet<number>,
    readonly place: Place,
  ) {
    this.names = new Set(
      all
        .filter(({ id }) => held.has(id))
        .map((rule) => naming(rule.name, rule.operation, rule.scope)),
    );
    this.hasEverything =
      all.length > 0 && all.every(({ id, name }) => name === "algorithm" || held.has(id));
  }

  holds(name: string, operation: Operation, scope: Scope): boolean {
    return this.names.has(naming(name, operation, scope));
  }

  /** Whether a rule is held in one of some scopes. */
  holdsSome(name: string, operation: Operation, ...scopes: Scope[]): boolean {
    return scopes.some((scope) => this.holds(name, operation, scope));
  }

  /** Whether each of some rules is held, so that the user may give and take them. */
  holdsAll(rules: Iterable<number>): boolean {
    return [...rules].every((id) => this.held.has(id));
  }

  /** Whether scope GLOBAL reaches all objects of a kind, which for owned kinds needs every rule. */
  reachesEverything(name: string, operation: Operation): boolean {
    const isFree = !owned.has(name) || free.has(`${name} ${operation}`);
    return this.holds(name, operation, "GLOBAL") && (isFree || this.hasEverything);
  }

  may(name: string, operation: Operation, target: Target = {}): boolean {
    if (this.reachesEverything(name, operation)) return true;
    const { organization, collaboration, partner, user } = target;
    const isNear = this.holds(name, operation, "GLOBAL");
    const isShared = collaboration != null && this.place.collaborations.has(collaboration);
    const isPartner =
      partner != null && (this.place.partners.has(partner) || partner === this.place.organization);
    const isHome = organization != null && organization === this.place.organization;
    if ((isNear || this.holds(name, operation, "COLLABORATION")) && (isShared || isPartner))
      return true;
    if ((isNear || this.holds(name, operation, "ORGANIZATION")) && (isShared || isHome))
      return true;
    return user != null && user === this.place.user && this.holds(name, operation, "OWN");
  }
}

function naming(name: string, operation: Operation, scope: Scope): string {
  return `${name} ${operation} ${scope}`;
}
