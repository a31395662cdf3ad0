import { t } from "../language";

interface Props {
  page: number;
  perPage: number;
  total: number;
  go: (page: number) => void;
}

/** The way through a long list: which rows these are, and the other pages. */
export function Pages({ page, perPage, total, go }: Props) {
  const last = Math.max(1, Math.ceil(total / perPage));
  if (total === 0) return null;
  const first = (page - 1) * perPage + 1;
  return (
    <nav class="pages" aria-label={t("pages.label")}>
      <span role="status">
        {t("pages.count", {
          first: Math.min(first, total),
          last: Math.min(page * perPage, total),
          total,
        })}
      </span>
      {last > 1 && (
        <span class="actions">
          <Turn text={t("pages.first")} to={1} off={page <= 1} go={go} />
          <Turn text={t("pages.previous")} to={page - 1} off={page <= 1} go={go} />
          <Turn text={t("pages.next")} to={page + 1} off={page >= last} go={go} />
          <Turn text={t("pages.last")} to={last} off={page >= last} go={go} />
        </span>
      )}
    </nav>
  );
}

interface TurnProps {
  text: string;
  to: number;
  off: boolean;
  go: (page: number) => void;
}

function Turn({ text, to, off, go }: TurnProps) {
  return (
    <button type="button" class="plain small" disabled={off} onClick={() => go(to)}>
      {text}
    </button>
  );
}
