import { t } from "../../language";
import { plainLine } from "../../ui/plain";
import { State } from "../../ui/State";
import { Table } from "../../ui/Table";
import { ago } from "../../ui/time";
import { familiarityOf } from "./known_keys";
import type { Recipient } from "./preflight";

interface Props {
  recipients: Recipient[];
  fingerprints: Map<number, string>;
  isEncrypted: boolean;
}

/** Each organization that takes part: what it gets, for which key, and whether it can compute. */
export function Recipients({ recipients, fingerprints, isEncrypted }: Props) {
  return (
    <Table
      caption={t("new.whom")}
      rows={recipients}
      keyOf={({ id }) => id}
      empty={t("new.block.no_receiver")}
      columns={[
        { key: "name", head: t("new.organization"), cell: ({ name }) => plainLine(name) },
        {
          key: "gets",
          head: t("new.gets"),
          cell: ({ isReceiver }) => t(isReceiver ? "new.gets_task" : "new.gets_part"),
        },
        ...(isEncrypted
          ? [
              {
                key: "key",
                head: t("new.key"),
                cell: (one: Recipient) => <KeyOf one={one} found={fingerprints.get(one.id)} />,
              },
            ]
          : []),
        { key: "station", head: t("new.station"), cell: (one) => <StationOf one={one} /> },
      ]}
    />
  );
}

function KeyOf({ one, found }: { one: Recipient; found: string | undefined }) {
  if (!found)
    return <State kind="bad" text={t(one.publicKey ? "new.key_unread" : "new.key_none")} />;
  const familiarity = familiarityOf(one.id, found);
  const kind = { new: "waiting", known: "good", changed: "warning" } as const;
  return (
    <>
      <code class="fingerprint">{found}</code>
      <br />
      <State kind={kind[familiarity]} text={t(`new.key_${familiarity}`)} />
    </>
  );
}

function StationOf({ one }: { one: Recipient }) {
  switch (one.station) {
    case "online":
      return <State kind="good" text={t("new.station_online")} />;
    case "offline":
      return (
        <>
          <State kind="off" text={t("new.station_offline")} />
          <br />
          {t("new.station_waits", { when: ago(one.lastSeen) })}
        </>
      );
    case "missing":
      return <State kind="bad" text={t("new.station_missing")} />;
    case "unknown":
      return <>{t("new.station_unknown")}</>;
  }
}
