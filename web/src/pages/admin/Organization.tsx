import { useRoute } from "preact-iso";
import { useEffect, useState } from "preact/hooks";
import { api, take, type Schemas } from "../../api/client";
import { useLoad } from "../../api/load";
import { may } from "../../api/permissions";
import { fingerprint } from "../../crypto";
import { t } from "../../language";
import { CopyButton } from "../../ui/CopyButton";
import { Confirm } from "../../ui/Dialog";
import { Show } from "../../ui/Loading";
import { Notice } from "../../ui/Notice";
import { Page } from "../../ui/Page";
import { plainLine } from "../../ui/plain";
import { AdminPage } from "./AdminPage";
import { useDeed } from "../../ui/useDeed";
import { Facts, Form, idOf } from "./forms";
import { KeyField, readPem } from "./KeyField";
import { fieldsOf, OrganizationFields } from "./OrganizationNew";

type Organization = Schemas["OrganizationReply"];

/** One organization: what it is, and its public key. */
export default function OrganizationPage() {
  const id = idOf(useRoute().params);
  return <AdminPage needs={["GET /organization"]}>{() => <One id={id ?? 0} />}</AdminPage>;
}

function One({ id }: { id: number }) {
  const found = useLoad(
    async (signal) => {
      if (!may("GET /organization/{id}", { organization: id })) return null;
      return take(api.GET("/organization/{id}", { params: { path: { id } }, signal }));
    },
    [id],
  );
  return (
    <Page title={plainLine(found.data?.name) || t("admin.organization")}>
      <Show from={found}>
        {(organization) =>
          organization ? (
            <>
              <Related organization={organization} />
              <Key organization={organization} changed={found.reload} />
              <Edit organization={organization} changed={found.reload} />
            </>
          ) : (
            <Notice kind="warning">{t("admin.organization.closed")}</Notice>
          )
        }
      </Show>
    </Page>
  );
}

function Related({ organization }: { organization: Organization }) {
  const { id } = organization;
  const newNode = `/app/admin/nodes/new?organization=${id}`;
  const newUser = `/app/admin/users/new?organization=${id}`;
  return (
    <div class="actions">
      {may("POST /user", { organization: id }) && (
        <a class="button plain" href={newUser}>
          {t("admin.user.new")}
        </a>
      )}
      {may("POST /node", { organization: id }) && (
        <a class="button plain" href={newNode}>
          {t("admin.node.new")}
        </a>
      )}
      {may("GET /user") && (
        <a href={`/app/admin/users?organization=${id}`}>
          {t("admin.organization.users", { count: organization.users?.length ?? 0 })}
        </a>
      )}
      {may("GET /node") && (
        <a href={`/app/admin/nodes?organization=${id}`}>
          {t("admin.organization.nodes", { count: organization.nodes?.length ?? 0 })}
        </a>
      )}
    </div>
  );
}

function Edit({ organization, changed }: { organization: Organization; changed: () => void }) {
  const deed = useDeed();
  const path = { id: organization.id };
  if (!may("PATCH /organization/{id}", { organization: organization.id }))
    return (
      <Facts
        rows={[
          [t("admin.organization.domain"), plainLine(organization.domain)],
          [t("admin.organization.address1"), plainLine(organization.address1)],
          [t("admin.organization.address2"), plainLine(organization.address2)],
          [t("admin.organization.zipcode"), plainLine(organization.zipcode)],
          [t("admin.organization.country"), plainLine(organization.country)],
        ]}
      />
    );
  return (
    <section>
      <h2>{t("admin.organization.about")}</h2>
      <Form
        label={t("admin.organization.about")}
        deed={deed}
        submit={t("admin.save")}
        send={async (text) => {
          await take(api.PATCH("/organization/{id}", { params: { path }, body: fieldsOf(text) }));
          changed();
          return t("admin.saved");
        }}
      >
        <OrganizationFields of={organization} />
      </Form>
    </section>
  );
}

function Key({ organization, changed }: { organization: Organization; changed: () => void }) {
  const shown = useFingerprint(organization.public_key);
  const mayChange = may("PATCH /organization/{id} public key", { organization: organization.id });
  const deed = useDeed();
  const [wanted, setWanted] = useState<{ key: string; shown: string } | null>(null);
  const path = { id: organization.id };

  async function set(public_key: string): Promise<void> {
    await take(api.PATCH("/organization/{id}", { params: { path }, body: { public_key } }));
    changed();
  }

  return (
    <section>
      <h2>{t("admin.organization.key")}</h2>
      {organization.public_key ? (
        <Facts
          rows={[
            [
              t("admin.key.fingerprint"),
              <span class="copy">
                <code>{shown}</code>
                <CopyButton text={shown} label={t("admin.key.fingerprint.copy")} />
              </span>,
            ],
          ]}
        />
      ) : (
        <p class="quiet">{t("admin.key.none")}</p>
      )}
      {organization.public_key && <p class="hint">{t("admin.key.compare")}</p>}
      {mayChange ? (
        <details>
          <summary>{t(organization.public_key ? "admin.key.change" : "admin.key.set")}</summary>
          <Form
            label={t("admin.key.change")}
            deed={deed}
            submit={t(organization.public_key ? "admin.key.change" : "admin.key.set")}
            send={async (text) => {
              const key = await readPem(text("public_key"));
              if (organization.public_key) setWanted({ key, shown: await fingerprint(key) });
              else {
                await set(key);
                return t("admin.key.saved");
              }
            }}
          >
            <KeyField hint={t("admin.key.hint")} isRequired />
          </Form>
        </details>
      ) : (
        <p class="hint">{t("admin.key.owners")}</p>
      )}
      {wanted && (
        <Confirm
          title={t("admin.key.replace.title", { name: plainLine(organization.name) })}
          deed={t("admin.key.replace.deed")}
          what={[
            t("admin.key.replace.old", { fingerprint: shown }),
            t("admin.key.replace.new", { fingerprint: wanted.shown }),
          ]}
          act={() => set(wanted.key)}
          close={() => setWanted(null)}
        >
          <p>{t("admin.key.replace.text")}</p>
        </Confirm>
      )}
    </section>
  );
}

function useFingerprint(publicKey: string): string {
  const [shown, setShown] = useState("…");
  useEffect(() => {
    let isWanted = true;
    if (publicKey)
      fingerprint(publicKey).then(
        (found) => isWanted && setShown(found),
        () => isWanted && setShown(t("admin.key.unreadable")),
      );
    return () => {
      isWanted = false;
    };
  }, [publicKey]);
  return shown;
}
