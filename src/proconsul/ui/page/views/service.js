// One service, and one instance of it: who answers, on what address, and why not.
import { html, useEffect, useMemo } from "../lib/ui.js";
import { useLive, usePoll } from "../lib/live.js";
import { asCurl, asDig, encodePath, pathOf } from "../lib/api.js";
import { elsewhere, inAddress, link, place } from "../lib/route.js";
import { agent, ours } from "../lib/settings.js";
import { checkKey, historyOf, remember, serviceKey } from "../lib/memory.js";
import { severity, worstFirst, worstOf } from "../lib/format.js";
import { dnsOf } from "../lib/records.js";
import { Card, CheckCounts, Copy, Counts, Empty, Facts, Page, Raw, Status, Tabs, Tags, WhyNot, Action } from "../parts/bits.js";
import { change } from "../parts/dialog.js";
import { List } from "../parts/list.js";
import { Strip, Topology } from "../parts/picture.js";

/** @typedef {{ Node: any, Service: any, Checks: any[] }} Entry as /v1/health/service gives it */

/** The worst of an instance's checks. @param {Entry} entry */
export function worst(entry) {
  if ((entry.Checks ?? []).some((check) => /^_(node|service)_maintenance/.test(check.CheckID))) return "maintenance";
  return worstOf((entry.Checks ?? []).map((check) => check.Status));
}

/** @param {Entry} entry */
export function addressOf(entry) {
  const address = entry.Service.Address || entry.Node.Address;
  return entry.Service.Port ? `${address.includes(":") ? `[${address}]` : address}:${entry.Service.Port}` : address;
}

/** @param {Entry} entry */
const keyOf = (entry) => `${entry.Node.Node}/${entry.Service.ID}`;

/** @type {Record<string, (entry: Entry) => string | string[]>} */
const FIELDS = {
  "": (entry) => [addressOf(entry), entry.Node.Node, entry.Service.ID, ...(entry.Service.Tags ?? [])],
  status: worst, node: (entry) => entry.Node.Node, tag: (entry) => entry.Service.Tags ?? [], id: (entry) => entry.Service.ID,
  address: addressOf, meta: (entry) => Object.entries(entry.Service.Meta ?? {}).map(([name, value]) => `${name}=${value}`),
  output: (entry) => (entry.Checks ?? []).map((check) => check.Output ?? ""),
};

/** @type {import("../parts/list.js").Column<Entry>[]} */
const COLUMNS = [
  { id: "address", title: "Address", width: "minmax(8.5rem, 1.2fr)", by: addressOf,
    cell: (entry) => html`<a href=${link("instance", [entry.Service.Service, entry.Node.Node, entry.Service.ID])}>${addressOf(entry)}</a>` },
  { id: "status", title: "Status", width: "7.5rem", by: (entry) => -severity(worst(entry)), cell: (entry) => html`<${Status} status=${worst(entry)} />` },
  { id: "checks", title: "Checks", width: "7rem", wide: true,
    cell: (entry) => html`<${CheckCounts} checks=${entry.Checks} />` },
  { id: "node", title: "Node", width: "minmax(6rem, 1fr)", wide: true, by: (entry) => entry.Node.Node, cell: (entry) => html`<a href=${link("nodes", [entry.Node.Node])}>${entry.Node.Node}</a>` },
  { id: "id", title: "Id", width: "minmax(6rem, 1fr)", wide: true, by: (entry) => entry.Service.ID, cell: (entry) => entry.Service.ID },
  { id: "tags", title: "Tags", width: "minmax(5rem, 1.5fr)", wide: true, cell: (entry) => html`<${Tags} tags=${entry.Service.Tags} max=${4} />` },
];

/** @param {{ name: string }} props */
export function Service({ name }) {
  const live = useLive(`health/service/${encodePath(name)}`).value;
  const tab = useMemo(() => inAddress("tab", "instances"), []);
  /** @type {Entry[]} */
  const entries = useMemo(() => live.data ?? [], [live.data]);
  useEffect(() => {
    if (live.data) remember([[serviceKey(elsewhere.value, name), entries.length ? worstOf(entries.map(worst)) : "gone"]]);
  }, [live.data]);
  return html`
    <${Page} view="service" title=${name} crumbs=${[["Services", link("services")]]} ready=${live.data !== undefined || live.error !== null} live=${live}
        actions=${html`<${Dashboard} name=${name} />`}>
      <div class="dim">Last hour <${Strip} changes=${historyOf(serviceKey(elsewhere.value, name))} label="Health in the last hour" width=${480} /></div>
      <${Tabs} choice=${tab} label="What of the service" tabs=${[["instances", `Instances (${entries.length})`], ["checks", "Checks"], ["topology", "Topology"], ["ask", "How to ask"], ["json", "JSON"]]} />
      ${tab.value === "instances" ? html`
        <${List} label=${`instances of ${name}`} rows=${entries} rowKey=${keyOf} columns=${COLUMNS} fields=${FIELDS} order="address"
          stamp=${(/** @type {Entry} */ entry) => `${worst(entry)} ${addressOf(entry)} ${entry.Service.Tags}`}
          quick=${[["status:critical", "critical"], ["status:warning", "warning"], ["status:passing", "passing"]]}
          empty="No instance of this service is registered, or this token may see none." />` : null}
      ${tab.value === "checks" ? html`<${AllChecks} entries=${entries} />` : null}
      ${tab.value === "topology" ? html`<${Neighbours} name=${name} entries=${entries} />` : null}
      ${tab.value === "ask" ? html`<${HowToAsk} name=${name} entries=${entries} />` : null}
      ${tab.value === "json" ? html`<${Copy} text=${JSON.stringify(live.data, null, 2)} block />` : null}
    <//>`;
}

/** A link to where the operator's graphs are, from ui_config.dashboard_url_templates. @param {{ name: string }} props */
function Dashboard({ name }) {
  const values = /** @type {Record<string, string>} */ ({ "Service.Name": name, "Service.Namespace": "default", "Service.Partition": "default", Datacenter: place.value.dc });
  const href = (agent.DashboardURLTemplates?.service ?? "").replace(/\{\{\s*([\w.]+)\s*\}\}/g, (_, word) => encodeURIComponent(values[word] ?? ""));
  return /^https?:\/\//.test(href) ? html`<a class="button" href=${href} target="_blank" rel="noopener noreferrer">Dashboard</a>` : null;
}

/** Every check of every instance, the worst first. @param {{ entries: Entry[] }} props */
function AllChecks({ entries }) {
  const seen = new Map(entries.flatMap((entry) => (entry.Checks ?? []).map((check) => /** @type {[string, any]} */ ([`${check.Node}/${check.CheckID}`, check]))));
  const checks = worstFirst(seen.values());
  const bad = checks.filter((check) => check.Status !== "passing");
  return html`<${Card} title=${bad.length ? "Not passing" : "All checks pass"}>
    ${(bad.length ? bad : checks).slice(0, 200).map((check) => html`<${Check} key=${`${check.Node}/${check.CheckID}`} check=${check} where />`)}
    ${checks.length === 0 ? html`<${Empty}>There are no checks.<//>` : null}<//>`;
}

/** @param {{ check: any, where?: boolean }} props */
export function Check({ check, where = false }) {
  const definition = check.Definition ?? {};
  const key = checkKey(elsewhere.value, check.Node, check.CheckID);
  return html`<section class=${`check c${severity(check.Status)}`} data-check=${check.CheckID}>
    <header><h3>${check.Name || check.CheckID}</h3><${Status} status=${check.Status} />
      ${where ? html`<a href=${link("nodes", [check.Node])}>${check.Node}</a>` : null}
      <${Strip} changes=${historyOf(key)} label=${`${check.Name || check.CheckID} in the last hour`} /></header>
    <${Facts} pairs=${[["Id", check.CheckID], ["Of", check.ServiceID || "the node"], ["Type", check.Type], ["Notes", check.Notes],
      ["Every", definition.Interval], ["Time-out", definition.Timeout], ["Asks", definition.HTTP || definition.TCP || definition.GRPC],
      ["Deregisters after", definition.DeregisterCriticalServiceAfter], ["Changed at index", check.ModifyIndex]]} />
    ${check.Output ? html`<pre class="output" tabindex="0" aria-label="Output">${check.Output}</pre>` : html`<p class="hint">No output.</p>`}
  </section>`;
}

/** Who calls it and whom it calls, as far as the mesh knows. @param {{ name: string, entries: Entry[] }} props */
function Neighbours({ name, entries }) {
  const kind = entries[0]?.Service.Kind ?? "";
  const live = useLive(`internal/ui/service-topology/${encodePath(name)}?kind=${encodeURIComponent(kind)}`).value;
  const data = live.data;
  if (!data) {
    const why = live.error?.status === 404 || live.error?.status === 400
      ? "This agent does not know the topology of services." : live.error ? live.error.message : "Asking.";
    return html`<${Card} title="Topology"><${Empty}>${why}<//><//>`;
  }
  const allowed = (/** @type {any} */ one) => one.Intention?.Allowed ?? null;
  const side = (/** @type {any[]} */ list, /** @type {string} */ title) => html`<${Card} title=${title}>
    ${list.length ? html`<ul>${list.map((one) => html`<li><a href=${link("services", [one.Name])}>${one.Name}</a>
      ${allowed(one) === null ? null : html` <span class="badge">${allowed(one) ? "allowed" : "denied"}</span>`}
      <${Counts} passing=${one.ChecksPassing ?? 0} warning=${one.ChecksWarning ?? 0} critical=${one.ChecksCritical ?? 0} /></li>`)}</ul>` : html`<${Empty}>None is known.<//>`}<//>`;
  return html`<${Card} title="Topology"><${Topology} name=${name} downstreams=${data.Downstreams ?? []} upstreams=${data.Upstreams ?? []} allowed=${allowed} /><//>
    <div class="cards">${side(data.Downstreams ?? [], "Called by")}${side(data.Upstreams ?? [], "Calls")}</div>`;
}

/** The same question for a terminal. @param {{ name: string, entries: Entry[] }} props */
function HowToAsk({ name, entries }) {
  const self = usePoll("agent/self", 600_000).value.data;
  const { domain, port } = dnsOf(self);
  const dc = elsewhere.value ? `${elsewhere.value}.` : "";
  const host = location.hostname || "127.0.0.1";
  const tags = [...new Set(entries.flatMap((entry) => entry.Service.Tags ?? []))].filter((tag) => /^[\w-]+$/.test(tag)).slice(0, 5);
  const names = [`${name}.service.${dc}${domain}`, ...tags.map((tag) => `${tag}.${name}.service.${dc}${domain}`)];
  const paths = [`health/service/${encodePath(name)}?passing`, `catalog/service/${encodePath(name)}`];
  return html`<${Card} title="DNS">${port <= 0 ? html`<${Empty}>This agent answers no DNS.<//>` : names.map((one) => html`<${Copy} text=${asDig(host, port, one)} block />`)}<//>
    <${Card} title="HTTP">${paths.map((path) => html`<${Copy} text=${asCurl("GET", pathOf(path))} block />`)}<//>`;
}

/** One instance. @param {{ parts: string[] }} props */
export function Instance({ parts }) {
  const [name = "", node = "", id = ""] = parts;
  const live = useLive(`health/service/${encodePath(name)}`).value;
  /** @type {Entry | undefined} */
  const entry = (live.data ?? []).find((/** @type {Entry} */ one) => one.Node.Node === node && one.Service.ID === id);
  useEffect(() => {
    if (entry) remember((entry.Checks ?? []).map((check) => [checkKey(elsewhere.value, check.Node, check.CheckID), check.Status]));
  }, [live.data]);
  const ready = live.data !== undefined || live.error !== null;
  return html`
    <${Page} view="instance" title=${id || name} ready=${ready} live=${live} crumbs=${[["Services", link("services")], [name, link("services", [name])]]}
        actions=${entry ? html`<${InstanceActions} entry=${entry} />` : null}>
      ${ready && !entry ? html`<div class="note warn">There is no such instance (any more). <a href=${link("services", [name])}>All instances of ${name}</a></div>` : null}
      ${entry ? html`<${InstanceBody} entry=${entry} />` : null}
    <//>`;
}

/** @param {{ entry: Entry }} props */
function InstanceBody({ entry }) {
  const { Service: service, Node: node } = entry;
  const proxy = service.Proxy ?? {};
  const tagged = Object.entries(service.TaggedAddresses ?? {}).map(([kind, one]) => `${kind}: ${/** @type {any} */ (one).Address}:${/** @type {any} */ (one).Port}`);
  return html`<div class="cards">
    <${Card} title="Instance"><${Facts} pairs=${[
      ["Status", html`<${Status} status=${worst(entry)} />`], ["Address", html`${addressOf(entry)} <${Copy} text=${addressOf(entry)} />`],
      ["Node", html`<a href=${link("nodes", [node.Node])}>${node.Node}</a> ${node.Address}`], ["Kind", service.Kind], ["Tags", service.Tags?.length ? html`<${Tags} tags=${service.Tags} />` : ""],
      ["Weights", service.Weights ? `passing ${service.Weights.Passing}, warning ${service.Weights.Warning}` : ""], ["Other addresses", tagged.join(", ")],
      ["Tag override", service.EnableTagOverride ? "others may change the tags" : ""], ["Created, changed", `at index ${service.CreateIndex}, ${service.ModifyIndex}`],
    ]} /><//>
    <${Owner} entry=${entry} />
    ${Object.keys(service.Meta ?? {}).length ? html`<${Card} title="Meta"><${Facts} pairs=${Object.entries(service.Meta)} /><//>` : null}
    ${proxy.DestinationServiceName || proxy.Upstreams?.length || proxy.Expose?.Paths?.length ? html`<${Card} title="Proxy"><${Facts} pairs=${[
      ["Stands for", proxy.DestinationServiceName ? html`<a href=${link("services", [proxy.DestinationServiceName])}>${proxy.DestinationServiceName}</a> ${proxy.DestinationServiceID ?? ""}` : ""], ["Mode", proxy.Mode],
      ...(proxy.Upstreams ?? []).map((/** @type {any} */ one) => [one.DestinationName, `${one.DestinationType ?? "service"} on ${one.LocalBindAddress || "127.0.0.1"}:${one.LocalBindPort}${one.Datacenter ? ` in ${one.Datacenter}` : ""}`]),
      ...(proxy.Expose?.Paths ?? []).map((/** @type {any} */ one) => [`Exposes ${one.Path}`, `port ${one.ListenerPort} to ${one.LocalPathPort}, ${one.Protocol}`]),
    ]} /><//>` : null}
  </div>
  <${Card} title="Checks">${(entry.Checks ?? []).length ? worstFirst(entry.Checks).map((check) => html`<${Check} key=${check.CheckID} check=${check} />`) : html`<${Empty}>It has no checks, so it counts as passing.<//>`}<//>
  <${Raw} data=${entry} />`;
}

/** Who registered it, and whether the catalog has what its agent has. @param {{ entry: Entry }} props */
function Owner({ entry }) {
  const here = entry.Node.Node === agent.NodeName && !elsewhere.value;
  const gossip = (entry.Checks ?? []).some((check) => check.CheckID === "serfHealth");
  const sync = usePoll(here && ours ? "agent/sync" : "", 5_000).value.data;
  const mine = sync?.Services?.[entry.Service.ID];
  const state = !mine ? "" : mine.InSync ? "the catalog has what the agent has" : `not in sync: ${mine.Why || mine.LastError || "waiting"}${mine.NextAttempt ? `, next attempt ${mine.NextAttempt}` : ""}`;
  const owner = here ? (sync && !mine ? "The catalog only: this agent does not know it and will remove it." : "This agent.")
    : gossip ? `The agent of ${entry.Node.Node}, which keeps it as it is there.` : "The catalog: it was registered from outside, no agent keeps it.";
  return html`<${Card} title="Owner"><${Facts} pairs=${[["Kept by", owner], ["Sync", state], ["Source", entry.Service.Meta?.["external-source"]]]} /><//>`;
}

/** @param {{ entry: Entry }} props */
function InstanceActions({ entry }) {
  const { Service: service, Node: node } = entry;
  const here = node.Node === agent.NodeName && !elsewhere.value;
  const need = /** @type {const} */ ({ Resource: "service", Access: "write", Segment: service.Service });
  const paused = (entry.Checks ?? []).some((check) => check.CheckID === `_service_maintenance:${service.ID}`);
  const gossip = (entry.Checks ?? []).some((check) => check.CheckID === "serfHealth");
  const maintain = () => change({
    method: "PUT", path: `agent/service/maintenance/${encodePath(service.ID)}`, params: { enable: String(!paused), reason: paused ? undefined : "Set on the web page" },
    done: paused ? `${service.ID} answers again.` : `${service.ID} is in maintenance.`,
    question: { title: paused ? `End maintenance of ${service.ID}` : `Take ${service.ID} out of service`, confirm: paused ? "End maintenance" : "Start maintenance",
      body: paused ? "Its own checks count again." : "A critical check is added: DNS and queries for passing instances leave it out until maintenance ends. The program goes on running." },
  });
  const deregister = () => change(here ? {
    method: "PUT", path: `agent/service/deregister/${encodePath(service.ID)}`, done: `${service.ID} is deregistered.`,
    question: { title: `Deregister ${service.ID}`, danger: true, confirm: "Deregister", typed: service.ID, body: "This agent forgets the service and its checks and takes them out of the catalog. If it comes from a file, it is back at the next start or reload." },
  } : {
    method: "PUT", path: "catalog/deregister", body: { Node: node.Node, ServiceID: service.ID, Datacenter: place.value.dc }, done: `${service.ID} on ${node.Node} is deregistered.`,
    question: { title: `Deregister ${service.ID} on ${node.Node}`, danger: true, confirm: "Deregister", typed: service.ID,
      body: gossip ? "It is taken out of the catalog, but the agent of that node keeps it and will register it again within a minute or two. Deregister it there." : "It is taken out of the catalog. No agent keeps it." },
  });
  return html`<${WhyNot} need=${need} />
    ${here ? html`<${Action} need=${need} run=${maintain}>${paused ? "End maintenance" : "Maintenance"}<//>` : null}
    <${Action} need=${need} run=${deregister} danger>Deregister<//>`;
}
