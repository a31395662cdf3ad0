import type { Schemas } from "../../api/client";
import type { RequestName, Subject } from "../../api/allowed";
import { may, rulesOf } from "../../api/permissions";
import { t } from "../../language";
import { plainLine } from "../../ui/plain";
import { Tick } from "./forms";

type Role = Schemas["RoleReply"];

interface Props {
  roles: readonly Role[];
  /** The organization of the user that gets them. */
  organization: number | null;
  chosen: ReadonlySet<number>;
  change: (chosen: ReadonlySet<number>) => void;
  /** The request that gives a role, and what it is about. */
  request: RequestName;
  subject: Subject;
}

/** Roles for the programs of stations and algorithms, which are of no use to people. */
const OF_PROGRAMS = new Set(["container", "node"]);

/** The roles that a user of an organization may have; those with rules that one lacks are closed. */
export function RoleChoice({ roles, organization, chosen, change, request, subject }: Props) {
  const usable = roles.filter(
    (role) =>
      chosen.has(role.id) ||
      (role.organization ? role.organization.id === organization : !OF_PROGRAMS.has(role.name)),
  );
  function choose(id: number, isOn: boolean): void {
    const next = new Set(chosen);
    if (isOn) next.add(id);
    else next.delete(id);
    change(next);
  }
  return (
    <fieldset class="choices">
      <legend>{t("admin.roles")}</legend>
      <small class="hint">{t("admin.user.roles.hint")}</small>
      {usable.map((role) => {
        const isOff = !may(request, { ...subject, rules: rulesOf([role]) });
        return (
          <Tick
            key={role.id}
            name={`role-${role.id}`}
            label={plainLine(role.name)}
            hint={isOff ? t("admin.user.role.beyond") : plainLine(role.description)}
            isOn={chosen.has(role.id)}
            isOff={isOff}
            change={(isOn) => choose(role.id, isOn)}
          />
        );
      })}
    </fieldset>
  );
}
