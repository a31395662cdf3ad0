import { t } from "../language";
import type { Key } from "../language";

export type StateKind = "waiting" | "running" | "good" | "bad" | "warning" | "off";

/** Each kind has a shape of its own: colour alone would tell nothing to some readers. */
const SHAPES: Record<StateKind, string> = {
  waiting: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2zm0 1.5a4.5 4.5 0 1 1 0 9 4.5 4.5 0 0 1 0-9z",
  running: "M4 2.5 13 8l-9 5.5z",
  good: "m6.2 12.6-4-4 1.5-1.5 2.5 2.5 6.1-6.1 1.5 1.5z",
  bad: "m3.5 2 4.5 4.5L12.5 2 14 3.5 9.5 8l4.5 4.5-1.5 1.5L8 9.5 3.5 14 2 12.5 6.5 8 2 3.5z",
  warning: "M8 1.5 15 14H1zm-.8 4.5v4h1.6V6zm0 5v1.6h1.6V11z",
  off: "M2 7h12v2H2z",
};

/** A state as a shape and a text. */
export function State({ kind, text }: { kind: StateKind; text: string }) {
  return (
    <span class={`state ${kind}`}>
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d={SHAPES[kind]} fill-rule="evenodd" />
      </svg>
      {text}
    </span>
  );
}

const TASK_KINDS: Record<string, StateKind> = {
  pending: "waiting",
  initializing: "running",
  active: "running",
  completed: "good",
  "killed by user": "off",
  "not allowed": "warning",
  unknown: "off",
};

/** The states in which a task or result can still change. */
export function isOpen(status: string | null | undefined): boolean {
  return status === "pending" || status === "initializing" || status === "active";
}

/** The state of a task, or of its result at one station. */
export function TaskState({ status }: { status: string }) {
  return <State kind={TASK_KINDS[status] ?? "bad"} text={wordOf(status)} />;
}

/** Whether a station is there. */
export function NodeState({ status }: { status: string | null | undefined }) {
  const isOnline = status === "online";
  return (
    <State kind={isOnline ? "good" : "off"} text={t(isOnline ? "state.online" : "state.offline")} />
  );
}

const WORDS: Record<string, Key> = {
  pending: "state.pending",
  initializing: "state.initializing",
  active: "state.active",
  completed: "state.completed",
  failed: "state.failed",
  "start failed": "state.start failed",
  "non-existing Docker image": "state.non-existing Docker image",
  crashed: "state.crashed",
  "killed by user": "state.killed by user",
  "not allowed": "state.not allowed",
  "unknown error": "state.unknown error",
};

/** The word for a status as the API writes it. */
export function wordOf(status: string): string {
  return t(WORDS[status] ?? "state.unknown");
}
