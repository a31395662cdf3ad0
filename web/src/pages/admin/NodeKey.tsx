import { settings } from "../../api/settings";
import { t } from "../../language";
import { CopyButton } from "../../ui/CopyButton";
import { Notice } from "../../ui/Notice";
import { commandOf, configurationOf } from "./node_texts";

interface Props {
  name: string;
  apiKey: string;
  isEncrypted: boolean | undefined;
}

/** The API key of a node, shown this once, and what its organization does with it. */
export function NodeKey({ name, apiKey, isEncrypted }: Props) {
  const server = { origin: location.origin, apiPath: settings.apiPath };
  const command = commandOf(name, server);
  const configuration = configurationOf(apiKey, server, isEncrypted ?? true);
  return (
    <section class="panel" aria-label={t("admin.node.key")}>
      <h2>{t("admin.node.key")}</h2>
      <Notice kind="warning">{t("admin.node.key.once")}</Notice>
      <p class="copy">
        <code class="secret">{apiKey}</code>
        <CopyButton text={apiKey} label={t("admin.node.key.copy")} />
      </p>
      <h3>{t("admin.node.command")}</h3>
      <p>{t("admin.node.command.text")}</p>
      <pre tabIndex={0}>{command}</pre>
      <CopyButton text={command} label={t("admin.node.command.copy")} />
      <h3>{t("admin.node.configuration")}</h3>
      <p>{t("admin.node.configuration.text")}</p>
      <pre tabIndex={0}>{configuration}</pre>
      <CopyButton text={configuration} label={t("admin.node.configuration.copy")} />
    </section>
  );
}
