import { useEffect, useMemo, useState } from "preact/hooks";
import { settings } from "../../api/settings";
import { t } from "../../language";
import { CopyButton } from "../../ui/CopyButton";

interface Props {
  codes: string[];
  username: string;
  proceed: () => void;
}

/** The only sight of the recovery codes; goes on when the reader has kept them. */
export default function RecoveryCodes({ codes, username, proceed }: Props) {
  const [isKept, setKept] = useState(false);
  const text = `${settings.name}: ${username}\n\n${codes.join("\n")}\n`;
  const address = useMemo(
    () => URL.createObjectURL(new Blob([text], { type: "text/plain" })),
    [text],
  );
  useEffect(() => () => URL.revokeObjectURL(address), [address]);
  return (
    <>
      <p>{t("sign_in.codes.text")}</p>
      <ul class="codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div class="actions">
        <CopyButton text={codes.join("\n")} label={t("sign_in.codes.copy")} />
        <a class="button plain small" href={address} download="recovery-codes.txt">
          {t("sign_in.codes.download")}
        </a>
      </div>
      <label class="check">
        <input type="checkbox" checked={isKept} onChange={() => setKept(!isKept)} />
        {t("sign_in.codes.kept")}
      </label>
      <button type="button" disabled={!isKept} onClick={proceed}>
        {t("sign_in.codes.proceed")}
      </button>
    </>
  );
}
