import { useState } from "preact/hooks";
import { api, take, takeList } from "../../api/client";
import { useLoad } from "../../api/load";
import { may } from "../../api/permissions";
import { user as me } from "../../api/session";
import { t } from "../../language";
import { Confirm } from "../../ui/Dialog";
import { Show } from "../../ui/Loading";
import { plainLine } from "../../ui/plain";
import { Table } from "../../ui/Table";
import { ago, moment } from "../../ui/time";
import type { Parts } from "./User";

type Question = "sessions" | "factor" | "disable";

/** How somebody else's account is entered: sessions, second factor, and an end to both. */
export function UserAccess({ user, subject, changed }: Parts) {
  const [question, setQuestion] = useState<Question | null>(null);
  const name = plainLine(user.username);
  if (user.id === me.value?.id || !may("GET /session", subject)) return null;
  return (
    <section>
      <h2>{t("admin.user.access")}</h2>
      <Sessions key={question ?? "none"} userId={user.id} />
      <div class="actions">
        {(["sessions", "factor", "disable"] as const).filter(isAllowed).map((one) => (
          <button key={one} type="button" class="plain" onClick={() => setQuestion(one)}>
            {t(`admin.user.${one}`)}
          </button>
        ))}
      </div>
      {question && (
        <Confirm
          title={t(`admin.user.${question}.title`, { name })}
          deed={t(`admin.user.${question}`)}
          what={[name]}
          act={async () => {
            await act(question);
            changed();
          }}
          close={() => setQuestion(null)}
        >
          <p>{t(`admin.user.${question}.text`)}</p>
        </Confirm>
      )}
    </section>
  );

  function isAllowed(one: Question): boolean {
    if (one === "factor") return may("DELETE /user/{id}/2fa", subject);
    if (one === "disable") return may("PATCH /user/{id} roles", subject);
    return may("DELETE /session", subject);
  }

  async function act(one: Question): Promise<void> {
    const params = { path: { id: user.id } };
    if (one === "factor") {
      await take(api.DELETE("/user/{id}/2fa", { params }));
      return;
    }
    // Without rules an account can do nothing; then the sessions end, so that none goes on.
    if (one === "disable")
      await take(api.PATCH("/user/{id}", { params, body: { roles: [], rules: [] } }));
    await take(api.DELETE("/session", { params: { query: { user_id: user.id } } }));
  }
}

function Sessions({ userId }: { userId: number }) {
  const found = useLoad(
    (signal) => {
      const query = { user_id: userId, page: 1, per_page: 50 };
      return takeList(api.GET("/session", { params: { query }, signal }));
    },
    [userId],
  );
  return (
    <Show from={found}>
      {({ rows }) => (
        <Table
          caption={t("admin.user.session.list")}
          rows={rows}
          keyOf={({ id }) => id}
          empty={t("admin.user.session.none")}
          columns={[
            {
              key: "began",
              head: t("admin.user.session.began"),
              cell: ({ began_at }) => moment(began_at),
              order: ({ began_at }) => began_at,
            },
            {
              key: "renewed",
              head: t("admin.user.session.renewed"),
              cell: ({ renewed_at }) => ago(renewed_at),
              order: ({ renewed_at }) => renewed_at,
            },
            {
              key: "address",
              head: t("admin.user.session.address"),
              cell: ({ address }) => plainLine(address),
              order: ({ address }) => address,
            },
            {
              key: "agent",
              head: t("admin.user.session.agent"),
              cell: ({ agent }) => plainLine(agent),
              order: ({ agent }) => agent,
            },
          ]}
        />
      )}
    </Show>
  );
}
