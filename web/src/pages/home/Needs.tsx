import { useState } from "preact/hooks";
import { api, take, takeList, type Schemas } from "../../api/client";
import { useLoad } from "../../api/load";
import { loadRights, may } from "../../api/permissions";
import { user } from "../../api/session";
import { t } from "../../language";
import { Confirm } from "../../ui/Dialog";
import { Show } from "../../ui/Loading";
import { Notice } from "../../ui/Notice";
import { plainLine } from "../../ui/plain";
import { State } from "../../ui/State";
import { ago } from "../../ui/time";
import { useDeed } from "../../ui/useDeed";

type Invitation = Schemas["InvitationReply"];

interface Props {
  collaborations: Schemas["CollaborationReply"][];
  organizations: Schemas["OrganizationReply"][];
  reload: () => void;
}

/** What waits for the user: invitations, an own station that is away, a key that is missing. */
export function Needs({ collaborations, organizations, reload }: Props) {
  const own = user.value?.organization?.id ?? null;
  const home = organizations.find(({ id }) => id === own);
  const lacksKey = home?.public_key === "" && collaborations.some(({ encrypted }) => encrypted);
  const needs = useLoad((signal) => listNeeds(own, signal), [own]);

  function answered(): void {
    void loadRights().then(reload);
    needs.reload();
  }

  return (
    <section>
      <h2>{t("home.needs")}</h2>
      <Show from={needs}>
        {({ invitations, offline }) =>
          invitations.length + offline.length + Number(lacksKey) === 0 ? (
            <p>
              <State kind="good" text={t("home.nothing_needed")} />
            </p>
          ) : (
            <ul class="needs">
              {lacksKey && <Need text={t("home.no_key")} />}
              {offline.map((node) => (
                <Need
                  key={node.id}
                  text={t("home.station_offline", {
                    name: plainLine(node.name),
                    ago: ago(node.last_seen),
                  })}
                />
              ))}
              {invitations.map((one) => (
                <Invited key={one.id} invitation={one} answered={answered} />
              ))}
            </ul>
          )
        }
      </Show>
    </section>
  );
}

function Need({ text }: { text: string }) {
  return (
    <li class="need">
      <State kind="warning" text={text} />
    </li>
  );
}

async function listNeeds(own: number | null, signal: AbortSignal) {
  if (own === null) return { invitations: [], offline: [] };
  const query = { organization_id: own, page: 1, per_page: 100 };
  const [invitations, nodes] = await Promise.all([
    may("GET /invitation")
      ? takeList(api.GET("/invitation", { params: { query }, signal }))
      : { rows: [] },
    may("GET /node")
      ? takeList(api.GET("/node", { params: { query: { ...query, status: "offline" } }, signal }))
      : { rows: [] },
  ]);
  // One that was never started is no fault yet.
  return { invitations: invitations.rows, offline: nodes.rows.filter((node) => node.last_seen) };
}

/** An invitation of the own organization, to accept or to decline where the rules allow it. */
function Invited({ invitation, answered }: { invitation: Invitation; answered: () => void }) {
  const [isDeclining, setDeclining] = useState(false);
  const { act, isBusy, error } = useDeed();
  const { collaboration } = invitation;
  const name = plainLine(collaboration.name);
  const members = collaboration.organizations.map((one) => plainLine(one.name)).join(", ");
  const subject = { organization: invitation.organization.id, collaboration: collaboration.id };
  const path = { id: invitation.id };
  const text = t(members ? "home.invited" : "home.invited_alone", {
    name,
    members,
    encryption: t(collaboration.encrypted ? "stations.encrypted" : "stations.open"),
  });

  function accept(): Promise<void> {
    return act(async () => {
      await take(api.POST("/invitation/{id}/accept", { params: { path } }));
      answered();
    });
  }

  return (
    <li class="need">
      <State kind="waiting" text={text} />
      {error && <Notice kind="error">{error.message}</Notice>}
      <span class="actions">
        {may("POST /invitation/{id}/accept", subject) && (
          <button
            type="button"
            class="small"
            aria-label={t("home.accept_named", { name })}
            disabled={isBusy}
            onClick={accept}
          >
            {t("home.accept")}
          </button>
        )}
        {may("DELETE /invitation/{id}", subject) && (
          <button
            type="button"
            class="plain small"
            aria-label={t("home.decline_named", { name })}
            disabled={isBusy}
            onClick={() => setDeclining(true)}
          >
            {t("home.decline")}
          </button>
        )}
      </span>
      {isDeclining && (
        <Confirm
          title={t("home.decline_title")}
          deed={t("home.decline")}
          what={[name]}
          act={() => take(api.DELETE("/invitation/{id}", { params: { path } })).then(answered)}
          close={() => setDeclining(false)}
        >
          <p>{t("home.decline_text")}</p>
        </Confirm>
      )}
    </li>
  );
}
