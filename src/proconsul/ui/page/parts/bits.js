// Small pieces that every view is made of.
import { html, signal, useEffect, useState } from "../lib/ui.js";
import { ago, severity } from "../lib/format.js";
import { offers } from "../lib/rights.js";
import { readOnly } from "../lib/settings.js";
import { link } from "../lib/route.js";

/** The time in milliseconds, told every second to whoever shows an age. */
export const now = signal(Date.now());
setInterval(() => {
  if (!globalThis.document?.hidden) now.value = Date.now();
}, 1_000);

/**
 * One view: its heading, path, buttons and content. `ready`: its first data is there.
 * @param {{ view: string, title: any, crumbs?: [string, string][], actions?: any, ready?: boolean, live?: import("../lib/live.js").Seen, children?: any }} props
 */
export function Page({ view, title, crumbs = [], actions, ready = true, live, children }) {
  useEffect(() => {
    if (typeof title === "string") document.title = `${title} · Consul`;
  }, [title]);
  return html`
    <main id="main" tabindex="-1" data-view=${view} data-ready=${String(ready)}>
      <div class="page-head">
        ${crumbs.length ? html`<nav class="crumbs" aria-label="Path">${crumbs.map(([text, href]) => html`<a href=${href}>${text}</a>`)}</nav>` : null}
        <h1>${title}</h1>
        <div class="actions">${actions}</div>
      </div>
      ${live ? html`<${Trouble} live=${live} />` : null}
      ${children}
    </main>`;
}

/** Why data is missing or old. @param {{ live: import("../lib/live.js").Seen }} props */
export function Trouble({ live }) {
  if (!live.error) return null;
  const { status, message, unsent } = live.error;
  const what = unsent ? "This cannot be asked for." : status === 403
    ? "This token may not see this."
    : status ? `The agent answered with ${status}.` : "The agent does not answer.";
  const old = live.state === "stale" && live.data !== undefined ? ` What is shown was true ${ago(live.at, now.value)}.` : "";
  return html`<div class="note bad" role="alert"><b>${what}</b>${old} ${message !== what ? html`<span class="reason">${message}</span>` : null}
    ${status === 403 ? html` <a href=${link("login")}>Use another token</a>` : null}</div>`;
}

/** @param {{ status: string, text?: string, title?: string }} props */
export function Status({ status, text = status, title }) {
  return html`<span class=${`status s${severity(status)}`} title=${title}><i aria-hidden="true"></i>${text}</span>`;
}

/**
 * How many checks or instances pass, warn and fail, as a small bar with numbers.
 * @param {{ passing: number, warning: number, critical: number }} props
 */
export function Counts({ passing, warning, critical }) {
  return html`<span class="counts">
    ${critical ? html`<span class="status s3" title="critical"><i aria-hidden="true"></i>${critical}<span class="sr"> critical</span></span>` : null}
    ${warning ? html`<span class="status s2" title="warning"><i aria-hidden="true"></i>${warning}<span class="sr"> warning</span></span>` : null}
    ${passing || (!critical && !warning) ? html`<span class=${`status ${passing ? "s1" : "s0"}`} title="passing"><i aria-hidden="true"></i>${passing}<span class="sr"> passing</span></span>` : null}
  </span>`;
}

/** The same of checks as the catalog has them. @param {{ checks: any[] | null | undefined }} props */
export function CheckCounts({ checks }) {
  const count = (/** @type {string} */ status) => (checks ?? []).filter((check) => check.Status === status).length;
  return html`<${Counts} passing=${count("passing")} warning=${count("warning")} critical=${count("critical")} />`;
}

/** @param {{ tags: string[] | null | undefined, max?: number, pick?: (tag: string) => void }} props */
export function Tags({ tags, max = Infinity, pick }) {
  const all = tags ?? [];
  const shown = all.slice(0, max);
  return html`<span class="tags">
    ${shown.map((tag) => pick
      ? html`<button type="button" class="tag" title=${`Show only ${tag}`} onClick=${() => pick(tag)}>${tag}</button>`
      : html`<span class="tag">${tag}</span>`)}
    ${all.length > shown.length ? html`<span class="tag more" title=${all.slice(max).join("\n")}>+${all.length - shown.length}</span>` : null}
  </span>`;
}

/** Names and values. @param {{ pairs: [string, any][] }} props */
export function Facts({ pairs }) {
  const shown = pairs.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return html`<dl class="facts">${shown.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** A group with a heading. @param {{ title: any, actions?: any, children?: any, id?: string }} props */
export function Card({ title, actions, children, id }) {
  return html`<section class="card" id=${id}><header><h2>${title}</h2><div class="actions">${actions}</div></header>${children}</section>`;
}

/** @param {{ children?: any }} props */
export function Empty({ children }) {
  return html`<p class="empty">${children}</p>`;
}

/** @param {{ at: number }} props milliseconds */
export function Age({ at }) {
  return html`<time dateTime=${new Date(at).toISOString()} title=${new Date(at).toLocaleString()}>${ago(at, now.value)}</time>`;
}

/** A text that one click copies. @param {{ text: string, label?: any, block?: boolean }} props */
export function Copy({ text, label, block = false }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await copyText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1_500);
  };
  const button = html`<button type="button" class="quiet copy" onClick=${copy} aria-label=${`Copy ${block ? "" : text}`} title="Copy">${done ? "copied" : label ?? "copy"}</button>`;
  return block ? html`<div class="copy-block"><pre>${text}</pre>${button}</div>` : button;
}

/** @param {string} text */
export async function copyText(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  // Without TLS a browser offers no clipboard but to a selection.
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** Any value as JSON, folded. @param {{ data: unknown, label?: string }} props */
export function Raw({ data, label = "JSON" }) {
  return html`<details class="raw"><summary>${label}</summary><${Copy} text=${JSON.stringify(data, null, 2)} block /></details>`;
}

/**
 * A button that changes something: there only if the token may do it and the page is not read-only.
 * @param {{ need: import("../lib/rights.js").Need, run: () => void, danger?: boolean, primary?: boolean, title?: string, disabled?: boolean, children?: any }} props
 */
export function Action({ need, run, danger = false, primary = false, title, disabled = false, children }) {
  if (!offers(need)) return null;
  const kind = danger ? "danger" : primary ? "primary" : "";
  return html`<button type="button" data-change class=${kind} title=${title} disabled=${disabled} onClick=${run}>${children}</button>`;
}

/** Says why nothing can be changed here. @param {{ need: import("../lib/rights.js").Need }} props */
export function WhyNot({ need }) {
  if (offers(need)) return null;
  return html`<span class="hint">${readOnly.value ? "read-only" : `needs ${need.Resource}:${need.Access}`}</span>`;
}

/**
 * Tabs whose choice lives in the address. @param {{ choice: { value: string }, tabs: [string, any][], label: string }} props
 */
export function Tabs({ choice, tabs, label }) {
  return html`<div class="tabs" role="group" aria-label=${label}>${tabs.map(([id, text]) => html`
    <button type="button" key=${id} aria-pressed=${choice.value === id} onClick=${() => { choice.value = id; }}>${text}</button>`)}</div>`;
}
