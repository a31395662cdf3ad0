import { api, takeList } from "../../api/client";
import { STATES } from "../tasks/filters";
import type { Task } from "../tasks/columns";

/** So many of the own tasks stand on the first page; the list of tasks has all. */
const MOST = 10;

/** The own tasks that run, and the last ones that ended. */
export interface Mine {
  running: Task[];
  last: Task[];
}

/** Read the newest of the tasks that a user sent, of each state. */
export async function listMine(me: number, signal: AbortSignal): Promise<Mine> {
  const ask = async (status?: string) => {
    const query = {
      init_user_id: me,
      is_sub_task: false,
      page: 1,
      per_page: MOST,
      ...(status && { status }),
    };
    return (await takeList(api.GET("/task", { params: { query }, signal }))).rows;
  };
  // A task that nobody computes is in none of the states, and among all only.
  return divide((await Promise.all([ask(), ...STATES.map(ask)])).flat());
}

/**
 * Return which of some tasks run and which ended, the newest first and each once.
 *
 * The state alone does not tell: a task has failed as soon as one station has, while others compute.
 */
export function divide(tasks: readonly Task[]): Mine {
  const each = [...new Map(tasks.map((task) => [task.id, task])).values()];
  each.sort((one, other) => other.id - one.id);
  return {
    running: each.filter(({ complete }) => !complete).slice(0, MOST),
    last: each.filter(({ complete }) => complete).slice(0, MOST),
  };
}
