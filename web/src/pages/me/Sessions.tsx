import { useState } from "preact/hooks";
import { api, take, takeList, type Schemas } from "../../api/client";
import { useLoad } from "../../api/load";
import { t } from "../../language";
import { Confirm } from "../../ui/Dialog";
import { Show } from "../../ui/Loading";
import { plainLine } from "../../ui/plain";
import { State } from "../../ui/State";
import { Table, type Column } from "../../ui/Table";
import { moment } from "../../ui/time";

type Session = Schemas["SessionReply"];

/** Where the account is signed in; each session but this one can be ended here. */
export function Sessions() {
  const [ending, setEnding] = useState<Session | "others" | null>(null);
  const sessions = useLoad(
    (signal) => takeList(api.GET("/session", { params: { query: {} }, signal })),
    [],
  );

  async function end(): Promise<void> {
    if (ending === "others") await take(api.DELETE("/session", { params: { query: {} } }));
    else if (ending)
      await take(api.DELETE("/session/{id}", { params: { path: { id: ending.id } } }));
    sessions.reload();
  }

  return (
    <>
      <p>{t("me.sessions_text")}</p>
      <Show from={sessions}>
        {({ rows }) => {
          const others = rows.filter((row) => !row.is_current);
          return (
            <>
              <Table
                caption={t("me.sessions")}
                columns={columns(setEnding)}
                rows={rows}
                keyOf={({ id }) => id}
              />
              {others.length > 0 ? (
                <p>
                  <button type="button" class="danger" onClick={() => setEnding("others")}>
                    {t("me.end_others")}
                  </button>
                </p>
              ) : (
                <p class="quiet">{t("me.only_session")}</p>
              )}
              {ending && (
                <Confirm
                  title={t(ending === "others" ? "me.end_others_title" : "me.end_title")}
                  deed={t(ending === "others" ? "me.end_others" : "me.end_deed")}
                  what={
                    ending === "others"
                      ? [t("me.end_others_what", { count: others.length })]
                      : [
                          `${ending.address} · ${plainLine(ending.agent)} · ${moment(ending.began_at)}`,
                        ]
                  }
                  act={end}
                  close={() => setEnding(null)}
                >
                  <p>{t("me.end_text")}</p>
                </Confirm>
              )}
            </>
          );
        }}
      </Show>
    </>
  );
}

function columns(end: (session: Session) => void): Column<Session>[] {
  const time = (key: "began_at" | "renewed_at" | "expires_at", head: string) => ({
    key,
    head,
    order: (row: Session) => row[key],
    cell: (row: Session) => <time dateTime={row[key]}>{moment(row[key])}</time>,
  });
  return [
    { key: "address", head: t("me.address"), cell: ({ address }) => plainLine(address) },
    { key: "agent", head: t("me.agent"), cell: ({ agent }) => shortAgent(agent) },
    time("began_at", t("me.began")),
    time("renewed_at", t("me.renewed")),
    time("expires_at", t("me.expires")),
    {
      key: "end",
      head: t("me.action"),
      cell: (row) =>
        row.is_current ? (
          <State kind="good" text={t("me.this_session")} />
        ) : (
          <button
            type="button"
            class="plain small"
            aria-label={t("me.end_named", { address: row.address, began: moment(row.began_at) })}
            onClick={() => end(row)}
          >
            {t("me.end")}
          </button>
        ),
    },
  ];
}

const BROWSERS: [RegExp, string][] = [
  [/Edg\/(\d+)/, "Edge"],
  [/Firefox\/(\d+)/, "Firefox"],
  [/Chrom(?:e|ium)\/(\d+)/, "Chrome"],
  [/Version\/(\d+)[\d.]* .*Safari/, "Safari"],
];

/** Return what a program calls itself, of a browser only its name and version. */
export function shortAgent(agent: string | null): string {
  for (const [pattern, name] of BROWSERS) {
    const found = pattern.exec(agent ?? "");
    if (found) return `${name} ${found[1]}`;
  }
  return plainLine(agent).slice(0, 80);
}
