import { useLoad } from "../../api/load";
import { listCollaborations, listOrganizations, namesOf } from "../../api/names";
import { may, rights } from "../../api/permissions";
import { user } from "../../api/session";
import { t } from "../../language";
import { Show } from "../../ui/Loading";
import { Page } from "../../ui/Page";
import { plainLine } from "../../ui/plain";
import { Collaborations } from "./Collaborations";
import { MyTasks } from "./MyTasks";
import { Needs } from "./Needs";

/** The first page: what needs the user, what runs, and where the user takes part. */
export default function Home() {
  const me = user.value;
  const place = useLoad(
    async (signal) => {
      const [collaborations, organizations] = await Promise.all([
        listCollaborations(signal),
        listOrganizations(signal),
      ]);
      const mine = rights.value?.place.collaborations;
      const own = me?.organization
        ? collaborations.filter(({ id }) => mine?.has(id))
        : collaborations;
      return { own, names: namesOf(collaborations), organizations };
    },
    [me?.id],
  );
  const name = plainLine(me?.firstname || me?.username);
  return (
    <Page title={t("home.title")}>
      <p class="lead">{t("home.hello", { name })}</p>
      <Show from={place}>
        {({ own, names, organizations }) => (
          <>
            <Needs collaborations={own} organizations={organizations} reload={place.reload} />
            {may("GET /task") && (
              <MyTasks collaborations={names} organizations={namesOf(organizations)} />
            )}
            <Collaborations rows={own} />
          </>
        )}
      </Show>
    </Page>
  );
}
