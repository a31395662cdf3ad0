import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api, Refusal, take } from "./client";
import { user } from "./session";

/** Something that changed at the server. Null: it may be any; read again what is shown. */
export interface Change {
  collaboration: number | null;
  task: number | null;
  /** The number that a task shares with its sub-tasks. */
  run: number | null;
}

const WAIT_SECONDS = 25;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
const ALL: Change = { collaboration: null, task: null, run: null };

const listeners = new Set<(change: Change) => void>();
let listening: AbortController | null = null;

/**
 * Hear of each change of a task or its results that the user may see; returns how to stop.
 *
 * One request waits at the server for all listeners of a tab. A tab that is not seen waits for
 * nothing, and looks at everything once it is seen again.
 */
export function onChange(listener: (change: Change) => void): () => void {
  listeners.add(listener);
  if (!listening) begin();
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) end();
  };
}

/**
 * Call `reload` after changes that concern a page, as long as that page is shown.
 *
 * Changes within `gather` milliseconds make one call: many results may end at once.
 */
export function useChanges(
  concerns: (change: Change) => boolean,
  reload: () => void,
  gather = 300,
): void {
  const latest = useRef({ concerns, reload });
  latest.current = { concerns, reload };
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = onChange((change) => {
      const isAny = change.collaboration === null;
      if (!isAny && !latest.current.concerns(change)) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        latest.current.reload();
      }, gather);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, []);
}

function begin(): void {
  const given = new AbortController();
  listening = given;
  void listen(given.signal).finally(() => {
    if (listening === given) listening = null;
  });
}

function end(): void {
  listening?.abort();
  listening = null;
}

// The session of another user has other changes.
effect(() => {
  if (!user.value) end();
});

async function listen(signal: AbortSignal): Promise<void> {
  let after: string | undefined;
  let pause = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    if (document.hidden) {
      await untilSeen(signal);
      after = undefined;
      continue;
    }
    try {
      const query = after ? { after, wait: WAIT_SECONDS } : {};
      const answer = await take(api.GET("/change", { params: { query }, signal }));
      // Before the first place, and in a gap, something may have changed after a page was read.
      if (!after || answer.is_gap) tell(ALL);
      after = answer.place;
      pause = FIRST_PAUSE_MS;
      for (const one of answer.data)
        tell({ collaboration: one.collaboration_id, task: one.task_id, run: one.run_id });
    } catch (error) {
      if (signal.aborted || isForbidden(error)) return;
      const wanted = error instanceof Refusal ? (error.retryAfter ?? 0) * 1_000 : 0;
      // Not all tabs of all users in the same moment.
      await rest(Math.max(wanted, pause) * (1 + Math.random() / 2), signal);
      pause = Math.min(2 * pause, LONGEST_PAUSE_MS);
    }
  }
}

function tell(change: Change): void {
  for (const listener of [...listeners]) listener(change);
}

function isForbidden(error: unknown): boolean {
  // A token that ended is exchanged later if the server could not do it now.
  if (!(error instanceof Refusal) || error.code === "token_expired") return false;
  return error.status === 401 || error.status === 403;
}

function untilSeen(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    document.addEventListener("visibilitychange", () => done(), { once: true, signal });
    signal.addEventListener("abort", () => done(), { once: true });
  });
}

function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        done();
      },
      { once: true },
    );
  });
}
