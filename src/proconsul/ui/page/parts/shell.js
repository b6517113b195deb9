// What is around every view: menu, datacenter, state of the connection, token, theme, and the keys that work everywhere.
import { html, signal, useEffect, useState } from "../lib/ui.js";
import { agent, ours, readOnly, readOnlyChosen, theme, token } from "../lib/settings.js";
import { elsewhere, go, instead, link, place } from "../lib/route.js";
import { asCurl, get } from "../lib/api.js";
import { paused, staleSince, watched } from "../lib/live.js";
import { aclsEnabled, may } from "../lib/rights.js";
import { span } from "../lib/format.js";
import { Copy, now } from "./bits.js";
import { Asking, Dialog } from "./dialog.js";
import { views } from "../views/routes.js";

/** The datacenters there are; the agent's own first known. */
export const datacenters = signal(agent.Datacenter ? [agent.Datacenter] : /** @type {string[]} */ ([]));
/** Which window is open over the page. */
export const open = signal(/** @type {"" | "keys" | "requests" | "palette"} */ (""));

async function learn() {
  try {
    datacenters.value = await get("catalog/datacenters", { dc: "" });
  } catch {
    // The views say what is wrong.
  }
  if (!agent.Datacenter) {
    try {
      const self = await get("agent/self", { dc: "" });
      Object.assign(agent, { Datacenter: self.Config.Datacenter, NodeName: self.Config.NodeName, Server: self.Config.Server });
    } catch {
      agent.Datacenter = datacenters.peek()[0] ?? "";
    }
  }
  const { dc, view, parts, query } = place.peek();
  if (!dc && agent.Datacenter) instead(link(view, parts, Object.fromEntries(query), agent.Datacenter));
}

/** @type {Map<string, (props: any) => any>} */
const loaded = new Map();

/** The view the address names, once its module is there. @param {{ id: string }} props */
function Viewed({ id }) {
  const [, again] = useState(0);
  const [broken, setBroken] = useState("");
  const view = views.find((one) => one.id === id);
  useEffect(() => {
    if (!view || loaded.has(id)) return;
    view.load().then((module) => {
      loaded.set(id, module.default);
      again((count) => count + 1);
    }, (error) => setBroken(String(error)));
  }, [id]);
  useEffect(() => {
    // The link that led here is gone with its view: go on from the top of this one.
    if (document.activeElement === document.body) document.getElementById("main")?.focus({ preventScroll: true });
  }, [place.value.view, place.value.rest]);
  const View = loaded.get(id);
  if (!view) return html`<main id="main" data-view="unknown" data-ready="true"><h1>No such page</h1><p>There is no view <code>${id}</code>. <a href=${link("overview")}>Overview</a></p></main>`;
  if (broken) return html`<main id="main" data-view=${id} data-ready="true"><h1>${view.title}</h1><div class="note bad" role="alert">This part of the page could not be loaded: ${broken}</div></main>`;
  if (!View) return html`<main id="main" data-view=${id} data-ready="false" aria-busy="true"></main>`;
  const { dc, rest, parts } = place.value;
  return html`<${View} key=${`${elsewhere.value}/${id}/${parts.map(encodeURIComponent).join("/")}`} id=${id} rest=${rest} parts=${parts} dc=${dc} />`;
}

function Menu() {
  const at = place.value.view;
  const groups = [...new Set(views.map((view) => view.group).filter(Boolean))];
  const shown = views.filter((view) => view.group && (!view.ours || ours) && (!view.need || may(view.need) === true));
  const parent = /** @type {Record<string, string>} */ ({ instance: "services", key: "kv" })[at] ?? at;
  return html`<nav class="menu" aria-label="Pages">${groups.map((group) => {
    const mine = shown.filter((view) => view.group === group && (group !== "Access" || aclsEnabled.value !== false));
    return mine.length ? html`<div class="menu-group"><span class="menu-title">${group}</span>${mine.map((view) => html`
      <a href=${link(view.id)} aria-current=${parent === view.id ? "page" : undefined}>${view.title}</a>`)}</div>` : null;
  })}</nav>`;
}

/** Whether what is shown is true now. */
function Pulse() {
  const since = staleSince.value;
  if (paused.value) return html`<span class="pulse off" data-pulse="paused" role="status">paused</span>`;
  if (since) return html`<span class="pulse bad" data-pulse="stale" role="status">stale since ${new Date(since).toLocaleTimeString()} (${span(Math.max(0, now.value - since))})</span>`;
  return html`<span class="pulse" data-pulse="live" role="status">live</span>`;
}

function Requests() {
  return html`<${Dialog} title="What this page asks the agent" close=${() => { open.value = ""; }} wide>
    <p>The token, if there is one, goes in the header <code>X-Consul-Token</code>.</p>
    ${[...watched.value.values()].map(({ path }) => html`<${Copy} key=${path} text=${asCurl("GET", path)} block />`)}
  <//>`;
}

function Keys() {
  const rows = [["/", "filter"], ["Ctrl K", "find anything"], ["j k ↑ ↓", "go through a list"], ["Enter", "open"], ["u", "one up"],
    ["c", "the requests as curl"], ["w", "read-only on or off"], ["?", "these keys"],
    ...views.filter((view) => view.key).map((view) => [`g ${view.key}`, view.title])];
  return html`<${Dialog} title="Keys" close=${() => { open.value = ""; }}>
    <dl class="facts">${rows.map(([key, what]) => html`<div key=${key}><dt><kbd>${key}</kbd></dt><dd>${what}</dd></div>`)}</dl>
  <//>`;
}

let lastKey = "";

/** @param {KeyboardEvent} event */
function onKey(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    open.value = open.peek() === "palette" ? "" : "palette";
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || target.closest("input, textarea, select, dialog[open], [contenteditable]")) return;
  const before = lastKey;
  lastKey = event.key;
  setTimeout(() => { lastKey = ""; }, 1_000);
  const view = before === "g" ? views.find((one) => one.key === event.key) : undefined;
  if (view) {
    lastKey = "";
    go(link(view.id));
  } else if (event.key === "/") {
    event.preventDefault();
    /** @type {HTMLInputElement | null} */ (document.querySelector("[data-filter]"))?.focus();
  } else if (event.key === "?") {
    open.value = "keys";
  } else if (event.key === "c" && before !== "g") {
    open.value = "requests";
  } else if (event.key === "w") {
    readOnlyChosen.value = !readOnlyChosen.peek();
  } else if (event.key === "u") {
    /** @type {HTMLAnchorElement | null} */ (document.querySelector(".crumbs a:last-child"))?.click();
  }
}

export function Shell() {
  useEffect(() => {
    void learn();
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  const { dc, view } = place.value;
  const [menu, setMenu] = useState(false);
  const [Palette, setPalette] = useState(/** @type {any} */ (null));
  useEffect(() => setMenu(false), [place.value]);
  useEffect(() => {
    if (open.value === "palette" && !Palette) void import("./palette.js").then((module) => setPalette(() => module.Palette));
  }, [open.value]);
  const others = datacenters.value.includes(dc) || !dc ? datacenters.value : [dc, ...datacenters.value];
  return html`
    <a class="skip" href="#main" onClick=${(/** @type {Event} */ event) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>Skip to content</a>
    <header class="top">
      <button type="button" class="quiet burger" aria-label="Menu" aria-expanded=${menu} onClick=${() => setMenu(!menu)}>☰</button>
      <a class="brand" href=${link("overview")}>proconsul</a>
      <label class="dc"><span class="sr">Datacenter</span>
        <select value=${dc} data-dc onChange=${(/** @type {any} */ event) => go(link(view, "", {}, event.target.value))}>
          ${others.map((name) => html`<option key=${name} value=${name}>${name}</option>`)}
        </select></label>
      <${Pulse} />
      <span class="space"></span>
      <button type="button" class="find" onClick=${() => { open.value = "palette"; }}>Find <kbd>Ctrl K</kbd></button>
      <button type="button" class="quiet" title="What this page asks the agent, as curl (c)" onClick=${() => { open.value = "requests"; }}>curl</button>
      <button type="button" class="quiet" data-read-only aria-pressed=${readOnly.value} disabled=${agent.ReadOnly}
        title=${agent.ReadOnly ? "The agent takes no changes from this page" : "Offer no changes (w)"}
        onClick=${() => { readOnlyChosen.value = !readOnlyChosen.peek(); }}>${readOnly.value ? "read-only" : "read and write"}</button>
      <label><span class="sr">Theme</span>
        <select value=${theme.value} data-theme-picker onChange=${(/** @type {any} */ event) => { theme.value = event.target.value; }}>
          <option value="auto">auto</option><option value="light">light</option><option value="dark">dark</option></select></label>
      ${aclsEnabled.value === false ? null : html`<a class="button quiet" href=${link("login")}>${token.value ? "Token" : "Log in"}</a>`}
      <button type="button" class="quiet" aria-label="Keys" title="Keys (?)" onClick=${() => { open.value = "keys"; }}>?</button>
    </header>
    <div class=${`body ${menu ? "menu-open" : ""}`}>
      <${Menu} />
      <${Viewed} id=${view} />
    </div>
    ${open.value === "keys" ? html`<${Keys} />` : null}
    ${open.value === "requests" ? html`<${Requests} />` : null}
    ${open.value === "palette" && Palette ? html`<${Palette} close=${() => { open.value = ""; }} />` : null}
    <${Asking} />`;
}
