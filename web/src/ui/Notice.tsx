import type { ComponentChildren } from "preact";

interface Props {
  kind: "info" | "warning" | "error" | "done";
  children: ComponentChildren;
}

/** A message that screen readers read out when it appears. */
export function Notice({ kind, children }: Props) {
  return (
    <div
      class={`notice ${kind}`}
      role={kind === "error" || kind === "warning" ? "alert" : "status"}
    >
      {children}
    </div>
  );
}
