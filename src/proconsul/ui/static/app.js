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

const below = pathBelow();
if (below && below !== "index.html") {
  location.replace(new URL(agent.UiRoot, location.href.split("#")[0]).href + (fromConsulPath(below) || "#/"));
} else {
  const { dc, view, parts, query } = place.value;
  if (!dc && agent.Datacenter) instead(link(view, parts, Object.fromEntries(query), agent.Datacenter));
  const root = /** @type {HTMLElement} */ (document.getElementById("app"));
  root.textContent = "";
  render(html`<${Shell} />`, root);
}
