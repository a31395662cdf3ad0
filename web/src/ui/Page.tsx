import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useLocation } from "preact-iso";
import { settings } from "../api/settings";

interface Props {
  title: string;
  /** Buttons and links that belong to the whole page. */
  actions?: ComponentChildren;
  children: ComponentChildren;
}

/** A page: its heading, which is also the title of the tab and gets the focus at navigation. */
export function Page({ title, actions, children }: Props) {
  const { path } = useLocation();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · ${settings.name}`;
  }, [title]);
  // Screen readers and the keyboard go on at the new page, not at the link that led there.
  useEffect(() => heading.current?.focus({ preventScroll: true }), [path]);
  return (
    <>
      <div class="heading">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {actions && <div class="actions">{actions}</div>}
      </div>
      {children}
    </>
  );
}
