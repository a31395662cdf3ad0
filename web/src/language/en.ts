import { admin } from "./en/admin";
import { adminNodes } from "./en/admin_nodes";
import { adminPeople } from "./en/admin_people";
import { app } from "./en/app";
import { crypto } from "./en/crypto";
import { home } from "./en/home";
import { me } from "./en/me";
import { newTask } from "./en/new";
import { shelf } from "./en/shelf";
import { signIn } from "./en/sign_in";
import { stations } from "./en/stations";
import { tasks } from "./en/tasks";
import { task } from "./en/task";
import { views } from "./en/views";

/**
 * Every text of the pages; `{name}` is replaced. Other languages may lack entries.
 *
 * Each area has a file in `en/`, named like its folder in `pages/`; its keys begin with that name.
 */
export const en = {
  ...admin,
  ...adminNodes,
  ...adminPeople,
  ...app,
  ...crypto,
  ...home,
  ...me,
  ...newTask,
  ...shelf,
  ...signIn,
  ...stations,
  ...tasks,
  ...task,
  ...views,
} as const;
