import { useLocation } from "preact-iso";
import { useEffect, useRef, useState } from "preact/hooks";
import { api, Refusal, take } from "../../api/client";
import { Lost } from "../../api/connection";
import { asError, useLoad } from "../../api/load";
import { may } from "../../api/permissions";
import { user } from "../../api/session";
import { shortName } from "../../cards/card";
import type { Listed } from "../../cards/load";
import { Shares } from "../../cards/Shares";
import { canEncrypt, fingerprint, hasKey } from "../../crypto";
import { KeyBox } from "../../crypto/KeyBox";
import { t } from "../../language";
import { saveFile } from "../../views/files";
import { Show } from "../../ui/Loading";
import { Notice } from "../../ui/Notice";
import { plain, plainLine } from "../../ui/plain";
import { draft, inputOf, nameOf, receiversOf, type TaskDraft } from "./draft";
import { isOfCard } from "./fill";
import { familiarityOf, rememberKeys, wasEncrypted } from "./known_keys";
import { loadStations, type Place } from "./place";
import { blocksOf, type Recipient, recipientsOf } from "./preflight";
import { Recipients } from "./Recipients";
import { Script } from "./Script";
import { type Sealed, sealTask, sendTask } from "./send";
import { writeTemplate } from "./template";

interface Props {
  task: TaskDraft;
  place: Place;
  back: () => void;
}

interface Known {
  recipients: Recipient[];
  fingerprints: Map<number, string>;
  refusal: string | null;
  isChecked: boolean;
}

/** What goes to whom, before it is sent. */
export function Review({ task, place, back }: Props) {
  const own = user.value?.organization?.id;
  const known = useLoad((signal) => look(task, place, own, signal), [task, place.id]);
  return (
    <>
      <Summary task={task} place={place} />
      <Show from={known}>
        {(found) => <Judged task={task} place={place} known={found} back={back} />}
      </Show>
      <Script task={task} place={place} receivers={receiversOf(task, place, own)} />
    </>
  );
}

async function look(
  task: TaskDraft,
  place: Place,
  own: number | undefined,
  signal: AbortSignal,
): Promise<Known> {
  const query = { image: task.image, collaboration_id: place.id };
  const [stations, match] = await Promise.all([
    loadStations(place.id, signal),
    take(api.GET("/algorithm/match", { params: { query }, signal })).catch(unlessForbidden),
  ]);
  const recipients = recipientsOf(task, place, own, stations);
  const keys = recipients.filter(({ publicKey }) => place.isEncrypted && canEncrypt() && publicKey);
  const fingerprints = new Map<number, string>();
  for (const { id, publicKey } of keys) {
    // One organization whose key cannot be read does not hold back tasks for others.
    const found = await fingerprint(publicKey).catch(() => null);
    if (found) fingerprints.set(id, found);
  }
  return {
    recipients,
    fingerprints,
    refusal: match?.refusal ?? null,
    isChecked: Boolean(match?.cards.length),
  };
}

/** A user that may not see the shelf, or a server without one, is not stopped here. */
function unlessForbidden(error: unknown): null {
  if (error instanceof Refusal && [401, 403, 404].includes(error.status)) return null;
  throw error;
}

function Summary({ task, place }: { task: TaskDraft; place: Place }) {
  const facts: [string, string][] = [
    [t("new.image"), task.image],
    [t("new.collaboration"), place.name],
    [t("new.database"), task.listed?.function.database === "none" ? "" : task.database],
    [t("new.name"), nameOf(task, place.isEncrypted)],
    [t("new.description"), task.description],
  ];
  return (
    <section aria-labelledby="review">
      <h2 id="review">{t("new.review")}</h2>
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
        <div>
          <dt>{t("new.input")}</dt>
          <dd>
            <pre tabIndex={0}>{plain(JSON.stringify(inputOf(task), null, 2))}</pre>
          </dd>
        </div>
      </dl>
      {task.listed && <Leaving listed={task.listed} image={task.image} />}
    </section>
  );
}

// SECURITY: what a card says of one build of an image is no word about another one.
function Leaving({ listed, image }: { listed: Listed; image: string }) {
  const { name, version } = listed.card;
  return (
    <>
      <h2>{t("shelf.leaves")}</h2>
      {isOfCard(image, listed.entry) ? (
        <Shares card={listed.card} one={listed.function} />
      ) : (
        <Notice kind="warning">
          {t("new.other_build", { card: plainLine(`${name} ${version}`) })}
        </Notice>
      )}
    </>
  );
}

/** Return the fingerprints of the keys that the input is encrypted for. */
export function receiving(recipients: Recipient[], fingerprints: Map<number, string>) {
  const ids = new Set(recipients.filter(({ isReceiver }) => isReceiver).map(({ id }) => id));
  return new Map([...fingerprints].filter(([id]) => ids.has(id)));
}

function Judged({ task, place, known, back }: Props & { known: Known }) {
  const { route } = useLocation();
  const [error, setError] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [isCompared, setCompared] = useState(false);
  const { recipients, fingerprints, refusal } = known;
  const sealed = useRef<Sealed | null>(null);
  // What was sealed, and compared, was for the keys of then.
  useEffect(() => {
    sealed.current = null;
    setCompared(false);
  }, [known, task, place]);
  const blocks = blocksOf(recipients, place, {
    isRetired: refusal !== null,
    canEncrypt: canEncrypt(),
    maySend: may("POST /task", { collaboration: place.id }),
    hasKey: hasKey.value,
    wasEncrypted: wasEncrypted(place.id),
    readable: new Set(fingerprints.keys()),
  });
  const used = receiving(recipients, fingerprints);
  const isChanged = [...used].some(([id, each]) => familiarityOf(id, each) === "changed");
  const hasChanged = isChanged && place.isEncrypted;

  async function send() {
    setBusy(true);
    setError("");
    try {
      // Sent once more after a lost answer, it is the same request: no second task.
      sealed.current ??= await sealTask(task, place, recipients);
      const id = await sendTask(sealed.current);
      rememberKeys(used, isCompared);
      draft.value = null;
      route(`/app/tasks/${id}`);
    } catch (failure) {
      if (!(failure instanceof Lost)) sealed.current = null;
      setError(asError(failure).message);
      setBusy(false);
    }
  }

  return (
    <section aria-labelledby="whom">
      <h2 id="whom">{t("new.whom")}</h2>
      <p>{t(place.isEncrypted ? "new.is_encrypted" : "new.is_open")}</p>
      <Recipients
        recipients={recipients}
        fingerprints={fingerprints}
        isEncrypted={place.isEncrypted}
      />
      <p class="quiet">{t("new.stations_decide")}</p>
      {!known.isChecked && !refusal && <Notice kind="warning">{t("new.unchecked")}</Notice>}
      {blocks.map((block) => (
        <Notice key={block} kind="error">
          {t(`new.block.${block}`)} {block === "retired" && plain(refusal)}
        </Notice>
      ))}
      {hasChanged && (
        <Notice kind="warning">
          <label class="tickbox">
            <input
              type="checkbox"
              checked={isCompared}
              onChange={(event) => setCompared(event.currentTarget.checked)}
            />
            {t("new.compared")}
          </label>
        </Notice>
      )}
      {(place.isEncrypted || hasKey.value) && <KeyBox />}
      {error && <Notice kind="error">{error}</Notice>}
      <p class="actions">
        <button
          type="button"
          disabled={isBusy || blocks.length > 0 || (hasChanged && !isCompared)}
          onClick={send}
        >
          {t("new.send")}
        </button>
        <button type="button" class="plain" onClick={back}>
          {t("new.back")}
        </button>
        <button
          type="button"
          class="plain"
          onClick={() =>
            saveFile(
              new Blob([writeTemplate(task)], { type: "application/json" }),
              `${shortName(task.image)}.json`,
            )
          }
        >
          {t("new.save_template")}
        </button>
      </p>
    </section>
  );
}
