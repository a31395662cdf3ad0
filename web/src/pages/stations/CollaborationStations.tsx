import { api, takeList, type Schemas } from "../../api/client";
import { useLoad } from "../../api/load";
import type { Names } from "../../api/names";
import { may } from "../../api/permissions";
import { t } from "../../language";
import { Show } from "../../ui/Loading";
import { plainLine } from "../../ui/plain";
import { NodeState } from "../../ui/State";
import { Table, type Column } from "../../ui/Table";
import { ago, moment } from "../../ui/time";
import { groupTold } from "./published";

type Collaboration = Schemas["CollaborationReply"];
type Node = Schemas["NodeShortReply"];
type Config = Schemas["NodeConfigItem"][];

interface Row {
  key: string;
  organization: string;
  node: Node | null;
  /** What the station tells; null where the rules of the user do not show it. */
  config: Config | null;
}

/** One collaboration: its members, and the station of each. */
export function CollaborationStations({
  collaboration,
  names,
}: {
  collaboration: Collaboration;
  names: Names;
}) {
  const { id } = collaboration;
  const rows = useLoad((signal) => listRows(collaboration, names, signal), [id, names]);
  return (
    <section aria-labelledby={`collaboration-${id}`}>
      <h2 id={`collaboration-${id}`}>{plainLine(collaboration.name)}</h2>
      <Show from={rows}>
        {(found) => (
          <>
            <p class="quiet">
              {t(collaboration.encrypted ? "stations.encrypted" : "stations.open")} ·{" "}
              {t("stations.count", countOf(found))}
            </p>
            <Table
              caption={plainLine(collaboration.name)}
              columns={columns()}
              rows={found}
              keyOf={({ key }) => key}
              empty={t("stations.no_members")}
            />
          </>
        )}
      </Show>
    </section>
  );
}

async function listRows(
  { id, organizations }: Collaboration,
  names: Names,
  signal: AbortSignal,
): Promise<Row[]> {
  const query = { collaboration_id: id, page: 1, per_page: 1000 };
  const [short, told] = await Promise.all([
    may("GET /collaboration/{id}/node", { collaboration: id })
      ? takeList(api.GET("/collaboration/{id}/node", { params: { path: { id } }, signal }))
      : null,
    may("GET /node") ? takeList(api.GET("/node", { params: { query }, signal })) : null,
  ]);
  const configs = new Map(told?.rows.map((node) => [node.id, node.config]));
  // Some roles see all stations of a collaboration, but the configuration of their own only.
  const seen: Node[] = short?.rows ?? told?.rows.map((node) => ({ ...node, config: [] })) ?? [];
  const rowOf = (member: number, node: Node | null): Row => ({
    key: node ? `n${node.id}` : `o${member}`,
    organization: plainLine(names.get(member)) || t("tasks.number", { id: member }),
    node,
    config: (node && configs.get(node.id)) ?? null,
  });
  return (organizations ?? []).flatMap(({ id: member }) => {
    const own = seen.filter((node) => node.organization.id === member);
    return own.length > 0 ? own.map((node) => rowOf(member, node)) : [rowOf(member, null)];
  });
}

function countOf(rows: Row[]): { online: number; total: number } {
  const nodes = rows.flatMap(({ node }) => (node ? [node] : []));
  return { online: nodes.filter(({ status }) => status === "online").length, total: nodes.length };
}

function columns(): Column<Row>[] {
  return [
    {
      key: "organization",
      head: t("stations.organization"),
      order: ({ organization }) => organization,
      cell: ({ organization }) => organization,
    },
    {
      key: "station",
      head: t("stations.station"),
      order: ({ node }) => node?.name,
      cell: ({ node }) =>
        node ? plainLine(node.name) : <span class="quiet">{t("stations.no_station")}</span>,
    },
    {
      key: "state",
      head: t("stations.state"),
      order: ({ node }) => node?.status,
      cell: ({ node }) => node && <NodeState status={node.status} />,
    },
    {
      key: "seen",
      head: t("stations.seen"),
      order: ({ node }) => node?.last_seen,
      cell: ({ node }) =>
        node && (
          <time dateTime={node.last_seen ?? ""} title={moment(node.last_seen)}>
            {ago(node.last_seen)}
          </time>
        ),
    },
    {
      key: "told",
      head: t("stations.allows"),
      cell: ({ node, config }) => node && <ToldBy config={config} />,
    },
  ];
}

/** What a station tells of its rules, one line for each. */
function ToldBy({ config }: { config: Config | null }) {
  if (config === null) return <span class="quiet">{t("stations.hidden")}</span>;
  const told = groupTold(config);
  if (told.length === 0) return <span class="quiet">{t("stations.silent")}</span>;
  return (
    <ul class="told">
      {told.map(({ key, label, values }) => (
        <li key={key}>
          <span class="quiet">{label ? t(label) : plainLine(key)}:</span>{" "}
          {values.map(plainLine).join(", ")}
        </li>
      ))}
    </ul>
  );
}
