import { useLocation } from "preact-iso";
import type { Schemas } from "../../api/client";
import { useLoad } from "../../api/load";
import { listCollaborations, listOrganizations, namesOf } from "../../api/names";
import { t } from "../../language";
import { Empty, Show } from "../../ui/Loading";
import { Page } from "../../ui/Page";
import { Pages } from "../../ui/Pages";
import { CollaborationStations } from "./CollaborationStations";

/** So many collaborations stand on a page: each asks the server for its stations. */
const PER_PAGE = 5;

/** The stations of the collaborations that the user may see. */
export default function Stations() {
  const { query, route } = useLocation();
  const known = useLoad(async (signal) => {
    const [collaborations, organizations] = await Promise.all([
      listCollaborations(signal),
      listOrganizations(signal),
    ]);
    return { collaborations, names: namesOf(organizations) };
  }, []);
  const wanted = Number(query["collaboration"]);
  const page = Math.max(1, Math.trunc(Number(query["page"])) || 1);
  return (
    <Page title={t("stations.title")}>
      <p>{t("stations.text")}</p>
      <Show from={known}>
        {({ collaborations, names }) => {
          const chosen = wanted ? collaborations.filter(({ id }) => id === wanted) : collaborations;
          if (chosen.length === 0) return <Empty text={t("stations.none")} />;
          return (
            <>
              {pageOf(chosen, page).map((one) => (
                <CollaborationStations key={one.id} collaboration={one} names={names} />
              ))}
              {chosen.length > PER_PAGE && (
                <Pages
                  page={page}
                  perPage={PER_PAGE}
                  total={chosen.length}
                  go={(to) => route(`/app/stations?page=${to}`)}
                />
              )}
            </>
          );
        }}
      </Show>
    </Page>
  );
}

function pageOf(
  rows: Schemas["CollaborationReply"][],
  page: number,
): Schemas["CollaborationReply"][] {
  return rows.slice((page - 1) * PER_PAGE, page * PER_PAGE);
}
