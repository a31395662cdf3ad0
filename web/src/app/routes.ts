import type { ComponentType } from "preact";
import { lazy, type RouteProps } from "preact-iso";
import { may, maySendTasks } from "../api/permissions";
import type { Key } from "../language";

/** A page: its address below `/app`, its component, and its place in the menu if it has one. */
export interface PageRoute {
  path: string;
  component: RouteProps<object>["component"];
  menu?: Key;
  /** Whether the user may open it; the menu leaves out what the server would refuse. */
  isOpen?: () => boolean;
}

export const routes: PageRoute[] = [
  { path: "/app/", component: page(() => import("../pages/home/Home")), menu: "nav.home" },
  { path: "/app/tasks", component: page(() => import("../pages/tasks/Tasks")), menu: "nav.tasks" },
  {
    path: "/app/shelf",
    component: page(() => import("../pages/shelf/Shelf")),
    menu: "nav.shelf",
    isOpen: () => may("GET /algorithm"),
  },
  { path: "/app/shelf/:id/:name", component: page(() => import("../pages/shelf/FunctionPage")) },
  {
    path: "/app/new",
    component: page(() => import("../pages/new/New")),
    menu: "nav.new",
    isOpen: maySendTasks,
  },
  {
    path: "/app/stations",
    component: page(() => import("../pages/stations/Stations")),
    menu: "nav.stations",
  },
  { path: "/app/me", component: page(() => import("../pages/me/Me")) },
  { path: "/app/tasks/:id", component: page(() => import("../pages/task/Task")) },
  { path: "/app/compare", component: page(() => import("../pages/compare/Compare")) },
  ...administration(),
  { path: "/app/key", component: page(() => import("../pages/key/Key")) },
];

/** Load a page when it is first opened; one that cannot be loaded is said by `Fault`. */
function page(load: () => Promise<{ default: ComponentType }>): PageRoute["component"] {
  return lazy(() =>
    load().catch((error: unknown) => ({
      default: () => {
        throw error;
      },
    })),
  );
}

function administration(): PageRoute[] {
  const at = (path: string, load: Parameters<typeof page>[0]): PageRoute => ({
    path: `/app/admin/${path}`,
    component: page(load),
  });
  return [
    {
      path: "/app/admin/",
      component: page(() => import("../pages/admin/Overview")),
      menu: "nav.admin",
      isOpen: () => may("GET /organization") || may("GET /user") || may("GET /node"),
    },
    at("organizations", () => import("../pages/admin/Organizations")),
    at("organizations/new", () => import("../pages/admin/OrganizationNew")),
    at("organizations/:id", () => import("../pages/admin/Organization")),
    at("collaborations", () => import("../pages/admin/Collaborations")),
    at("collaborations/new", () => import("../pages/admin/CollaborationNew")),
    at("collaborations/:id", () => import("../pages/admin/Collaboration")),
    at("users", () => import("../pages/admin/Users")),
    at("users/new", () => import("../pages/admin/UserNew")),
    at("users/:id", () => import("../pages/admin/User")),
    at("roles", () => import("../pages/admin/Roles")),
    at("roles/new", () => import("../pages/admin/RoleNew")),
    at("roles/:id", () => import("../pages/admin/Role")),
    at("nodes", () => import("../pages/admin/Nodes")),
    at("nodes/new", () => import("../pages/admin/NodeNew")),
    at("nodes/:id", () => import("../pages/admin/Node")),
  ];
}
