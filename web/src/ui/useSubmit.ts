import type { TargetedSubmitEvent } from "preact";
import { useDeed } from "./useDeed";

export interface Submission {
  /** For `<form onSubmit={…}>`. */
  submit: (event: TargetedSubmitEvent<HTMLFormElement>) => Promise<void>;
  isBusy: boolean;
  error: Error | null;
}

/** Send a form: once at a time, and with the error of a refusal to show beside it. */
export function useSubmit(send: (form: HTMLFormElement) => Promise<void>): Submission {
  const { act, isBusy, error } = useDeed();

  async function submit(event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> {
    event.preventDefault();
    const form = event.currentTarget;
    await act(() => send(form));
  }

  return { submit, isBusy, error };
}
