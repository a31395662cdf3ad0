import { useRef, useState } from "preact/hooks";
import { asError } from "../api/load";

/** What a form or a button does: at most once at a time, and with its outcome said. */
export interface Deed {
  isBusy: boolean;
  error: Error | null;
  done: string | null;
  /** Do it; the returned text says that it is done. */
  act: (deed: () => Promise<string | void>) => Promise<void>;
}

export function useDeed(): Deed {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);
  const [done, setDone] = useState<string | null>(null);
  // A second click may come before the button is drawn as busy.
  const isActing = useRef(false);

  async function act(deed: () => Promise<string | void>): Promise<void> {
    if (isActing.current) return;
    isActing.current = true;
    setBusy(true);
    setError(null);
    setDone(null);
    try {
      setDone((await deed()) ?? null);
    } catch (failure) {
      setError(asError(failure));
    } finally {
      isActing.current = false;
      setBusy(false);
    }
  }

  return { isBusy, error, done, act };
}
