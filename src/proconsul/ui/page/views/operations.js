// What operators look after: Raft, autopilot, gossip keys, snapshots, metrics, settings and the agent itself.
import { html, useMemo, useRef, useState } from "../lib/ui.js";
import { asCurl, bytes, call } from "../lib/api.js";
import { useLive, usePoll } from "../lib/live.js";
import { inAddress, link } from "../lib/route.js";
import { may, offers } from "../lib/rights.js";
import { agent, ours } from "../lib/settings.js";
import { counted, size, toBase64 } from "../lib/format.js";
import { flatten, linePoints, remember, shortNumber, without } from "../lib/records.js";
import { change, ask, tell } from "../parts/dialog.js";
import { Action, Age, Card, Copy, Empty, Facts, Page, Raw, Status, Tabs, Trouble, WhyNot } from "../parts/bits.js";
import { Changes, Check, Field, Secret } from "../parts/forms.js";
import { List } from "../parts/list.js";

/** @typedef {import("../lib/rights.js").Need} Need */
/** @type {Need} */
const OPERATOR = { Resource: "operator", Access: "write" };
/** @type {Need} */
const KEYRING = { Resource: "keyring", Access: "write" };
/** @type {Need} */
const SNAPSHOT = { Resource: "acl", Access: "write" };
/** @returns {Need} */
const ofAgent = () => ({ Resource: "agent", Access: "write", Segment: agent.NodeName });

/** @type {[string, string, () => any][]} */
const TABS = [
  ["raft", "Raft", () => html`<${Raft} />`], ["autopilot", "Autopilot", () => html`<${Autopilot} />`], ["keyring", "Keyring", () => html`<${Keyring} />`],
  ["snapshot", "Snapshot", () => html`<${Snapshot} />`], ["metrics", "Metrics", () => html`<${Metrics} />`], ["settings", "Configuration", () => html`<${Settings} />`], ["agent", "Agent", () => html`<${Agent} />`],
];

export default function Operations() {
  const tab = useMemo(() => inAddress("tab", "raft"), []);
  const shown = TABS.find(([id]) => id === tab.value) ?? TABS[0];
  return html`<${Page} view="operations" title="Operations">
    <${Tabs} label="Operations" choice=${tab} tabs=${TABS.map(([id, title]) => [id, title])} />
    <div class="tab-body" key=${tab.value}>${shown?.[2]()}</div><//>`;
}

/** What an endpoint says, or why it says nothing. @param {{ live: import("../lib/live.js").Seen, missing?: string, children?: any }} props */
function Told({ live, missing = "This agent has no such thing.", children }) {
  if (live.error?.status === 404 && live.data === undefined) return html`<${Empty}>${missing}<//>`;
  if (live.data === undefined && !live.error) return html`<${Empty}>Asking.<//>`;
  return html`<${Trouble} live=${live} />${live.data !== undefined ? children : null}`;
}

/** Autopilot tells of trouble with status 429 and the same body. @param {import("../lib/live.js").Seen} live @returns {any} */
function healthOf(live) {
  try {
    return live.error?.status === 429 ? JSON.parse(live.error.message) : live.data;
  } catch {
    return live.data;
  }
}

function Raft() {
  const live = useLive("operator/raft/configuration").value;
  const health = healthOf(usePoll("operator/autopilot/health").value);
  const self = usePoll("agent/self").value.data;
  /** @type {any[]} */
  const servers = live.data?.Servers ?? [];
  const known = new Map((health?.Servers ?? []).map((/** @type {any} */ one) => [one.ID, one]));
  const top = Math.max(0, ...[...known.values()].map((one) => one.LastIndex));
  const row = (/** @type {any} */ one) => {
    const seen = known.get(one.ID);
    const behind = seen?.LastIndex ? top - seen.LastIndex : null;
    return html`<tr key=${one.ID}><td><a href=${link("nodes", [one.Node])}>${one.Node}</a>${one.Leader ? html` <span class="badge">leader</span>` : null}${one.Voter ? null : html` <span class="badge">no vote</span>`}</td>
      <td><code class="nowrap">${one.Address}</code></td>
      <td>${seen ? html`<${Status} status=${seen.Healthy ? "passing" : "critical"} text=${seen.Healthy ? "healthy" : seen.SerfStatus} />` : html`<span class="dim">not known</span>`}</td>
      <td>${seen?.LastIndex ?? ""}${behind ? html` <span class="hint">${counted(behind, "entry", "entries")} behind</span>` : null}</td><td>${seen?.LastContact ?? ""}</td><td>${seen?.Version ?? ""}</td>
      <td><div class="actions">${ours && one.Voter && !one.Leader ? html`<${Action} need=${OPERATOR} run=${() => void transfer(one)}>Make leader<//>` : null}
        ${one.Leader ? null : html`<${Action} need=${OPERATOR} danger run=${() => void removePeer(one)}>Remove<//>`}</div></td></tr>`;
  };
  return html`
    <${Card} title="Servers" actions=${html`<${WhyNot} need=${OPERATOR} />`}>
      <${Told} live=${live}>
        ${health ? html`<p>${health.Healthy ? "All servers are healthy." : "Not all servers are healthy."} ${counted(health.FailureTolerance, "more voter")} may fail.</p>` : null}
        <div class="scroll-x" tabindex="0" role="region" aria-label="Raft servers"><table class="plain"><thead><tr><th>Server</th><th>Address</th><th>State</th><th>Last index</th><th>Last contact</th><th>Version</th><th><span class="sr">Changes</span></th></tr></thead><tbody>
          ${servers.map(row)}</tbody></table></div>
        <${Raw} data=${live.data} />
      <//>
    <//>
    ${self?.Stats?.raft ? html`<${Card} title=${`Raft as ${agent.NodeName || "this agent"} sees it`}><${Facts} pairs=${Object.entries(self.Stats.raft)} /><//>` : null}`;
}

/** @param {any} server */
function removePeer(server) {
  return change({
    method: "DELETE", path: "operator/raft/peer", params: { id: server.ID }, done: `${server.Node} is no Raft peer any more.`,
    question: { title: `Remove ${server.Node} from Raft`, danger: true, confirm: "Remove", typed: server.Node,
      body: html`<p>This is for a server that is gone for good. It takes its vote away; if it still runs, it comes back as soon as it joins. The quorum may change.</p>` },
  });
}

/** @param {any} server */
function transfer(server) {
  return change({
    method: "POST", path: "operator/raft/transfer-leader", params: { id: server.ID }, done: `${server.Node} was asked to lead.`,
    question: { title: `Make ${server.Node} the leader`, confirm: "Hand over", body: html`<p>The leader steps back for it. Writes wait for a moment.</p>` },
  });
}

function Autopilot() {
  const health = usePoll("operator/autopilot/health").value;
  const state = usePoll(ours ? "operator/autopilot/state" : "").value.data;
  const live = usePoll("operator/autopilot/configuration", 10_000).value;
  const [editing, setEditing] = useState(false);
  const data = healthOf(health);
  return html`
    <${Card} title="Health">
      ${data ? html`<p><${Status} status=${data.Healthy ? "passing" : "critical"} text=${data.Healthy ? "healthy" : "not healthy"} />, ${counted(data.FailureTolerance, "more voter")} may fail.</p>
        <div class="scroll-x" tabindex="0" role="region" aria-label="Health of servers"><table class="plain"><thead><tr><th>Server</th><th>State</th><th>Stable for</th><th>Term</th><th>Why</th></tr></thead><tbody>
          ${(data.Servers ?? []).map((/** @type {any} */ one) => html`<tr key=${one.ID}><td>${one.Name}${one.Voter ? null : html` <span class="badge">no vote</span>`}</td>
            <td><${Status} status=${one.Healthy ? "passing" : "critical"} text=${one.Healthy ? "healthy" : one.SerfStatus} /></td>
            <td>${Date.parse(one.StableSince) > 0 ? html`<${Age} at=${Date.parse(one.StableSince)} />` : ""}</td><td>${one.LastTerm}</td><td>${(state?.Servers?.[one.ID]?.Why ?? []).join("; ")}</td></tr>`)}</tbody></table></div>
        ${state?.Next ? html`<p>Next: ${state.Next}.</p>` : null}<${Raw} data=${state ?? data} />` : html`<${Told} live=${health} />`}
    <//>
    <${Card} title="Settings" actions=${editing || !live.data ? null : html`<${Action} need=${OPERATOR} run=${() => setEditing(true)}>Edit<//><${WhyNot} need=${OPERATOR} />`}>
      ${editing && offers(OPERATOR) ? html`<${AutopilotForm} config=${live.data} close=${() => setEditing(false)} />` : html`<${Told} live=${live}>
        <${Facts} pairs=${Object.entries(without(live.data, ["CreateIndex"])).map(([name, value]) => [name, String(value) || html`<span class="dim">none</span>`])} /><//>`}
    <//>`;
}

/** @param {{ config: any, close: () => void }} props */
function AutopilotForm({ config, close }) {
  const read = useMemo(() => config, []);
  const names = useMemo(() => Object.keys(without(read, ["CreateIndex", "ModifyIndex"])), []);
  const [now, setNow] = useState(/** @type {any} */ (read));
  const texts = (/** @type {any} */ one) => names.map((name) => `${name}: ${one[name]}`).join("\n");
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const answer = await change({
      method: "PUT", path: "operator/autopilot/configuration", params: { cas: read.ModifyIndex }, body: without(now, ["CreateIndex", "ModifyIndex"]), done: "Autopilot's settings are saved.",
      refused: ({ data }) => (data === false ? "Somebody changed the settings meanwhile. Nothing was saved; close the form to see them." : undefined),
      question: { title: "Save autopilot's settings", confirm: "Save", body: html`<${Changes} before=${texts(read)} after=${texts(now)} />` },
    });
    if (answer) close();
  };
  return html`<form onSubmit=${save}>${names.map((name) => {
    const value = now[name];
    const set = (/** @type {any} */ next) => setNow({ ...now, [name]: typeof read[name] === "number" ? Number(next) : next });
    return typeof read[name] === "boolean" ? html`<${Check} key=${name} label=${name} value=${value} set=${set} />`
      : html`<${Field} key=${name} label=${name} type=${typeof read[name] === "number" ? "number" : "text"} value=${String(value)} set=${set} />`;
  })}<div class="buttons"><button type="button" onClick=${close}>Cancel</button><button type="submit" data-change class="primary" disabled=${texts(read) === texts(now)}>Review and save</button></div></form>`;
}

function Keyring() {
  const self = usePoll("agent/self", 60_000).value;
  const plain = self.data?.Stats?.serf_lan?.encrypted === "false";
  const known = self.data !== undefined || self.error !== null;
  const live = usePoll(known && !plain ? "operator/keyring" : "", 10_000).value;
  const [key, setKey] = useState("");
  const install = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const answer = await change({ method: "POST", path: "operator/keyring", body: { Key: key.trim() }, shown: { Key: "$KEY" }, done: "The key is installed.",
      question: { title: "Install a gossip key", confirm: "Install", body: html`<p>All members of all datacenters learn it. It is not used until it is made the primary key.</p>` } });
    if (answer) setKey("");
  };
  return html`
    ${plain ? html`<${Empty}>Gossip is not encrypted here, so there are no keys: the agents have no <code>encrypt</code> in their settings.<//>` : html`<${Told} live=${live}>${(live.data ?? []).map((/** @type {any} */ ring) => html`<${Ring} key=${`${ring.WAN} ${ring.Datacenter} ${ring.Segment}`} ring=${ring} />`)}<//>`}
    ${plain ? null : offers(KEYRING) && live.data ? html`<${Card} title="Install a key"><form onSubmit=${install}><${Field} label="Key (16, 24 or 32 bytes in base64)" value=${key} set=${setKey} required />
      <div class="buttons left"><button type="button" onClick=${() => setKey(toBase64(crypto.getRandomValues(new Uint8Array(32))))}>Make one</button><button type="submit" data-change class="primary" disabled=${!key.trim()}>Install</button></div></form><//>` : html`<${WhyNot} need=${KEYRING} />`}`;
}

/** @param {{ ring: any }} props */
function Ring({ ring }) {
  const name = ring.WAN ? "WAN" : `${ring.Datacenter} LAN${ring.Segment ? `, segment ${ring.Segment}` : ""}`;
  const use = (/** @type {string} */ key) => change({ method: "PUT", path: "operator/keyring", body: { Key: key }, shown: { Key: "$KEY" }, done: "The key is the primary one.",
    question: { title: "Use this key", confirm: "Use it", body: html`<p>From now on all members encrypt with it. Those that do not have it can no longer read: it has to be on every one of them, in every datacenter.</p>` } });
  const remove = (/** @type {string} */ key) => change({ method: "DELETE", path: "operator/keyring", body: { Key: key }, shown: { Key: "$KEY" }, done: "The key is removed.",
    question: { title: "Remove this key", danger: true, confirm: "Remove", typed: "remove", body: html`<p>Members that still encrypt with it are no longer understood, and are thought to have failed.</p>` } });
  return html`<${Card} title=${`Keys of ${name}`}><p class="hint">${counted(ring.NumNodes, "member")}</p>
    <div class="scroll-x" tabindex="0" role="region" aria-label=${`Keys of ${name}`}><table class="plain"><thead><tr><th>Key</th><th>On members</th><th>Use</th><th><span class="sr">Changes</span></th></tr></thead><tbody>
    ${Object.entries(ring.Keys ?? {}).map(([key, count]) => {
      const primary = Boolean(ring.PrimaryKeys?.[key]) || (!ring.PrimaryKeys && Object.keys(ring.Keys)[0] === key);
      return html`<tr key=${key}><td><${Secret} text=${key} what="the key" /></td><td>${count} of ${ring.NumNodes}${Number(count) < ring.NumNodes ? html` <span class="status s2"><i aria-hidden="true"></i>not on all</span>` : null}</td>
        <td>${primary ? html`<${Status} status="passing" text=${`primary on ${ring.PrimaryKeys?.[key] ?? count}`} />` : "to read only"}</td>
        <td><div class="actions">${primary ? null : html`<${Action} need=${KEYRING} run=${() => void use(key)}>Use<//><${Action} need=${KEYRING} danger run=${() => void remove(key)}>Remove<//>`}</div></td></tr>`;
    })}</tbody></table></div><//>`;
}

/** Give the reader a file. @param {Blob} blob @param {string} name */
function download(blob, name) {
  const url = URL.createObjectURL(blob);
  const anchor = document.createElement("a");
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function Snapshot() {
  const [busy, setBusy] = useState("");
  const file = useRef(/** @type {HTMLInputElement | null} */ (null));
  const save = async () => {
    setBusy("The leader writes the snapshot.");
    try {
      const blob = await bytes("snapshot");
      download(blob, `consul-${agent.Datacenter || "dc"}-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.snap`);
      tell(`A snapshot of ${size(blob.size)} is downloaded.`);
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error), true);
    }
    setBusy("");
  };
  const restore = async () => {
    const chosen = file.current?.files?.[0];
    if (!chosen) return tell("Choose a snapshot first.", true);
    const yes = await ask({
      title: "Restore a snapshot", danger: true, confirm: "Restore", typed: "restore", curl: asCurl("PUT", "snapshot", "@backup.snap"),
      body: html`<p>Everything this datacenter knows is replaced by <b>${chosen.name}</b> (${size(chosen.size)}): catalog, keys, sessions, access control. What was written since is lost, also tokens: yours may be among them.</p>`,
    });
    if (!yes) return undefined;
    setBusy("The servers take the snapshot over.");
    try {
      await call("PUT", "snapshot", { body: chosen });
      tell("The snapshot is restored.");
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error), true);
    }
    return setBusy("");
  };
  return html`<${Card} title="Save">
      <p>The whole state of this datacenter's servers as one file: catalog, keys, sessions, access control. It holds secrets.</p>
      ${may(SNAPSHOT) ? html`<button type="button" disabled=${busy !== ""} onClick=${save}>Download a snapshot</button>` : html`<span class="hint">needs acl:write</span>`}
      <${Copy} text=${asCurl("GET", "snapshot").replace(/^curl/, "curl -o backup.snap")} block />
    <//>
    ${offers(SNAPSHOT) ? html`<${Card} title="Restore">
      <label class="field"><span>Snapshot file</span><input type="file" ref=${file} /></label>
      <button type="button" data-change class="danger" disabled=${busy !== ""} onClick=${() => void restore()}>Restore</button><//>` : html`<${WhyNot} need=${SNAPSHOT} />`}
    <p role="status">${busy}</p>`;
}

/** What the page remembers of metrics, by agent. @type {Map<string, import("../lib/records.js").Series>} */
const series = new Map();

function Metrics() {
  const live = usePoll("agent/metrics").value;
  const rows = useMemo(() => {
    if (live.data) remember(series, live.data, Date.now());
    return [...series.values()];
  }, [live.data]);
  /** @typedef {import("../lib/records.js").Series} Row */
  /** @type {import("../parts/list.js").Column<Row>[]} */
  const columns = [
    { id: "name", title: "Metric", width: "minmax(10rem, 2fr)", by: (row) => row.name, cell: (row) => html`<span title=${row.name}>${row.name}</span>` },
    { id: "kind", title: "Kind", width: "5rem", by: (row) => row.kind, cell: (row) => row.kind, wide: true },
    { id: "value", title: "Now", width: "6rem", by: (row) => row.values.at(-1) ?? 0, cell: (row) => html`<b title=${Object.entries(row.last).map(([name, value]) => `${name}: ${value}`).join("\n")}>${shortNumber(row.values.at(-1) ?? 0)}</b>` },
    { id: "line", title: "Since the page was opened", width: "minmax(8rem, 1fr)", wide: true, cell: (row) => html`<${Spark} row=${row} />` },
    { id: "range", title: "Lowest to highest", width: "11rem", wide: true, cell: (row) => html`<span class="dim">${shortNumber(Math.min(...row.values))} to ${shortNumber(Math.max(...row.values))}</span>` },
  ];
  return html`<p class="hint">Of the agent this page comes from, asked every 5 seconds; the agent sums up 10. Gauges as they are, counters per interval, samples by their mean.</p>
    <${Told} live=${live}><${List} label="metrics" rows=${rows} rowKey=${(/** @type {Row} */ row) => `${row.kind} ${row.name}`} columns=${columns} order="name"
      fields=${{ "": (/** @type {Row} */ row) => row.name, kind: (/** @type {Row} */ row) => row.kind }} quick=${[["kind:gauge", "gauges"], ["kind:counter", "counters"], ["kind:sample", "samples"]]} /><//>`;
}

/** @param {{ row: import("../lib/records.js").Series }} props */
function Spark({ row }) {
  return html`<svg class="spark" role="img" aria-label=${`${row.name}: ${row.values.slice(-8).map(shortNumber).join(", ")}`} viewBox="0 0 160 24" preserveAspectRatio="none">
    <polyline points=${row.values.length > 1 ? linePoints(row.values, 160, 24) : "0,12 160,12"} /></svg>`;
}

function Settings() {
  const live = usePoll("agent/self", 30_000).value;
  const rows = useMemo(() => flatten(without(live.data, ["Coord", "Member"])), [live.data]);
  /** @typedef {import("../lib/records.js").Setting} Row */
  /** @type {import("../parts/list.js").Column<Row>[]} */
  const columns = [
    { id: "name", title: "Setting", width: "minmax(9rem, 1fr)", by: (row) => row.name, cell: (row) => html`<code title=${row.name}>${row.name}</code>` },
    { id: "value", title: "Value", width: "minmax(7rem, 1fr)", by: (row) => row.value, cell: (row) => html`<span title=${row.value}>${row.value}</span>` },
  ];
  return html`<p class="hint">What this agent goes by now: its settings with all defaults (DebugConfig) and its counts (Stats).</p>
    <${Told} live=${live}><${List} label="settings" rows=${rows} rowKey=${(/** @type {Row} */ row) => row.name} columns=${columns} order="name"
      fields=${{ "": (/** @type {Row} */ row) => [row.name, row.value], name: (/** @type {Row} */ row) => row.name, value: (/** @type {Row} */ row) => row.value }} quick=${[["name:Stats", "counts"], ["name:DebugConfig", "settings"]]} />
      <${Raw} data=${live.data} label="agent/self" /><//>`;
}

function Agent() {
  const self = usePoll("agent/self", 10_000).value;
  const checks = usePoll("agent/checks").value.data ?? {};
  const [reason, setReason] = useState("");
  const paused = checks._node_maintenance;
  const name = agent.NodeName || self.data?.Config?.NodeName || "this agent";
  const need = ofAgent();
  /** @type {Need} */
  const node = { Resource: "node", Access: "write", Segment: agent.NodeName };
  const maintain = () => change({
    method: "PUT", path: "agent/maintenance", params: paused ? { enable: "false" } : { enable: "true", reason: reason || "Set on the web page" }, done: paused ? `${name} serves again.` : `${name} is in maintenance.`,
    question: { title: paused ? `End maintenance of ${name}` : `Put ${name} into maintenance`, confirm: paused ? "End maintenance" : "Start maintenance", typed: paused ? undefined : name,
      body: paused ? html`<p>Its services are found again.</p>` : html`<p>A critical check is put on the node: none of its services is found any more until it ends. They go on running.</p>` },
  });
  const reload = () => change({ method: "PUT", path: "agent/reload", done: `${name} has read its settings.`, question: { title: `Reload ${name}`, confirm: "Reload", body: html`<p>It reads its configuration files again. What is wrong in them is refused, and the log says why.</p>` } });
  const leave = () => change({ method: "PUT", path: "agent/leave", done: `${name} leaves.`, question: { title: `Make ${name} leave`, danger: true, confirm: "Leave", typed: name,
    body: html`<p>It tells the others and ends: this page ends with it. Its services are taken out of the catalog. It comes back when somebody starts it.${self.data?.Config?.Server ? " It is a server: its vote is taken away." : ""}</p>` } });
  return html`<${Card} title=${name} actions=${html`<${Action} need=${need} run=${() => void reload()}>Reload<//><${Action} need=${need} danger run=${() => void leave()}>Leave<//><${WhyNot} need=${need} />`}>
      <${Told} live=${self}><${Facts} pairs=${[
        ["Version", [self.data?.Config?.Version, agent.Version && `proconsul ${agent.Version}`].filter(Boolean).join(", ")], ["Role", self.data?.Config?.Server ? "server" : "client"], ["Datacenter", self.data?.Config?.Datacenter],
        ["Node ID", self.data?.Config?.NodeID], ["Address", self.data?.Member?.Addr], ["Health score", self.data?.Stats?.serf_lan?.health_score],
      ]} /><//>
    <//>
    <${Card} title="Maintenance" actions=${html`<${WhyNot} need=${node} />`}>
      ${paused ? html`<p><${Status} status="maintenance" text="in maintenance" />: ${paused.Notes}</p>` : html`<p>The node serves.</p>`}
      ${offers(node) && !paused ? html`<${Field} label="Reason" value=${reason} set=${setReason} />` : null}
      <${Action} need=${node} danger=${!paused} run=${() => void maintain()}>${paused ? "End maintenance" : "Start maintenance"}<//>
    <//>
    ${ours ? html`<${Sync} need=${need} />` : null}`;
}

/** Where the agent's services stand in the catalog: proconsul's own. @param {{ need: Need }} props */
function Sync({ need }) {
  const live = usePoll("agent/sync").value;
  const data = live.data;
  const compare = () => change({ method: "PUT", path: "agent/sync", done: "Compared with the catalog." });
  const rows = [...Object.entries(data?.Services ?? {}).map(([id, one]) => ["service", id, one]), ...Object.entries(data?.Checks ?? {}).map(([id, one]) => ["check", id, one])];
  return html`<${Card} title="In the catalog" actions=${html`<${Action} need=${need} run=${() => void compare()}>Compare now<//>`}>
    <${Told} live=${live}><${Facts} pairs=${[
      ["Node", data && html`<${Status} status=${data.Node.InSync ? "passing" : "critical"} text=${data.Node.InSync ? "in sync" : "not in sync"} /> ${data.Node.LastError}`],
      ["Servers", data?.ServersReachable ? "reachable" : `not reachable: ${data?.LastError ?? ""}`], ["Compared", Date.parse(data?.LastComparison) > 0 ? html`<${Age} at=${Date.parse(data.LastComparison)} />` : null],
      ["Again", Date.parse(data?.NextComparison) > 0 ? new Date(data.NextComparison).toLocaleTimeString() : null],
    ]} />
    ${rows.length ? html`<div class="scroll-x" tabindex="0" role="region" aria-label="Services and checks"><table class="plain"><thead><tr><th>What</th><th>ID</th><th>State</th></tr></thead><tbody>${rows.map(([kind, id, one]) => html`<tr key=${`${kind} ${id}`}><td>${kind}</td><td>${id}</td>
      <td><${Status} status=${/** @type {any} */ (one).InSync ? "passing" : "critical"} text=${/** @type {any} */ (one).InSync ? "in sync" : "not in sync"} /> ${/** @type {any} */ (one).LastError ?? ""}</td></tr>`)}</tbody></table></div>` : html`<${Empty}>Nothing is registered with this agent.<//>`}<//><//>`;
}
