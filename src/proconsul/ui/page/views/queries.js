// Prepared queries: all, or one: what it says, what it becomes for a name, and what it finds.
import { html, useMemo, useState } from "../lib/ui.js";
import { asCurl, get, pathOf } from "../lib/api.js";
import { useLive, usePoll } from "../lib/live.js";
import { elsewhere, go, inAddress, link } from "../lib/route.js";
import { offers } from "../lib/rights.js";
import { counted, shortId } from "../lib/format.js";
import { dnsOf, masked, without } from "../lib/records.js";
import { change } from "../parts/dialog.js";
import { Action, Card, Copy, Empty, Facts, Page, Raw, Status, Tags, WhyNot } from "../parts/bits.js";
import { Changes, Field, JsonForm, stillAs, useNames } from "../parts/forms.js";
import { List } from "../parts/list.js";

/**
 * @typedef {object} Query
 * @property {string} ID
 * @property {string} Name
 * @property {string} [Session]
 * @property {{ Type?: string, Regexp?: string }} [Template]
 * @property {{ Service: string, Tags?: string[] | null, Near?: string, OnlyPassing?: boolean, Failover?: { NearestN?: number, Datacenters?: string[] | null }, [more: string]: any }} Service
 * @property {{ TTL?: string }} [DNS]
 * @property {number} ModifyIndex
 */

const EXAMPLE = { Name: "", Service: { Service: "", OnlyPassing: true, Tags: [], Failover: { NearestN: 0, Datacenters: [] } }, DNS: { TTL: "" } };

/** @param {Query | null} query @returns {import("../lib/rights.js").Need} */
const need = (query) => ({ Resource: "query", Access: "write", Segment: query?.Name ?? "" });
/** @param {Query} query */
const isTemplate = (query) => Boolean(query.Template?.Type);
/** @param {Query} query */
const failoverOf = ({ Service: { Failover } }) => [Failover?.NearestN ? `nearest ${Failover.NearestN}` : "", ...(Failover?.Datacenters ?? [])].filter(Boolean).join(", ");
/** @param {Query} query */
const titleOf = (query) => query.Name || (isTemplate(query) ? "(all names)" : shortId(query.ID));

/** @param {{ rest: string }} props */
export default function Queries({ rest }) {
  return rest ? html`<${One} id=${rest} />` : html`<${All} />`;
}

function All() {
  const live = useLive("query").value;
  /** @type {Query[]} */
  const rows = useMemo(() => live.data ?? [], [live.data]);
  /** @type {import("../parts/list.js").Column<Query>[]} */
  const columns = [
    { id: "name", title: "Query", width: "minmax(8rem, 1fr)", by: titleOf, cell: (row) => html`<a href=${link("queries", [row.ID])}>${titleOf(row)}</a>${isTemplate(row) ? html` <span class="badge">template</span>` : null}` },
    { id: "service", title: "Service", width: "minmax(7rem, 1fr)", by: (row) => row.Service.Service, cell: (row) => isTemplate(row) ? html`<code>${row.Service.Service}</code>` : html`<a href=${link("services", [row.Service.Service])}>${row.Service.Service}</a>` },
    { id: "tags", title: "Tags", width: "minmax(5rem, 1fr)", wide: true, cell: (row) => html`<${Tags} tags=${row.Service.Tags} max=${4} />` },
    { id: "failover", title: "Failover", width: "9rem", by: failoverOf, cell: failoverOf, wide: true },
    { id: "near", title: "Near", width: "7rem", by: (row) => row.Service.Near ?? "", cell: (row) => row.Service.Near, wide: true },
  ];
  return html`<${Page} view="queries" title="Prepared queries" ready=${live.data !== undefined || live.error !== null} live=${live}
      actions=${html`<${Action} need=${need(null)} primary run=${() => go(link("queries", ["new"]))}>New query<//><${WhyNot} need=${need(null)} />`}>
    <${List} label="prepared queries" rows=${rows} rowKey=${(/** @type {Query} */ row) => row.ID} columns=${columns} order="name" stamp=${(/** @type {Query} */ row) => String(row.ModifyIndex)}
      fields=${{ "": (/** @type {Query} */ row) => [row.Name, row.ID, row.Service.Service], service: (/** @type {Query} */ row) => row.Service.Service, tag: (/** @type {Query} */ row) => row.Service.Tags ?? [] }}
      empty="There are no prepared queries, or this token may see none." /><//>`;
}

/** @param {{ id: string }} props */
function One({ id }) {
  const isNew = id === "new";
  const live = useLive(isNew ? "" : `query/${encodeURIComponent(id)}`).value;
  const editing = useMemo(() => inAddress("edit"), []);
  /** @type {Query | null} */
  const found = Array.isArray(live.data) ? live.data[0] ?? null : null;
  const gone = live.data === null || live.error?.status === 404;
  const close = () => { if (isNew) go(link("queries")); else editing.value = ""; };
  const save = async (/** @type {any} */ data, /** @type {string} */ before, /** @type {string} */ after) => {
    if (found && !(await stillAs(`query/${found.ID}`, found, "The query"))) return false;
    const answer = await change({
      method: found ? "PUT" : "POST", path: found ? `query/${found.ID}` : "query", body: data, shown: masked(data), done: "The query is saved.",
      question: { title: found ? `Save ${titleOf(found)}` : `Make query ${data.Name ?? ""}`, confirm: "Save", body: html`<${Changes} before=${isNew ? "" : before} after=${after} />` },
    });
    if (answer && isNew) setTimeout(() => go(link("queries", [answer.data.ID])));
    return answer !== null;
  };
  const remove = async () => {
    if (!found) return;
    const answer = await change({
      method: "DELETE", path: `query/${found.ID}`, done: `${titleOf(found)} is deleted.`,
      question: { title: `Delete query ${titleOf(found)}`, danger: true, confirm: "Delete", body: html`<p>Who asks for it, also by DNS, gets nothing any more.</p>` },
    });
    if (answer) go(link("queries"));
  };
  const actions = found && html`${editing.value ? null : html`<${Action} need=${need(found)} run=${() => { editing.value = "1"; }}>Edit<//>`}<${Action} need=${need(found)} danger run=${() => void remove()}>Delete<//><${WhyNot} need=${need(found)} />`;
  return html`
    <${Page} view="query" title=${isNew ? "New query" : found ? titleOf(found) : "Query"} crumbs=${[["Prepared queries", link("queries")]]} ready=${isNew || live.data !== undefined || live.error !== null} live=${gone ? undefined : live} actions=${actions}>
      ${gone ? html`<${Empty}>There is no such query, or this token may not see it.<//>` : null}
      ${(isNew || (found && editing.value)) && offers(need(found)) ? html`<${JsonForm} what="The query" initial=${isNew ? EXAMPLE : without(found, ["CreateIndex", "ModifyIndex"])} save=${save} close=${close} />` : isNew ? html`<${WhyNot} need=${need(null)} />` : null}
      ${found ? html`
        <${Card} title="Definition"><${Facts} pairs=${[
          ["ID", html`<code>${found.ID}</code> <${Copy} text=${found.ID} />`], ["Template", isTemplate(found) ? html`${found.Template?.Type} <code>${found.Template?.Regexp}</code>` : null],
          ["Service", isTemplate(found) ? html`<code>${found.Service.Service}</code>` : html`<a href=${link("services", [found.Service.Service])}>${found.Service.Service}</a>`],
          ["Tags", found.Service.Tags?.length ? html`<${Tags} tags=${found.Service.Tags} />` : null], ["Only passing", found.Service.OnlyPassing ? "yes" : "no: also those that warn"], ["Near", found.Service.Near],
          ["Failover", failoverOf(found)], ["DNS TTL", found.DNS?.TTL], ["Session", found.Session && html`<a href=${link("sessions", [found.Session])}>${found.Session}</a>`],
        ]} /><${Raw} data=${masked(found)} /><//>
        <${Try} query=${found} />` : null}
    <//>`;
}

/** Explain and execute, by the name that would be asked for. @param {{ query: Query }} props */
function Try({ query }) {
  const template = isTemplate(query);
  const [name, setName] = useState(query.Name);
  const [near, setNear] = useState("");
  const [answer, setAnswer] = useState(/** @type {{ explain?: any, execute?: any, error?: string } | null} */ (null));
  const nodes = useNames("catalog/nodes").map((row) => row.Node);
  const asked = template ? name : query.Name || query.ID;
  const params = { near: near || undefined };
  const path = (/** @type {string} */ what) => `query/${encodeURIComponent(asked)}/${what}`;
  const run = (/** @type {"explain" | "execute"} */ what) => {
    get(path(what), { params: what === "execute" ? params : {} }).then((data) => setAnswer({ [what]: data }), (error) => setAnswer({ error: error.status === 404 ? "No query answers to that name." : error.message }));
  };
  const { domain, port } = dnsOf(usePoll("agent/self", 600_000).value.data);
  const dns = asked && /^[\w.-]+$/.test(asked) ? `${asked}.query.${elsewhere.value ? `${elsewhere.value}.` : ""}${domain}` : "";
  return html`<${Card} title="Try it">
    <form onSubmit=${(/** @type {Event} */ event) => { event.preventDefault(); run("execute"); }}>
      <div class="ask-line">
        ${template ? html`<${Field} label="Name that is asked for" value=${name} set=${setName} placeholder=${query.Name} hint="The template answers to all names that begin with its own" />` : null}
        <${Field} label="Near" value=${near} set=${setNear} list=${["_agent", ...nodes]} placeholder="as the query says" /></div>
      <div class="buttons left"><button type="submit" class="primary" disabled=${!asked}>Execute</button><button type="button" disabled=${!asked} onClick=${() => run("explain")}>Explain</button></div>
    </form>
    <div role="status">${answer?.error ? html`<p class="note bad">${answer.error}</p>` : null}
      ${answer?.explain ? html`<p>What it becomes for <b>${asked}</b>:</p><${Copy} text=${JSON.stringify(answer.explain.Query ?? answer.explain, null, 2)} block />` : null}
      ${answer?.execute ? html`<${Found} found=${answer.execute} />` : null}</div>
    ${dns ? html`<${Copy} text=${`dig @${location.hostname || "127.0.0.1"} -p ${port} ${dns} SRV`} block />` : null}
    <${Copy} text=${asCurl("GET", pathOf(path("execute"), params))} block />
  <//>`;
}

/** @param {{ found: any }} props */
function Found({ found }) {
  const worst = (/** @type {any[]} */ checks) => ["critical", "warning", "passing"].find((status) => checks.some((check) => check.Status === status)) ?? "passing";
  return html`<p>${counted(found.Nodes?.length ?? 0, "instance")} of <b>${found.Service}</b> in <b>${found.Datacenter}</b>${found.Failovers ? `, after ${counted(found.Failovers, "failover")}` : ""}.</p>
    ${found.Nodes?.length ? html`<div class="scroll-x" tabindex="0" role="region" aria-label="Instances found"><table class="plain"><thead><tr><th>Node</th><th>Address</th><th>Instance</th><th>Checks</th></tr></thead><tbody>
    ${found.Nodes.map((/** @type {any} */ one) => html`<tr key=${`${one.Node.Node} ${one.Service.ID}`}><td><a href=${link("nodes", [one.Node.Node])}>${one.Node.Node}</a></td><td><code>${one.Service.Address || one.Node.Address}:${one.Service.Port}</code></td>
      <td>${one.Service.ID}</td><td><${Status} status=${worst(one.Checks ?? [])} /></td></tr>`)}</tbody></table></div>` : null}<${Raw} data=${found} />`;
}
