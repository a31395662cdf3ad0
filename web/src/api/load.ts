import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { isConnected, Lost } from "./connection";

/** What is known of data that a page asks for; data of an earlier answer stays while asking again. */
type Found<T> =
  | { state: "loading"; data: T | undefined }
  | { state: "ready"; data: T }
  | { state: "refused"; data: undefined; refusal: Error }
  | { state: "lost"; data: T | undefined };

export type Loaded<T> = Found<T> & {
  /** Ask again. */
  reload: () => void;
};

/**
 * Load data for a page, again whenever `needs` change, and when a lost connection is back.
 *
 * `ask` gets a signal that ends its requests when the page no longer wants them:
 * `take(api.GET("/task", { params: { query }, signal }))`. Show the outcome with `<Show from={…}>`.
 */
export function useLoad<T>(
  ask: (signal: AbortSignal) => Promise<T>,
  needs: readonly unknown[],
): Loaded<T> {
  const [found, setFound] = useState<Found<T>>({ state: "loading", data: undefined });
  const [times, setTimes] = useState(0);
  const latest = useRef(ask);
  latest.current = ask;
  const reload = useCallback(() => setTimes((count) => count + 1), []);

  useEffect(() => {
    const given = new AbortController();
    setFound(({ data }) => ({ state: "loading", data }));
    latest.current(given.signal).then(
      (data) => {
        if (!given.signal.aborted) setFound({ state: "ready", data });
      },
      (error: unknown) => {
        if (given.signal.aborted) return;
        setFound(({ data }) =>
          error instanceof Lost
            ? { state: "lost", data }
            : { state: "refused", data: undefined, refusal: asError(error) },
        );
      },
    );
    return () => given.abort();
  }, [...needs, times]);

  const isBack = found.state === "lost" && isConnected.value;
  useEffect(() => {
    if (isBack) reload();
  }, [isBack]);
  return { ...found, reload };
}

export function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
