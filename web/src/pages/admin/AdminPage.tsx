import type { ComponentChildren } from "preact";
import { useLocation } from "preact-iso";
import { loadRights, may, rights, rightsError } from "../../api/permissions";
import type { RequestName } from "../../api/allowed";
import { t, type Key } from "../../language";
import { Loading, Refused } from "../../ui/Loading";
import { Notice } from "../../ui/Notice";
import { Page } from "../../ui/Page";
import "./admin.css";

interface Section {
  path: string;
  name: Key;
  hint: Key;
  needs: RequestName[];
}

/** The parts of the administration; each is shown to users who may ask for it. */
const sections: Section[] = [
  {
    path: "/app/admin/organizations",
    name: "admin.organizations",
    hint: "admin.organizations.hint",
    needs: ["GET /organization"],
  },
  {
    path: "/app/admin/collaborations",
    name: "admin.collaborations",
    hint: "admin.collaborations.hint",
    needs: ["GET /collaboration"],
  },
  {
    path: "/app/admin/users",
    name: "admin.users",
    hint: "admin.users.hint",
    needs: ["GET /user"],
  },
  {
    path: "/app/admin/roles",
    name: "admin.roles",
    hint: "admin.roles.hint",
    needs: ["GET /role"],
  },
  {
    path: "/app/admin/nodes",
    name: "admin.nodes",
    hint: "admin.nodes.hint",
    needs: ["GET /node"],
  },
];

/** The parts that the user may open. */
export function openSections(): Section[] {
  return sections.filter(({ needs }) => needs.every((request) => may(request)));
}

interface Props {
  /** Without one, the content brings a page with its own title: the name of what it shows. */
  title?: string;
  /** The requests without which the page shows nothing. */
  needs: RequestName[];
  actions?: () => ComponentChildren;
  /** Called when the rights are known and suffice. */
  children: () => ComponentChildren;
}

/** A page of the administration: its menu, its heading, and its content if the rules allow it. */
export function AdminPage({ title, needs, actions, children }: Props) {
  const isAllowed = needs.every((request) => may(request));
  return (
    <>
      <Menu />
      {title === undefined && isAllowed ? (
        children()
      ) : (
        <Page title={title ?? t("nav.admin")} actions={isAllowed && actions?.()}>
          {isAllowed ? children() : <Waiting />}
        </Page>
      )}
    </>
  );
}

function Waiting() {
  if (rightsError.value) return <Refused refusal={rightsError.value} again={loadRights} />;
  if (!rights.value) return <Loading />;
  return (
    <Notice kind="warning">
      <strong>{t("admin.closed.title")}</strong>
      <p>{t("admin.closed.next")}</p>
    </Notice>
  );
}

function Menu() {
  const { path } = useLocation();
  return (
    <nav class="sections" aria-label={t("admin.menu")}>
      {openSections().map((section) => (
        <a
          key={section.path}
          href={section.path}
          aria-current={
            path === section.path || path.startsWith(`${section.path}/`) ? "page" : undefined
          }
        >
          {t(section.name)}
        </a>
      ))}
    </nav>
  );
}
