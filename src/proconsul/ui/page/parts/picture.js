// Pictures, drawn as SVG from what the page knows.
import { html } from "../lib/ui.js";
import { KEPT_MS } from "../lib/memory.js";
import { counted, severity, span } from "../lib/format.js";
import { now } from "./bits.js";

/**
 * A strip of time: how a status went during the last hour, as far as the page was open.
 * @param {{ changes: import("../lib/memory.js").Change[], label: string, width?: number }} props
 */
export function Strip({ changes, label, width = 240 }) {
  const to = now.value;
  const from = to - KEPT_MS;
  const spans = changes.map((change, at) => ({
    status: change.status, start: Math.max(change.at, from), end: Math.max(changes[at + 1]?.at ?? to, from),
  })).filter((one) => one.end > from);
  const first = spans[0]?.start ?? to;
  const x = (/** @type {number} */ at) => ((at - from) / KEPT_MS) * width;
  const said = spans.map((one) => `${one.status} for ${span(one.end - one.start)}`).join(", then ");
  return html`<svg class="strip" role="img" aria-label=${`${label}: ${said || "not seen yet"}`} viewBox=${`0 0 ${width} 14`} width=${width} height="14" preserveAspectRatio="none">
    <rect class="t-none" x="0" y="4" width=${Math.max(0, x(first))} height="6"><title>the page was not open</title></rect>
    ${spans.map((one) => html`<rect class=${`t${severity(one.status)} ${one.status === "gone" ? "t-gone" : ""}`} x=${x(one.start)} y=${severity(one.status) >= 2 ? 0 : 2}
      width=${Math.max(1.5, x(one.end) - x(one.start))} height=${severity(one.status) >= 2 ? 14 : 10}>
      <title>${one.status} since ${new Date(one.start).toLocaleTimeString()}, for ${span(one.end - one.start)}</title></rect>`)}
  </svg>`;
}

/**
 * @typedef {object} Server
 * @property {string} name
 * @property {boolean} leader
 * @property {boolean} voter
 * @property {boolean} healthy
 * @property {number | null} lag entries behind the leader; null: not known
 * @property {string} contact
 */

/**
 * One cluster: who leads, who votes, how far the others are.
 * @param {{ servers: Server[] }} props
 */
export function Cluster({ servers }) {
  const leader = servers.find((one) => one.leader);
  const others = servers.filter((one) => one !== leader);
  const [width, step, top] = [560, Math.min(170, 540 / Math.max(1, others.length)), 24];
  const height = others.length ? 172 : 74;
  const x = (/** @type {number} */ at) => width / 2 + (at - (others.length - 1) / 2) * step;
  const summary = `${counted(servers.length, "server")}, ${leader ? `${leader.name} leads` : "nobody leads"}. ${others.map((one) => `${one.name}: ${lagOf(one)}`).join("; ")}`;
  return html`<svg class="cluster" role="img" aria-label=${summary} viewBox=${`0 0 ${width} ${height}`}>
    ${leader ? others.map((one, at) => html`<line x1=${width / 2} y1=${top + 26} x2=${x(at)} y2="112" class=${one.healthy ? "wire" : "wire broken"} stroke-width=${one.lag ? 1 : 2.5} />
      <text x=${(width / 2 + x(at)) / 2 + 6} y=${(top + 148) / 2} class="dim">${lagOf(one)}</text>`) : null}
    ${leader ? html`<${Box} x=${width / 2} y=${top} server=${leader} width=${180} />` : html`<text x=${width / 2} y="40" text-anchor="middle">no leader</text>`}
    ${others.map((one, at) => html`<${Box} x=${x(at)} y=${120} server=${one} width=${step - 12} />`)}
  </svg>`;
}

/** @param {Server} server */
function lagOf(server) {
  if (!server.healthy) return "unhealthy";
  return server.lag === null ? "" : server.lag === 0 ? "level" : `${counted(server.lag, "entry", "entries")} behind`;
}

/** @param {{ x: number, y: number, server: Server, width: number }} props */
function Box({ x, y, server, width }) {
  const room = Math.max(4, Math.floor(width / 7.4));
  const name = server.name.length > room ? `${server.name.slice(0, room - 1)}…` : server.name;
  return html`<g class=${`box ${server.leader ? "leads" : ""} ${server.voter ? "" : "silent"} ${server.healthy ? "" : "broken"}`}>
    <rect x=${x - width / 2} y=${y - 18} width=${width} height="44" rx="7"><title>${server.name}</title></rect>
    <text x=${x} y=${y} text-anchor="middle">${name}</text>
    <text x=${x} y=${y + 17} text-anchor="middle" class="dim">${server.leader ? "leader" : server.voter ? "voter" : "no vote"}${server.healthy ? "" : ", unhealthy"}</text>
  </g>`;
}

/**
 * Who calls a service and whom it calls.
 * @param {{ name: string, downstreams: { Name: string }[], upstreams: { Name: string }[], allowed: (one: any) => boolean | null }} props
 */
export function Topology({ name, downstreams, upstreams, allowed }) {
  const rows = Math.max(downstreams.length, upstreams.length, 1);
  const height = rows * 40 + 20;
  const y = (/** @type {number} */ at, /** @type {number} */ count) => height / 2 + (at - (count - 1) / 2) * 40;
  const word = (/** @type {any} */ one) => ({ true: "allowed", false: "denied", null: "" })[String(allowed(one))] ?? "";
  const side = (/** @type {any[]} */ list, /** @type {number} */ x, /** @type {number} */ from, /** @type {number} */ to) => list.map((one, at) => html`
    <line x1=${from} y1=${y(at, list.length)} x2=${to} y2=${height / 2} class=${allowed(one) === false ? "wire broken" : "wire"} />
    <g class="box"><rect x=${x} y=${y(at, list.length) - 15} width="170" height="30" rx="6"><title>${one.Name} ${word(one)}</title></rect>
    <text x=${x + 85} y=${y(at, list.length) + 4} text-anchor="middle">${one.Name.slice(0, 22)}</text></g>`);
  const said = `${name}: called by ${downstreams.map((one) => one.Name).join(", ") || "nobody known"}; calls ${upstreams.map((one) => one.Name).join(", ") || "nobody known"}`;
  return html`<svg role="img" aria-label=${said} viewBox=${`0 0 720 ${height}`} class="cluster">
    ${side(downstreams, 10, 180, 275)}${side(upstreams, 540, 540, 445)}
    <g class="box leads"><rect x="275" y=${height / 2 - 18} width="170" height="36" rx="7" /><text x="360" y=${height / 2 + 4} text-anchor="middle">${name.slice(0, 22)}</text></g>
  </svg>`;
}
