import { useEffect, useRef } from "preact/hooks";
import { Refusal } from "../../api/client";
import type { Loaded } from "../../api/load";

const PAUSE_MS = 15_000;

/** Tell whether an error may be over soon: the server is busy or restarts, or its answer broke off. */
export function isPassing(error: Error): boolean {
  return !(error instanceof Refusal) || error.status >= 500 || error.status === 429;
}

/** Ask again by itself after an error that may be over soon. */
export function useRetry({ reload, ...found }: Loaded<unknown>): void {
  const refusal = found.state === "refused" && isPassing(found.refusal) ? found.refusal : undefined;
  useEffect(() => {
    if (!refusal) return undefined;
    const wanted = refusal instanceof Refusal ? (refusal.retryAfter ?? 0) * 1000 : 0;
    const timer = setTimeout(reload, Math.max(PAUSE_MS, wanted));
    return () => clearTimeout(timer);
  }, [refusal]);
}

/** Return what is known, or was known before an error that may be over soon. */
export function useKept<T>(found: Loaded<T>): T | undefined {
  const last = useRef<T | undefined>(undefined);
  if (found.data !== undefined) last.current = found.data;
  else if (found.state === "refused" && !isPassing(found.refusal)) last.current = undefined;
  return last.current;
}
