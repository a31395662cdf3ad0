import "./shelf.css";
import { useLocation, useRoute } from "preact-iso";
import { useLoad } from "../../api/load";
import { maySendTasks } from "../../api/permissions";
import { type Card, type CardFunction, imageOf, readCard } from "../../cards/card";
import { argumentsOf } from "../../cards/controls";
import { type Entry, findFunction, loadEntry, newTaskAddress } from "../../cards/load";
import { Described, Paragraphs } from "../../cards/Described";
import { Shares } from "../../cards/Shares";
import { t } from "../../language";
import { Empty, Show } from "../../ui/Loading";
import { Page } from "../../ui/Page";
import { plain, plainLine } from "../../ui/plain";
import { Table } from "../../ui/Table";
import { Reviews } from "./Reviews";
import { ReviewState } from "./ReviewState";

/** All that a card says of one function. */
export default function FunctionPage() {
  const { params } = useRoute();
  const { query } = useLocation();
  const id = Number(params.id);
  const entry = useLoad((signal) => loadEntry(id, signal), [id]);
  return (
    <Show from={entry}>
      {(found) => {
        const card = readCard(found.card);
        const one = findFunction(card, params.name ?? "", query.kind);
        return one ? (
          <About entry={found} card={card} one={one} />
        ) : (
          <Page title={t("shelf.title")}>
            <Empty text={t("shelf.no_function")}>
              <a href="/app/shelf">{t("shelf.to_shelf")}</a>
            </Empty>
          </Page>
        );
      }}
    </Show>
  );
}

function About({ entry, card, one }: { entry: Entry; card: Card; one: CardFunction }) {
  const actions = entry.state !== "retired" && maySendTasks() && (
    <a class="button" href={newTaskAddress(entry, one)}>
      {t("shelf.use")}
    </a>
  );
  return (
    <Page title={plainLine(one.title || one.name)} actions={actions}>
      <p>
        <ReviewState entry={entry} />
      </p>
      {entry.reason && <p>{plain(entry.reason)}</p>}
      {one.description && <Paragraphs text={one.description} />}
      <h2>{t("shelf.leaves")}</h2>
      <Shares card={card} one={one} />
      <h2>{t("shelf.arguments")}</h2>
      <Arguments one={one} />
      <h2>{t("shelf.reviews")}</h2>
      <Reviews entry={entry} />
      <h2>{t("shelf.source")}</h2>
      <Facts entry={entry} card={card} one={one} />
    </Page>
  );
}

function Arguments({ one }: { one: CardFunction }) {
  return (
    <Table
      caption={t("shelf.arguments")}
      rows={argumentsOf(one.arguments)}
      keyOf={({ name }) => name}
      empty={t("shelf.no_arguments")}
      columns={[
        { key: "name", head: t("shelf.name"), cell: ({ name }) => <code>{plainLine(name)}</code> },
        {
          key: "text",
          head: t("shelf.meaning"),
          cell: ({ description }) => <Described text={description} />,
        },
        {
          key: "default",
          head: t("shelf.default"),
          cell: ({ isRequired, standard }) =>
            isRequired ? t("shelf.required") : <Default value={standard} />,
        },
      ]}
    />
  );
}

function Default({ value }: { value: unknown }) {
  if (value === undefined || value === null) return <>{t("shelf.default_none")}</>;
  return <code>{plainLine(JSON.stringify(value))}</code>;
}

function Facts({ entry, card, one }: { entry: Entry; card: Card; one: CardFunction }) {
  const facts: [string, string][] = [
    [t("shelf.card"), `${card.name} ${card.version}`],
    [t("shelf.function"), one.name],
    [t("shelf.image"), imageOf(entry.images)],
    [t("shelf.licence"), card.licence],
    [t("shelf.contact"), card.contact],
  ];
  return (
    <dl class="facts">
      {facts.map(
        ([name, value]) =>
          value && (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{plainLine(value)}</dd>
            </div>
          ),
      )}
      {card.source && (
        <div>
          <dt>{t("shelf.code")}</dt>
          <dd>
            {isWebAddress(card.source) ? <Source address={card.source} /> : plainLine(card.source)}
          </dd>
        </div>
      )}
    </dl>
  );
}

function Source({ address }: { address: string }) {
  return (
    <a href={address} rel="noreferrer noopener" target="_blank">
      {plainLine(address)}
    </a>
  );
}

// SECURITY: the author of a card wrote the address; any other scheme could run a script.
export function isWebAddress(address: string): boolean {
  return /^https?:\/\/[^\s]+$/i.test(address);
}
