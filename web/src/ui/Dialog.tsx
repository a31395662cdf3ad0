import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { t } from "../language";
import { Notice } from "./Notice";
import { useDeed } from "./useDeed";

interface DialogProps {
  title: string;
  close: () => void;
  children: ComponentChildren;
}

/** A window of its own: keeps the focus, closes by Escape, gives the focus back. */
export function Dialog({ title, close, children }: DialogProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      // A browser may close it at the second Escape without asking; what is said here must be seen.
      onClose={() => dialog.current?.showModal()}
    >
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

interface ConfirmProps {
  /** The question: "Delete 3 tasks?" */
  title: string;
  /** The name of the button: the deed, such as "Delete 3 tasks"; never "OK". */
  deed: string;
  /** What is destroyed, each by its name. */
  what: string[];
  /** What follows from it: "Their results are gone for all members." */
  children?: ComponentChildren;
  /** Do it; the dialog shows the error of a promise that fails, and stays. */
  act: () => Promise<unknown>;
  close: () => void;
}

/** Names of more things than this are counted only. */
const MOST_NAMED = 10;

/** A question before something is destroyed; names what that is. The focus starts on "Cancel". */
export function Confirm({ title, deed, what, children, act, close }: ConfirmProps) {
  const { act: doOnce, isBusy, error } = useDeed();

  // Closing does not call back a deed that began, and would hide its error.
  function leave(): void {
    if (!isBusy) close();
  }

  function confirm(): Promise<void> {
    return doOnce(async () => {
      await act();
      close();
    });
  }

  return (
    <Dialog title={title} close={leave}>
      <ul class="what">
        {what.slice(0, MOST_NAMED).map((name, at) => (
          <li key={at}>{name}</li>
        ))}
        {what.length > MOST_NAMED && (
          <li>{t("dialog.more", { count: what.length - MOST_NAMED })}</li>
        )}
      </ul>
      {children}
      {error && <Notice kind="error">{error.message}</Notice>}
      <div class="actions end">
        <button type="button" class="plain" disabled={isBusy} onClick={leave} autofocus>
          {t("dialog.cancel")}
        </button>
        <button type="button" class="danger" disabled={isBusy} onClick={confirm}>
          {deed}
        </button>
      </div>
    </Dialog>
  );
}
