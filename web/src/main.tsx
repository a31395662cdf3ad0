import "./styles/tokens.css";
import "./styles/base.css";
import { render } from "preact";
import { healConnection } from "./api/connection";
import { App } from "./app/App";
import { applyPreferences } from "./app/preferences";
import { loadSettings } from "./api/settings";

await Promise.all([loadSettings(), applyPreferences()]);
healConnection();
const root = document.getElementById("app");
if (root) render(<App />, root);
