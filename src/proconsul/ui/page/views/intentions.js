// Intentions: which service may call which.
import { html, useMemo, useState } from "../lib/ui.js";
import { get } from "../lib/api.js";
import { useLive } from "../lib/live.js";
import { go, inAddress, link } from "../lib/route.js";
import { offers } from "../lib/rights.js";
import { without } from "../lib/records.js";
import { change } from "../parts/dialog.js";
import { Action, Age, Card, Empty, Facts, Page, Raw, Status, WhyNot } from "../parts/bits.js";
import { Changes, Choice, Field, stillAs, useNames } from "../parts/forms.js";
import { List } from "../parts/list.js";

/**
 * @typedef {object} Intention
 * @property {string} ID
 * @property {string} SourceName
 * @property {string} DestinationName
 * @property {string} Action allow or deny; empty if permissions say more
 * @property {string} [Description]
 * @property {number} Precedence
 * @property {any[]} [Permissions]
 * @property {Record<string, string> | null} [Meta]
 * @property {string} [CreatedAt]
 * @property {string} [UpdatedAt]
 * @property {number} ModifyIndex
 */

/** @param {string} destination @returns {import("../lib/rights.js").Need} */
const need = (destination) => ({ Resource: "intention", Access: "write", Segment: destination });
const ANY = need("");

/** @param {{ rest: string }} props */
export default function Intentions({ rest }) {
  return rest ? html`<${One} id=${rest} />` : html`<${All} />`;
}

/** @param {{ action: string }} props */
function Verdict({ action }) {
  return html`<${Status} status=${action === "allow" ? "passing" : action === "deny" ? "critical" : "warning"} text=${{ allow: "allowed", deny: "denied" }[action] ?? "by request"} />`;
}

/** @param {string} name */
const shown = (name) => (name === "*" ? html`<span class="badge" title="every service">*</span>` : name);

function All() {
  const live = useLive("connect/intentions").value;
  const missing = live.error?.status === 404;
  /** @type {Intention[]} */
  const rows = useMemo(() => live.data ?? [], [live.data]);
  const title = (/** @type {Intention} */ row) => `${row.SourceName} to ${row.DestinationName}`;
  /** @type {import("../parts/list.js").Column<Intention>[]} */
  const columns = [
    { id: "source", title: "Source", width: "minmax(6rem, 1fr)", by: (row) => row.SourceName, cell: (row) => html`<a href=${link("intentions", [row.ID])} title=${title(row)}>${row.SourceName === "*" ? "* (every service)" : row.SourceName}</a>` },
    { id: "action", title: "May", width: "6rem", by: (row) => row.Action, cell: (row) => html`<${Verdict} action=${row.Action} />` },
    { id: "destination", title: "Destination", width: "minmax(6rem, 1fr)", by: (row) => row.DestinationName, cell: (row) => shown(row.DestinationName) },
    { id: "precedence", title: "Precedence", width: "7rem", by: (row) => -row.Precedence, cell: (row) => row.Precedence, wide: true },
    { id: "description", title: "Description", width: "minmax(8rem, 2fr)", by: (row) => row.Description ?? "", cell: (row) => row.Description, wide: true },
  ];
  if (missing) {
    return html`<${Page} view="intentions" title="Intentions"><${Empty}>This agent has no intentions: it has no service mesh yet, so every service may connect to every other. They appear here as soon as it has.<//><//>`;
  }
  return html`<${Page} view="intentions" title="Intentions" ready=${live.data !== undefined || live.error !== null} live=${live}
      actions=${html`<${Action} need=${ANY} primary run=${() => go(link("intentions", ["new"]))}>New intention<//><${WhyNot} need=${ANY} />`}>
    <${Ask} />
    <${List} label="intentions" rows=${rows} rowKey=${(/** @type {Intention} */ row) => row.ID || title(row)} columns=${columns} order="precedence" stamp=${(/** @type {Intention} */ row) => String(row.ModifyIndex)}
      fields=${{ "": (/** @type {Intention} */ row) => [row.SourceName, row.DestinationName, row.Description ?? ""], source: (/** @type {Intention} */ row) => row.SourceName, destination: (/** @type {Intention} */ row) => row.DestinationName, action: (/** @type {Intention} */ row) => row.Action }}
      quick=${[["action:allow", "allowed"], ["action:deny", "denied"]]} empty="There are no intentions: the default policy of access control decides." /><//>`;
}

/** Whether one service may call another. */
function Ask() {
  const [source, setSource] = useState("");
  const [destination, setDestination] = useState("");
  const [answer, setAnswer] = useState("");
  const names = useNames("internal/ui/services").map((row) => row.Name);
  const check = (/** @type {Event} */ event) => {
    event.preventDefault();
    get("connect/intentions/check", { params: { source, destination } }).then((data) => setAnswer(data.Allowed ? "allow" : "deny"), (error) => setAnswer(error.message));
  };
  return html`<form class="ask-line card" onSubmit=${check}>
    <${Field} label="May this service" value=${source} set=${(/** @type {string} */ text) => { setSource(text); setAnswer(""); }} list=${names} />
    <${Field} label="call this one" value=${destination} set=${(/** @type {string} */ text) => { setDestination(text); setAnswer(""); }} list=${names} />
    <div class="ask-end"><button type="submit" disabled=${!source || !destination}>Check</button> <span role="status" data-verdict>${/^(allow|deny)$/.test(answer) ? html`<${Verdict} action=${answer} />` : answer}</span></div></form>`;
}

/** @param {{ id: string }} props */
function One({ id }) {
  const isNew = id === "new";
  const live = useLive(isNew ? "" : `connect/intentions/${encodeURIComponent(id)}`).value;
  const editing = useMemo(() => inAddress("edit"), []);
  /** @type {Intention | null} */
  const found = live.data ?? null;
  const gone = live.data === null || live.error?.status === 404;
  const right = need(found?.DestinationName ?? "");
  const close = () => { if (isNew) go(link("intentions")); else editing.value = ""; };
  const name = found ? `${found.SourceName} to ${found.DestinationName}` : "";
  const remove = async () => {
    const answer = await change({
      method: "DELETE", path: `connect/intentions/${encodeURIComponent(id)}`, done: `The intention ${name} is deleted.`,
      question: { title: `Delete the intention ${name}`, danger: true, confirm: "Delete", body: html`<p>Another intention that is about both, or else the default policy, decides then. Connections that are open stay.</p>` },
    });
    if (answer) go(link("intentions"));
  };
  const plain = !found?.Permissions?.length;
  const actions = found && html`${editing.value || !plain ? null : html`<${Action} need=${right} run=${() => { editing.value = "1"; }}>Edit<//>`}<${Action} need=${right} danger run=${() => void remove()}>Delete<//><${WhyNot} need=${right} />`;
  return html`
    <${Page} view="intention" title=${isNew ? "New intention" : name || "Intention"} crumbs=${[["Intentions", link("intentions")]]} ready=${isNew || live.data !== undefined || live.error !== null} live=${gone ? undefined : live} actions=${actions}>
      ${gone ? html`<${Empty}>There is no such intention any more, or this agent has none at all.<//>` : null}
      ${(isNew || (found && editing.value)) && offers(right) ? html`<${Form} intention=${found} close=${close} />` : isNew ? html`<${WhyNot} need=${right} />` : null}
      ${found ? html`<${Card} title="Intention"><${Facts} pairs=${[
        ["Source", found.SourceName === "*" ? "every service" : html`<a href=${link("services", [found.SourceName])}>${found.SourceName}</a>`], ["Destination", found.DestinationName === "*" ? "every service" : html`<a href=${link("services", [found.DestinationName])}>${found.DestinationName}</a>`],
        ["May", html`<${Verdict} action=${found.Action} />`], ["Description", found.Description], ["Precedence", `${found.Precedence}: the highest that is about both decides`],
        ["Meta", found.Meta && Object.entries(found.Meta).map(([key, value]) => `${key}=${value}`).join(", ")],
        ["Changed", Date.parse(found.UpdatedAt ?? "") > 0 ? html`<${Age} at=${Date.parse(found.UpdatedAt ?? "")} />` : null],
      ]} />${plain ? null : html`<p class="note">It decides by request. Such permissions are edited as a config entry.</p>`}<${Raw} data=${found} /><//>` : null}
    <//>`;
}

/** @param {{ intention: Intention | null, close: () => void }} props */
function Form({ intention, close }) {
  const read = useMemo(() => intention, []);
  const [source, setSource] = useState(read?.SourceName ?? "");
  const [destination, setDestination] = useState(read?.DestinationName ?? "");
  const [action, setAction] = useState(read?.Action || "allow");
  const [description, setDescription] = useState(read?.Description ?? "");
  const names = ["*", ...useNames("internal/ui/services").map((row) => row.Name)];
  const text = (/** @type {any} */ one) => `Source: ${one.SourceName}\nDestination: ${one.DestinationName}\nAction: ${one.Action}\nDescription: ${one.Description ?? ""}`;
  const set = { SourceName: source, DestinationName: destination, SourceType: "consul", Action: action, Description: description };
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const path = read ? `connect/intentions/${read.ID}` : "connect/intentions";
    if (read && !(await stillAs(path, read, "The intention"))) return;
    const answer = await change({
      method: read ? "PUT" : "POST", path, body: read ? { ...without(read, ["CreateIndex", "ModifyIndex", "CreatedAt", "UpdatedAt", "Precedence", "Hash"]), ...set } : set, done: "The intention is saved.",
      question: { title: `${source} ${action === "allow" ? "may" : "may not"} call ${destination}`, confirm: "Save", body: html`<p>New connections are decided by it at once. Connections that are open stay.</p><${Changes} before=${read ? text(read) : ""} after=${text(set)} />` },
    });
    if (answer) close();
  };
  return html`<form class="card" onSubmit=${save}>
    <${Field} label="Source" value=${source} set=${setSource} list=${names} required hint="A service's name; * is every service" disabled=${read !== null} />
    <${Field} label="Destination" value=${destination} set=${setDestination} list=${names} required disabled=${read !== null} />
    <${Choice} label="May it connect" value=${action} set=${setAction} options=${[["allow", "allow"], ["deny", "deny"]]} />
    <${Field} label="Description" value=${description} set=${setDescription} />
    <div class="buttons"><button type="button" onClick=${close}>Cancel</button>
      <button type="submit" data-change class="primary" disabled=${!source || !destination || (read !== null && text(read) === text(set))}>Review and save</button></div></form>`;
}
