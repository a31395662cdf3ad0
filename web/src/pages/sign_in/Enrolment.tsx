import { t } from "../../language";
import { CopyButton } from "../../ui/CopyButton";
import { QrCode } from "../../ui/QrCode";

/** The secret of a new second factor: for the camera of a phone, and as text. */
export default function Enrolment({ address, secret }: { address: string; secret: string }) {
  const groups = secret.match(/.{1,4}/g) ?? [];
  return (
    <ol class="steps">
      <li>{t("sign_in.enrol.app")}</li>
      <li>
        {t("sign_in.enrol.scan")}
        <QrCode text={address} label={t("sign_in.enrol.qr")} />
        <p>
          {t("sign_in.enrol.by_hand")}
          <br />
          <code class="secret">{groups.join(" ")}</code> <CopyButton text={secret} />
        </p>
      </li>
      <li>{t("sign_in.enrol.code")}</li>
    </ol>
  );
}
