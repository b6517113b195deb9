// Starts the page: sends addresses of Consul's own page to ours, then shows the view the address names.
import { html, render } from "./lib/ui.js";
import { agent } from "./lib/settings.js";
import { fromConsulPath, instead, link, place } from "./lib/route.js";
import { Shell } from "./parts/shell.js";

/** The part of the path that follows the page's own. */
function pathBelow() {
  const root = new URL(agent.UiRoot, location.href.split("#")[0]).pathname;
  return location.pathname.startsWith(root) ? location.pathname.slice(root.length) : "";
}

/**
 * The answer of an OIDC provider, taken out of the address at once. views/login.js goes on with it.
 * @returns {string} where the page goes on; empty: there was none
 */
function tookAnswer() {
  const answer = new URLSearchParams(location.search);
  if (!answer.has("state") || !(answer.has("code") || answer.has("error"))) return "";
  history.replaceState(null, "", location.pathname + location.hash);
  /** @type {any} */
  let begun = null;
  try {
    begun = JSON.parse(sessionStorage.getItem("proconsul.oidc") ?? "null");
    sessionStorage.setItem("proconsul.oidc", JSON.stringify({ ...begun, answer: answer.toString() }));
  } catch {
    // Without storage no login was begun here.
  }
  return `#/${encodeURIComponent(begun?.dc ?? "")}/login`;
}

const answered = tookAnswer();
const below = pathBelow();
if (below && below !== "index.html") {
  location.replace(new URL(agent.UiRoot, location.href.split("#")[0]).href + (answered || fromConsulPath(below) || "#/"));
} else {
  // The view is looked up where the address changes, so this comes before anything is shown.
  if (answered) instead(answered);
  const { dc, view, parts, query } = place.value;
  if (!dc && agent.Datacenter) instead(link(view, parts, Object.fromEntries(query), agent.Datacenter));
  const root = /** @type {HTMLElement} */ (document.getElementById("app"));
  root.textContent = "";
  render(html`<${Shell} />`, root);
}
