import "./styles/tokens.css";
import "./styles/base.css";
import { render } from "preact";
import { healConnection } from "./api/connection";
import { App } from "./app/App";
import { loadSettings } from "./api/settings";

await loadSettings();
healConnection();
const root = document.getElementById("app");
if (root) render(<App />, root);
