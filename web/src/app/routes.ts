import { lazy, type RouteProps } from "preact-iso";
import type { Key } from "../language";

/** A page: its address below `/app`, its component, and its place in the menu if it has one. */
export interface PageRoute {
  path: string;
  component: RouteProps<object>["component"];
  menu?: Key;
}

export const routes: PageRoute[] = [
  { path: "/app/", component: lazy(() => import("../pages/home/Home")), menu: "nav.home" },
  { path: "/app/key", component: lazy(() => import("../pages/key/Key")) },
];
