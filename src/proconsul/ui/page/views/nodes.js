// All nodes, or one: what gossip says of it and why, its checks, services, sessions and distances.
import { html, useEffect, useMemo } from "../lib/ui.js";
import { useLive, usePoll } from "../lib/live.js";
import { encodePath } from "../lib/api.js";
import { elsewhere, inAddress, link, place } from "../lib/route.js";
import { agent, ours } from "../lib/settings.js";
import { checkKey, remember } from "../lib/memory.js";
import { ago, severity, worstFirst, worstOf } from "../lib/format.js";
import { Action, Card, CheckCounts, Copy, Empty, Facts, now, Page, Status, Tabs, Tags } from "../parts/bits.js";
import { change } from "../parts/dialog.js";
import { List } from "../parts/list.js";
import { Check } from "./service.js";

const STATES = ["none", "alive", "leaving", "left", "failed"];
const GOSSIP = /** @type {Record<string, string>} */ ({ alive: "passing", leaving: "warning", left: "warning", failed: "critical" });

/** @param {{ parts: string[] }} props */
export default function Nodes({ parts }) {
  return parts[0] ? html`<${Node} name=${parts.join("/")} />` : html`<${All} />`;
}

/** @param {any} node @returns {string} */
const statusOf = (node) => worstOf((node.Checks ?? []).map((/** @type {any} */ check) => check.Status));

/**
 * How long a packet goes to and fro between two coordinates, in milliseconds: Vivaldi's distance with heights and adjustments.
 * @param {any} a @param {any} b as /v1/coordinate/nodes gives them
 */
export function roundTripMs(a, b) {
  if (!a || !b || a.Vec.length !== b.Vec.length) return NaN;
  const square = a.Vec.reduce((/** @type {number} */ sum, /** @type {number} */ x, /** @type {number} */ at) => sum + (x - b.Vec[at]) ** 2, 0);
  const plain = Math.sqrt(square) + a.Height + b.Height;
  const adjusted = plain + a.Adjustment + b.Adjustment;
  return (adjusted > 0 ? adjusted : plain) * 1_000;
}

/**
 * What gossip says of a node, and so whether an agent keeps it; "": none does. Another datacenter's gossip is known here by the
 * check it leaves in the catalog only.
 * @param {any} node @param {any} member
 */
function stateOf(node, member) {
  if (member) return STATES[member.Status] ?? "";
  const check = elsewhere.value ? (node?.Checks ?? []).find((/** @type {any} */ one) => one.CheckID === "serfHealth") : undefined;
  return check ? (check.Status === "critical" ? "failed" : "alive") : "";
}

/** Members by name, as this agent's gossip has them; only of its own datacenter. */
function useMembers() {
  const here = !elsewhere.value;
  const { data } = usePoll(here ? "agent/members" : "", 5_000).value;
  return useMemo(() => new Map((data ?? []).map((/** @type {any} */ one) => [one.Name, one])), [data]);
}

/** @type {Record<string, (node: any) => string | string[]>} */
const FIELDS = {
  "": (node) => [node.Node, node.Address, ...Object.values(node.Meta ?? {}).map(String)], name: (node) => node.Node, address: (node) => node.Address, status: statusOf,
  service: (node) => (node.Services ?? []).map((/** @type {any} */ one) => one.Service), meta: (node) => Object.entries(node.Meta ?? {}).map(([name, value]) => `${name}=${value}`),
  state: (node) => node.state, role: (node) => node.role,
};

/** @type {import("../parts/list.js").Column<any>[]} */
const COLUMNS = [
  { id: "name", title: "Node", width: "minmax(8rem, 1.5fr)", by: (node) => node.Node, cell: (node) => html`<a href=${link("nodes", [node.Node])}>${node.Node}</a>
    ${node.leader ? html` <span class="badge">leader</span>` : node.role === "server" ? html` <span class="badge">server</span>` : null}` },
  { id: "status", title: "Checks", width: "minmax(6.5rem, 1fr)", by: (node) => -severity(statusOf(node)),
    cell: (node) => html`<${CheckCounts} checks=${node.Checks} />` },
  { id: "state", title: "Gossip", width: "7rem", wide: true, by: (node) => node.state, cell: (node) => (node.state ? html`<${Status} status=${GOSSIP[node.state] ?? ""} text=${node.state} />` : html`<span class="dim">no agent</span>`) },
  { id: "address", title: "Address", width: "minmax(7rem, 1fr)", wide: true, by: (node) => node.Address, cell: (node) => node.Address },
  { id: "services", title: "Services", width: "5rem", wide: true, by: (node) => (node.Services ?? []).length, cell: (node) => (node.Services ?? []).length },
  { id: "rtt", title: "Round trip", width: "6.5rem", wide: true, by: (node) => (Number.isNaN(node.rtt) ? 1e9 : node.rtt), cell: (node) => (Number.isNaN(node.rtt) ? "" : `${node.rtt.toFixed(2)} ms`) },
  { id: "version", title: "Version", width: "6rem", wide: true, by: (node) => node.version, cell: (node) => node.version },
];

function All() {
  const live = useLive("internal/ui/nodes").value;
  const members = useMembers();
  const coordinates = usePoll("coordinate/nodes", 30_000).value.data;
  const leader = usePoll("status/leader", 10_000).value.data;
  const rows = useMemo(() => {
    const places = new Map((coordinates ?? []).map((/** @type {any} */ one) => [one.Node, one.Coord]));
    const here = elsewhere.value ? undefined : places.get(agent.NodeName);
    return (live.data ?? []).map((/** @type {any} */ node) => {
      const member = /** @type {any} */ (members.get(node.Node));
      const tags = member?.Tags ?? {};
      const role = tags.role === "consul" ? "server" : tags.role === "node" ? "client" : "";
      return {
        ...node, state: stateOf(node, member), role, version: (tags.build ?? node.Meta?.["consul-version"] ?? "").split(":")[0],
        leader: role === "server" && leader === `${node.Address}:${tags.port}`, rtt: roundTripMs(here, places.get(node.Node)),
      };
    });
  }, [live.data, members, coordinates, leader]);
  return html`
    <${Page} view="nodes" title="Nodes" ready=${live.data !== undefined || live.error !== null} live=${live}>
      <${List} label="nodes" rows=${rows} rowKey=${(/** @type {any} */ node) => node.Node} columns=${COLUMNS} fields=${FIELDS} order="name"
        stamp=${(/** @type {any} */ node) => `${statusOf(node)} ${(node.Services ?? []).length} ${node.Address}`}
        quick=${[["status:critical", "critical"], ["status:warning", "warning"], ["role:server", "servers"], ["state:failed", "failed"]]}
        empty="There are no nodes, or this token may see none." />
    <//>`;
}

/** @param {{ name: string }} props */
function Node({ name }) {
  const live = useLive(`internal/ui/node/${encodePath(name)}`).value;
  const tab = useMemo(() => inAddress("tab", "checks"), []);
  const members = useMembers();
  const node = live.data;
  const member = /** @type {any} */ (members.get(name));
  useEffect(() => {
    if (node) remember((node.Checks ?? []).map((/** @type {any} */ check) => [checkKey(elsewhere.value, check.Node, check.CheckID), check.Status]));
  }, [node]);
  const ready = live.data !== undefined || live.error !== null;
  const state = stateOf(node, member);
  return html`
    <${Page} view="node" title=${name} crumbs=${[["Nodes", link("nodes")]]} ready=${ready} live=${live} actions=${node ? html`<${NodeActions} node=${node} state=${state} />` : null}>
      ${ready && !node && !live.error ? html`<div class="note warn">There is no such node, or this token may not see it.</div>` : null}
      ${node ? html`
        <${Card} title="Node"><${Facts} pairs=${[
          ["Checks", html`<${CheckCounts} checks=${node.Checks} />`],
          ["Gossip", state ? html`<${Status} status=${GOSSIP[state] ?? ""} text=${state} />` : !elsewhere.value ? "no agent of this name is a member" : ""],
          ["Address", html`${node.Address} <${Copy} text=${node.Address} />`], ["Other addresses", Object.entries(node.TaggedAddresses ?? {}).map(([kind, address]) => `${kind}: ${address}`).join(", ")],
          ["Id", node.ID], ["Version", member?.Tags.build?.split(":")[0]],
        ]} /><//>
        <${Tabs} choice=${tab} label="What of the node" tabs=${[["checks", `Checks (${(node.Checks ?? []).length})`], ["services", `Services (${(node.Services ?? []).length})`],
          ["sessions", "Sessions"], ["distance", "Round trips"], ["why", "Evidence"], ["meta", "Meta"], ["json", "JSON"]]} />
        <${NodeTab} tab=${tab.value} node=${node} member=${member} />` : null}
    <//>`;
}

/** @param {{ tab: string, node: any, member: any }} props */
function NodeTab({ tab, node, member }) {
  switch (tab) {
    case "services": return html`<${Services} node=${node} />`;
    case "sessions": return html`<${Sessions} name=${node.Node} />`;
    case "distance": return html`<${Distances} name=${node.Node} />`;
    case "why": return html`<${Why} name=${node.Node} member=${member} />`;
    case "meta": return html`<${Card} title="Meta"><${Facts} pairs=${Object.entries(node.Meta ?? {})} />${Object.keys(node.Meta ?? {}).length ? null : html`<${Empty}>None.<//>`}<//>`;
    case "json": return html`<${Copy} text=${JSON.stringify(node, null, 2)} block />`;
    default: return html`<${Card} title="Checks">${(node.Checks ?? []).length
      ? worstFirst(node.Checks).slice(0, 300).map((check) => html`<${Check} key=${check.CheckID} check=${check} />`) : html`<${Empty}>It has no checks.<//>`}<//>`;
  }
}

/** @param {{ node: any }} props */
function Services({ node }) {
  const checksOf = (/** @type {any} */ one) => (node.Checks ?? []).filter((/** @type {any} */ check) => !check.ServiceID || check.ServiceID === one.ID);
  const serviceStatus = (/** @type {any} */ one) => statusOf({ Checks: checksOf(one) });
  /** @type {import("../parts/list.js").Column<any>[]} */
  const columns = [
    { id: "service", title: "Service", width: "minmax(8rem, 1.5fr)", by: (one) => one.Service, cell: (one) => html`<a href=${link("instance", [one.Service, node.Node, one.ID])}>${one.Service}</a>` },
    { id: "status", title: "Status", width: "7.5rem", by: (one) => -severity(serviceStatus(one)), cell: (one) => html`<${Status} status=${serviceStatus(one)} />` },
    { id: "id", title: "Id", wide: true, by: (one) => one.ID, cell: (one) => one.ID },
    { id: "port", title: "Port", width: "5rem", wide: true, by: (one) => one.Port, cell: (one) => one.Port || "" },
    { id: "tags", title: "Tags", width: "1.5fr", wide: true, cell: (one) => html`<${Tags} tags=${one.Tags} max=${4} />` },
  ];
  return html`<${List} label=${`services of ${node.Node}`} rows=${node.Services ?? []} rowKey=${(/** @type {any} */ one) => one.ID} columns=${columns} order="service"
    fields=${{ "": (/** @type {any} */ one) => [one.Service, one.ID, ...(one.Tags ?? [])], status: serviceStatus, tag: (/** @type {any} */ one) => one.Tags ?? [] }} empty="No services on this node." />`;
}

/** @param {{ name: string }} props */
function Sessions({ name }) {
  const live = useLive(`session/node/${encodePath(name)}`).value;
  return html`<${Card} title="Lock sessions">${(live.data ?? []).length ? html`<div class="scroll-x"><table class="plain"><thead><tr><th>Session</th><th>Id</th><th>TTL</th><th>On its end</th></tr></thead><tbody>
    ${live.data.map((/** @type {any} */ one) => html`<tr key=${one.ID}><td><a href=${link("sessions", [one.ID])}>${one.Name || "no name"}</a></td><td class="mono">${one.ID}</td><td>${one.TTL || "none"}</td><td>${one.Behavior}</td></tr>`)}</tbody></table></div>`
    : html`<${Empty}>${live.error ? live.error.message : live.data === undefined ? "Asking." : "No sessions."}<//>`}<//>`;
}

/** @param {{ name: string }} props */
function Distances({ name }) {
  const data = usePoll("coordinate/nodes", 30_000).value.data;
  const mine = (data ?? []).find((/** @type {any} */ one) => one.Node === name)?.Coord;
  const rows = (data ?? []).filter((/** @type {any} */ one) => one.Node !== name).map((/** @type {any} */ one) => ({ node: one.Node, ms: roundTripMs(mine, one.Coord) }))
    .filter((/** @type {any} */ one) => !Number.isNaN(one.ms)).sort((/** @type {any} */ a, /** @type {any} */ b) => a.ms - b.ms);
  if (!rows.length) return html`<${Card} title="Round trips"><${Empty}>${data ? "No coordinates to compare with." : "Asking."}<//><//>`;
  const at = (/** @type {number} */ part) => rows[Math.floor((rows.length - 1) * part)].ms.toFixed(2);
  return html`<${Card} title="Round trips"><p>Estimated by the nodes' coordinates: shortest ${at(0)} ms, median ${at(0.5)} ms, longest ${at(1)} ms.</p>
    <table class="plain"><thead><tr><th>Node</th><th>Round trip</th></tr></thead><tbody>${rows.slice(0, 50).map((/** @type {any} */ one) => html`<tr key=${one.node}><td><a href=${link("nodes", [one.node])}>${one.node}</a></td><td>${one.ms.toFixed(2)} ms</td></tr>`)}</tbody></table><//>`;
}

/** What led this agent to think of the node as it does. @param {{ name: string, member: any }} props */
function Why({ name, member }) {
  const here = ours && !elsewhere.value;
  const { data, error } = usePoll(here && member ? `agent/members?why=${encodeURIComponent(name)}` : "", 5_000).value;
  if (!here) return html`<${Card} title="Evidence"><${Empty}>Only a proconsul agent of the same datacenter can tell.<//><//>`;
  if (!member) return html`<${Card} title="Evidence"><${Empty}>No member of the gossip pool has this name.<//><//>`;
  return html`<${Card} title=${`Why this agent holds it for ${STATES[member.Status]}`}>
    ${error ? html`<${Empty}>${error.message}<//>` : null}
    ${(data?.Evidence ?? []).length ? html`<table class="plain"><thead><tr><th>When</th><th>From</th><th>What</th></tr></thead><tbody>
      ${[...data.Evidence].reverse().map((/** @type {any} */ one) => html`<tr><td>${ago(one.At * 1_000, now.value)}</td><td>${one.From}</td><td>${one.What}</td></tr>`)}</tbody></table>` : null}
    <${Facts} pairs=${[["Forgotten", data?.ReapAt ? new Date(data.ReapAt * 1_000).toLocaleString() : ""], ["Conflict", data?.Conflict], ...Object.entries(member.Tags ?? {})]} /><//>`;
}

/** @param {{ node: any, state: string }} props */
function NodeActions({ node, state }) {
  const name = node.Node;
  const here = !elsewhere.value;
  const forceLeave = () => change({
    method: "PUT", path: `agent/force-leave/${encodePath(name)}`, done: `${name} has been made to leave.`,
    question: { title: `Force ${name} to leave`, danger: true, typed: name, confirm: "Force leave",
      body: "Its state becomes left: the leader takes it with its services and checks out of the catalog, and a server out of the peers. If the agent still runs, it will come back by itself." },
  });
  const deregister = () => change({
    method: "PUT", path: "catalog/deregister", body: { Node: name, Datacenter: place.value.dc }, done: `${name} is deregistered.`,
    question: { title: `Deregister node ${name}`, danger: true, typed: name, confirm: "Deregister", body: `Its ${(node.Services ?? []).length} services and ${(node.Checks ?? []).length} checks go with it. No agent keeps it.` },
  });
  return html`
    ${here && state && state !== "left" && name !== agent.NodeName ? html`<${Action} need=${{ Resource: "operator", Access: "write" }} run=${forceLeave} danger>Force leave<//>` : null}
    ${!state || state === "left" ? html`<${Action} need=${{ Resource: "node", Access: "write", Segment: name }} run=${deregister} danger>Deregister<//>` : null}`;
}
