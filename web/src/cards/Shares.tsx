import "./cards.css";
import { type Key, t } from "../language";
import { en } from "../language/en";
import { Notice } from "../ui/Notice";
import { plain, plainLine } from "../ui/plain";
import { Table } from "../ui/Table";
import { type Card, type CardFunction, sharesOf } from "./card";

/** What leaves each site for a function, as its card says. */
export function Shares({ card, one }: { card: Card; one: CardFunction }) {
  const rows = sharesOf(card, one).flatMap(({ name, shares }) =>
    shares.map((share, at) => ({ ...share, name, at })),
  );
  if (!rows.length) return <Notice kind="warning">{t("shelf.no_shares")}</Notice>;
  const classes = [...new Set(rows.map((share) => share.class))];
  return (
    <>
      <ul class="classes">
        {classes.map((each) => (
          <li key={each}>{wordOf(each)}</li>
        ))}
      </ul>
      <details>
        <summary>{t("shelf.each_part", { count: rows.length })}</summary>
        <Table
          caption={t("shelf.leaves")}
          rows={rows}
          keyOf={({ name, at }) => `${name} ${at}`}
          columns={[
            {
              key: "step",
              head: t("shelf.step"),
              cell: ({ name }) => <code>{plainLine(name)}</code>,
            },
            {
              key: "part",
              head: t("shelf.part"),
              cell: ({ path }) => <code>{plainLine(path)}</code>,
            },
            { key: "class", head: t("shelf.kind"), cell: (share) => wordOf(share.class) },
            { key: "note", head: t("shelf.note"), cell: ({ note }) => plain(note) },
          ]}
        />
      </details>
    </>
  );
}

function wordOf(class_: string): string {
  const key = `shelf.class.${class_}`;
  return isKey(key) ? t(key) : plainLine(class_);
}

function isKey(key: string): key is Key {
  return Object.hasOwn(en, key);
}
