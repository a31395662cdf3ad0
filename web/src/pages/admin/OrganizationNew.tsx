import { useLocation } from "preact-iso";
import { api, take, type Schemas } from "../../api/client";
import { loadRights } from "../../api/permissions";
import { t } from "../../language";
import { Field } from "../../ui/Field";
import { AdminPage } from "./AdminPage";
import { useDeed } from "../../ui/useDeed";
import { Form, orNull } from "./forms";
import { KeyField, readPem } from "./KeyField";

export default function OrganizationNew() {
  return (
    <AdminPage title={t("admin.organization.new")} needs={["POST /organization"]}>
      {() => <Create />}
    </AdminPage>
  );
}

function Create() {
  const deed = useDeed();
  const { route } = useLocation();
  return (
    <Form
      label={t("admin.organization.new")}
      deed={deed}
      submit={t("admin.organization.create")}
      send={async (text) => {
        const body = {
          ...fieldsOf(text),
          public_key: orNull(await readPem(text("public_key"))),
        };
        const made = await take(api.POST("/organization", { body }));
        await loadRights();
        route(`/app/admin/organizations/${made.id}`);
      }}
    >
      <OrganizationFields />
      <KeyField hint={t("admin.key.optional")} />
    </Form>
  );
}

type Fields = Pick<
  Schemas["OrganizationCreate"],
  "name" | "domain" | "address1" | "address2" | "zipcode" | "country"
>;

/** The fields of an organization from a form. */
export function fieldsOf(text: (name: string) => string): Fields {
  return {
    name: text("name"),
    domain: text("domain"),
    address1: text("address1"),
    address2: text("address2"),
    zipcode: text("zipcode"),
    country: text("country"),
  };
}

export function OrganizationFields({ of }: { of?: Schemas["OrganizationReply"] }) {
  return (
    <>
      <Field name="name" label={t("admin.name")} required maxLength={255} defaultValue={of?.name} />
      <div class="columns">
        <Field
          name="domain"
          label={t("admin.organization.domain")}
          hint={t("admin.organization.domain.hint")}
          maxLength={255}
          defaultValue={of?.domain ?? ""}
        />
        <Field
          name="country"
          label={t("admin.organization.country")}
          hint={t("admin.optional")}
          maxLength={255}
          defaultValue={of?.country ?? ""}
        />
        <Field
          name="address1"
          label={t("admin.organization.address1")}
          maxLength={255}
          defaultValue={of?.address1 ?? ""}
        />
        <Field
          name="address2"
          label={t("admin.organization.address2")}
          maxLength={255}
          defaultValue={of?.address2 ?? ""}
        />
        <Field
          name="zipcode"
          label={t("admin.organization.zipcode")}
          maxLength={255}
          defaultValue={of?.zipcode ?? ""}
        />
      </div>
    </>
  );
}
