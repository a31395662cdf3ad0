import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { t } from "../../language";
import { plainLine } from "../../ui/plain";
import { Notice } from "../../ui/Notice";
import { pngOf, saveFile, svgOf } from "../files";

interface Props {
  title: string;
  /** What the picture shows, in words and numbers. */
  description: string;
  height: number;
  note?: string | undefined;
  /** Draws into the width that the page has. */
  draw: (width: number) => ComponentChildren;
}

/** Width of a picture before the page is laid out, and the least one. */
const WIDTH = 640;
const LEAST = 280;

/** A picture with its title, a description for screen readers, and buttons to keep it. */
export function Figure({ title, description, height, note, draw }: Props) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const picture = useRef<SVGSVGElement>(null);
  const [width, setWidth] = useState(WIDTH);
  const [hasFailed, setFailed] = useState(false);
  useEffect(() => watchWidth(box.current, setWidth), []);
  const name = plainLine(title);

  async function savePng() {
    try {
      if (picture.current) saveFile(await pngOf(picture.current), `${name}.png`);
      setFailed(false);
    } catch {
      setFailed(true);
    }
  }
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{name}</span>
        <span class="chart-tools">
          <button
            type="button"
            class="plain small"
            aria-label={t("views.save_svg", { name })}
            onClick={() => picture.current && saveFile(svgOf(picture.current), `${name}.svg`)}
          >
            {t("views.svg")}
          </button>
          <button
            type="button"
            class="plain small"
            aria-label={t("views.save_png", { name })}
            onClick={savePng}
          >
            {t("views.png")}
          </button>
        </span>
      </figcaption>
      {hasFailed && <Notice kind="warning">{t("views.png_failed")}</Notice>}
      <div ref={box} class="chart-box">
        <svg
          ref={picture}
          role="img"
          aria-labelledby={`${id}-title`}
          aria-describedby={`${id}-desc`}
          width={width}
          height={height}
          viewBox={`0 0 ${width} ${height}`}
        >
          <title id={`${id}-title`}>{name}</title>
          <desc id={`${id}-desc`}>{plainLine(description)}</desc>
          {draw(width)}
        </svg>
      </div>
      {note && <p class="chart-note">{note}</p>}
    </figure>
  );
}

function watchWidth(
  box: HTMLElement | null,
  tell: (width: number) => void,
): (() => void) | undefined {
  if (!box || typeof ResizeObserver === "undefined") return undefined;
  const watcher = new ResizeObserver(([entry]) => {
    const width = Math.floor(entry?.contentRect.width ?? 0);
    if (width > 0) tell(Math.max(LEAST, width));
  });
  watcher.observe(box);
  return () => watcher.disconnect();
}
