import { useLoad } from "../../api/load";
import { api, take } from "../../api/client";
import { type Entry, rowsOf } from "../../cards/load";
import { t } from "../../language";
import { Empty } from "../../ui/Loading";
import { plain, plainLine } from "../../ui/plain";
import { moment } from "../../ui/time";

/** Which organizations have read a card, when, and what they checked. */
export function Reviews({ entry }: { entry: Entry }) {
  const names = useLoad(loadNames, []);
  if (!entry.reviews.length) return <Empty text={t("shelf.no_reviews")} />;
  return (
    <ul>
      {entry.reviews.map((review) => {
        const id = review.organization?.id;
        const name = id === undefined ? t("shelf.by_server") : (names.data?.get(id) ?? `${id}`);
        return (
          <li key={`${review.reviewed_at} ${id}`}>
            {t("shelf.reviewed_by", { name: plainLine(name), when: moment(review.reviewed_at) })}{" "}
            {plain(review.note)}
          </li>
        );
      })}
    </ul>
  );
}

async function loadNames(signal: AbortSignal): Promise<Map<number, string>> {
  const query = { per_page: 100 };
  const reply = await take(api.GET("/organization", { params: { query }, signal }));
  return new Map(rowsOf(reply).map(({ id, name }) => [id, name]));
}
