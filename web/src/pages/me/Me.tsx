import { t } from "../../language";
import { Page } from "../../ui/Page";
import { Appearance } from "./Appearance";
import { Password } from "./Password";
import { Profile } from "./Profile";
import { SecondFactor } from "./SecondFactor";
import { Sessions } from "./Sessions";

/** The own account: who one is, what proves it, where one is signed in, and how the pages look. */
export default function Me() {
  return (
    <Page title={t("me.title")}>
      <div class="cards">
        <section class="card">
          <h2>{t("me.profile")}</h2>
          <Profile />
        </section>
        <section class="card">
          <h2>{t("me.password")}</h2>
          <Password />
        </section>
        <section class="card">
          <h2>{t("me.factor")}</h2>
          <SecondFactor />
        </section>
        <section class="card">
          <h2>{t("crypto.title")}</h2>
          <p>{t("key.text")}</p>
          <p>
            <a href="/app/key">{t("key.open")}</a>
          </p>
        </section>
        <section class="card">
          <h2>{t("me.appearance")}</h2>
          <Appearance />
        </section>
      </div>
      <section>
        <h2>{t("me.sessions")}</h2>
        <Sessions />
      </section>
    </Page>
  );
}
