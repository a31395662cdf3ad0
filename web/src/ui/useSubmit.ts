import type { TargetedSubmitEvent } from "preact";
import { useState } from "preact/hooks";
import { asError } from "../api/load";

export interface Submission {
  /** For `<form onSubmit={…}>`. */
  submit: (event: TargetedSubmitEvent<HTMLFormElement>) => Promise<void>;
  isBusy: boolean;
  error: Error | null;
  clear: () => void;
}

/** Send a form: once at a time, and with the error of a refusal to show beside it. */
export function useSubmit(send: (form: HTMLFormElement) => Promise<void>): Submission {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<Error | null>(null);

  async function submit(event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    if (isBusy) return;
    const form = event.currentTarget;
    setBusy(true);
    setError(null);
    try {
      await send(form);
    } catch (failure) {
      setError(asError(failure));
    } finally {
      setBusy(false);
    }
  }

  return { submit, isBusy, error, clear: () => setError(null) };
}
