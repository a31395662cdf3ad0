import type { Schemas } from "../../api/client";
import { t } from "../../language";
import { plainLine } from "../../ui/plain";
import { Table, type Column } from "../../ui/Table";

type Collaboration = Schemas["CollaborationReply"];

/** The collaborations in which the organization of the user takes part. */
export function Collaborations({ rows }: { rows: Collaboration[] }) {
  return (
    <section>
      <h2>{t("home.collaborations")}</h2>
      <Table
        caption={t("home.collaborations")}
        columns={columns()}
        rows={rows}
        keyOf={({ id }) => id}
        empty={t("home.no_collaborations")}
      />
    </section>
  );
}

function columns(): Column<Collaboration>[] {
  return [
    {
      key: "name",
      head: t("home.collaboration"),
      order: ({ name }) => name,
      cell: ({ name }) => plainLine(name),
    },
    {
      key: "encrypted",
      head: t("home.encryption"),
      cell: ({ encrypted }) => t(encrypted ? "stations.encrypted" : "stations.open"),
    },
    {
      key: "members",
      head: t("home.members"),
      isNumber: true,
      cell: ({ organizations }) => organizations?.length ?? 0,
    },
    {
      key: "open",
      head: t("home.open"),
      cell: ({ id, name }) => (
        <span class="actions">
          <a
            href={`/app/tasks?collaboration=${id}`}
            aria-label={t("home.tasks_named", { name: plainLine(name) })}
          >
            {t("home.tasks_of")}
          </a>
          <a
            href={`/app/stations?collaboration=${id}`}
            aria-label={t("home.stations_named", { name: plainLine(name) })}
          >
            {t("home.stations_of")}
          </a>
        </span>
      ),
    },
  ];
}
