import type { ComponentChildren } from "preact";
import { useEffect, useErrorBoundary } from "preact/hooks";
import { t } from "../language";
import { Notice } from "../ui/Notice";

interface Props {
  /** With other data the content is drawn again. */
  of: unknown;
  /** What is shown in place of what cannot be drawn, beside a sentence that says so. */
  otherwise?: ComponentChildren;
  children: ComponentChildren;
}

/** SECURITY: data of others that cannot be drawn takes away no more than its own place. */
export function Guarded({ of, otherwise, children }: Props) {
  const [error, reset] = useErrorBoundary((found: unknown) => console.error(found));
  useEffect(() => {
    if (error) reset();
  }, [of]);
  if (!error) return <>{children}</>;
  return (
    <>
      <Notice kind="warning">{t("views.not_drawn")}</Notice>
      {otherwise}
    </>
  );
}
