// How the cluster is, at a glance: who leads, how many may fail, what is not healthy, what happened.
import { html, useMemo } from "../lib/ui.js";
import { useLive, usePoll } from "../lib/live.js";
import { historyOf, serviceKey, services, statusOf } from "../lib/memory.js";
import { agent, ours } from "../lib/settings.js";
import { elsewhere, link, place } from "../lib/route.js";
import { may } from "../lib/rights.js";
import { asText, counted, fromBase64 } from "../lib/format.js";
import { Card, Empty, Facts, Page, Status } from "../parts/bits.js";
import { Cluster, Strip } from "../parts/picture.js";

export default function Overview() {
  const live = services().value;
  const critical = useLive("health/state/critical").value;
  return html`
    <${Page} view="overview" title=${`Datacenter ${place.value.dc}`} ready=${live.data !== undefined || live.error !== null} live=${live}>
      <div class="cards"><${Servers} /><${Health} rows=${live.data ?? []} /></div>
      <${Failing} live=${critical} />
      <${LastHour} rows=${live.data ?? []} />
      <div class="cards"><${Events} /><${Certificates} /></div>
    <//>`;
}

function Servers() {
  const operator = may({ Resource: "operator", Access: "read" });
  const health = usePoll(operator ? "operator/autopilot/health" : "", 5_000).value;
  const why = usePoll(operator && ours ? "operator/autopilot/state" : "", 5_000).value.data;
  const leader = usePoll(operator === false ? "status/leader" : "", 5_000).value.data;
  if (operator === false) {
    return html`<${Card} title="Servers"><${Facts} pairs=${[["Leader", leader || "none"]]} /><p class="hint">The rest needs operator:read.</p><//>`;
  }
  // An unhealthy cluster is told of with status 429, and with the same body.
  const data = health.data ?? bodyOf(health.error);
  if (!data?.Servers) return html`<${Card} title="Servers"><${Empty}>${health.error ? health.error.message : "Asking."}<//><//>`;
  const top = Math.max(...data.Servers.map((/** @type {any} */ one) => one.LastIndex));
  const servers = data.Servers.map((/** @type {any} */ one) => ({
    name: one.Name, leader: one.Leader, voter: one.Voter, healthy: one.Healthy, lag: one.LastIndex ? top - one.LastIndex : null, contact: one.LastContact,
  }));
  return html`<${Card} title="Servers" actions=${html`<a href=${link("operations")}>Operations</a>`}>
    <${Cluster} servers=${servers} />
    <p data-tolerance>${toleranceOf(data, servers)}</p>
    ${why?.Servers ? html`<ul>${Object.values(why.Servers).map((/** @type {any} */ one) => (one.Why ?? []).length ? html`<li><b>${one.Name}</b>: ${one.Why.join("; ")}</li>` : null)}</ul>` : null}
    ${why?.Next ? html`<p class="dim">Autopilot: ${why.Next}.</p>` : null}
    <div class="scroll-x"><table class="plain"><thead><tr><th>Server</th><th>State</th><th>Behind</th><th>Last contact</th><th>Version</th></tr></thead><tbody>
      ${data.Servers.map((/** @type {any} */ one) => html`<tr key=${one.ID}><td><a href=${link("nodes", [one.Name])}>${one.Name}</a>${one.Leader ? html` <span class="badge">leader</span>` : one.Voter ? null : html` <span class="badge">no vote</span>`}</td>
        <td><${Status} status=${one.Healthy ? "passing" : "critical"} text=${one.Healthy ? "healthy" : one.SerfStatus === "alive" ? "unhealthy" : one.SerfStatus} /></td>
        <td>${one.LastIndex ? counted(top - one.LastIndex, "entry", "entries") : "not known"}</td><td>${one.LastContact}</td><td>${one.Version}</td></tr>`)}</tbody></table></div>
  <//>`;
}

/** @param {Error | null} error */
function bodyOf(error) {
  try {
    return error ? JSON.parse(error.message) : null;
  } catch {
    return null;
  }
}

/** How many servers may fail, and why no more. @param {any} data @param {import("../parts/picture.js").Server[]} servers */
function toleranceOf(data, servers) {
  const voters = servers.filter((one) => one.voter);
  const well = voters.filter((one) => one.healthy).length;
  const quorum = Math.floor(voters.length / 2) + 1;
  const may = Math.max(0, well - quorum);
  const rule = `${counted(voters.length, "voter")}, ${well} healthy; a change needs ${quorum}.`;
  if (well < quorum) return `${rule} There are too few: nothing can be changed until more are back.`;
  return `${rule} ${may === 0 ? "If one fails, nothing can be changed" : `${counted(may, "more server")} may fail`}${voters.length === 1 ? ": add servers, three tolerate the loss of one." : "."}`;
}

/** @param {{ rows: any[] }} props */
function Health({ rows }) {
  const count = (/** @type {string} */ status) => rows.filter((row) => statusOf(row) === status).length;
  const sum = (/** @type {string} */ field) => rows.reduce((total, row) => total + (row[field] ?? 0), 0);
  const number = (/** @type {number} */ value, /** @type {any} */ what) => html`<div><div class="big">${value.toLocaleString("en")}</div>${what}</div>`;
  const of = (/** @type {string} */ status) => html`<a href=${link("services", "", { filter: `status:${status}` })}><${Status} status=${status} /></a>`;
  return html`<${Card} title="Services"><div class="numbers">${number(rows.length, html`<a href=${link("services")}>services</a>`)}${number(sum("InstanceCount"), "instances")}
      ${number(count("critical"), of("critical"))}${number(count("warning"), of("warning"))}${number(count("passing"), of("passing"))}</div>
    <h3>Checks</h3><div class="numbers">${number(sum("ChecksCritical"), html`<${Status} status="critical" />`)}${number(sum("ChecksWarning"), html`<${Status} status="warning" />`)}${number(sum("ChecksPassing"), html`<${Status} status="passing" />`)}</div><//>`;
}

/** @param {{ live: import("../lib/live.js").Seen }} props */
function Failing({ live }) {
  const checks = live.data ?? [];
  return html`<${Card} title=${checks.length ? `${counted(checks.length, "check")} critical` : "No check is critical"}>
    ${live.error ? html`<${Empty}>${live.error.message}<//>` : null}
    ${checks.length ? html`<div class="scroll-x"><table class="plain"><thead><tr><th>Check</th><th>Of</th><th>Node</th><th>Output</th></tr></thead><tbody>
      ${checks.slice(0, 15).map((/** @type {any} */ check) => html`<tr key=${`${check.Node}/${check.CheckID}`}><td>${check.Name || check.CheckID}</td>
        <td>${check.ServiceID ? html`<a href=${link("instance", [check.ServiceName, check.Node, check.ServiceID])}>${check.ServiceName}</a>` : "the node"}</td>
        <td><a href=${link("nodes", [check.Node])}>${check.Node}</a></td><td class="mono">${String(check.Output ?? "").slice(0, 160)}</td></tr>`)}</tbody></table></div>` : null}
    ${checks.length > 15 ? html`<p><a href=${link("services", "", { filter: "status:critical" })}>All services with critical checks</a></p>` : null}<//>`;
}

/** Services whose health changed while the page was open. @param {{ rows: any[] }} props */
function LastHour({ rows }) {
  const dc = elsewhere.value;
  const moved = useMemo(() => rows, [rows]).map((row) => ({ name: row.Name, changes: historyOf(serviceKey(dc, row.Name)) }))
    .filter((one) => one.changes.length > 1).sort((a, b) => (b.changes.at(-1)?.at ?? 0) - (a.changes.at(-1)?.at ?? 0));
  return html`<${Card} title="The last hour"><p class="hint">As far as this page was open. The last to change first.</p>
    ${moved.length ? html`<div class="strips">${moved.slice(0, 12).map((one) => html`<a href=${link("services", [one.name])}>${one.name}</a><${Strip} changes=${one.changes} label=${one.name} width=${520} />`)}</div>`
      : html`<${Empty}>No service has changed its health.<//>`}<//>`;
}

function Events() {
  const { data, error } = useLive("event/list").value;
  const recent = [...(data ?? [])].reverse().slice(0, 10);
  const payload = (/** @type {string | null} */ text) => (text ? asText(fromBase64(text)) ?? "(binary)" : "");
  return html`<${Card} title="Recent events">${recent.length ? html`<table class="plain"><thead><tr><th>Event</th><th>Payload</th><th>For</th></tr></thead><tbody>
    ${recent.map((one) => html`<tr key=${one.ID}><td>${one.Name}</td><td class="mono">${payload(one.Payload).slice(0, 120)}</td><td>${[one.NodeFilter, one.ServiceFilter, one.TagFilter].filter(Boolean).join(" ") || "all"}</td></tr>`)}</tbody></table>`
    : html`<${Empty}>${error ? error.message : "This agent has seen none."}<//>`}<//>`;
}

/** Certificates of the agent and when they end, where the agent tells. */
function Certificates() {
  const { data } = usePoll(ours ? "agent/metrics/certificates" : "", 300_000).value;
  if (!data?.certificates) return null;
  const certificates = [...data.certificates].sort((a, b) => (a.seconds_remaining ?? 0) - (b.seconds_remaining ?? 0));
  const status = /** @type {Record<string, string>} */ ({ CRITICAL: "critical", WARNING: "warning", INFO: "passing" });
  return html`<${Card} title=${`Certificates of ${agent.NodeName}`}>${certificates.length ? html`<table class="plain"><thead><tr><th>Certificate</th><th>Ends</th></tr></thead><tbody>
    ${certificates.map((one) => html`<tr key=${one.id}><td>${one.name} <span class="dim">${one.type} ${one.subject ?? ""}</span></td>
      <td><${Status} status=${status[one.severity] ?? ""} text=${`in ${counted(one.days_remaining ?? 0, "day")}`} title=${one.not_after} /></td></tr>`)}</tbody></table>` : html`<${Empty}>This agent uses none.<//>`}<//>`;
}
