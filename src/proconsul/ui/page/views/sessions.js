// Sessions: who they are, what holds them alive, what they hold.
import { html, useMemo, useState } from "../lib/ui.js";
import { encodePath } from "../lib/api.js";
import { counted, durationMs, shortId, span } from "../lib/format.js";
import { heldBy } from "../lib/kv.js";
import { useLive } from "../lib/live.js";
import { link } from "../lib/route.js";
import { visible } from "../lib/tree.js";
import { Action, Card, Copy, Empty, Facts, Page, Raw, Status, WhyNot } from "../parts/bits.js";
import { change, tell } from "../parts/dialog.js";
import { List } from "../parts/list.js";

/**
 * @typedef {object} Session
 * @property {string} ID
 * @property {string} Name
 * @property {string} Node
 * @property {number} LockDelay nanoseconds
 * @property {string} Behavior
 * @property {string} TTL
 * @property {string[] | null} [NodeChecks]
 * @property {{ ID: string }[] | null} [ServiceChecks]
 * @property {string[] | null} [Checks] of agents before 1.7
 * @property {number} CreateIndex
 */

/** @param {Session} session */
export function sessionName(session) {
  return session.Name ? `${session.Name} (${shortId(session.ID)})` : session.ID;
}

/** @param {Session} session @returns {string[]} ids of the checks it hangs on */
function checksOf(session) {
  return [...new Set([...(session.NodeChecks ?? []), ...(session.ServiceChecks ?? []).map((check) => check.ID), ...(session.Checks ?? [])])];
}

/** @param {Session} session @returns {number} ms, 0: none */
function ttlOf(session) {
  return session.TTL ? durationMs(session.TTL) || 0 : 0;
}

/** @param {Session} session */
const needOf = (session) => /** @type {import("../lib/rights.js").Need} */ ({ Resource: "session", Access: "write", Segment: session.Node });

/** @param {Session} session @returns what becomes of the keys */
function consequence(session) {
  return session.Behavior === "delete"
    ? "Every key it holds is deleted with its value."
    : `Every key it holds is released and keeps its value.${session.LockDelay ? ` For ${span(session.LockDelay / 1e6)} nobody can lock them again.` : ""}`;
}

/** A button that ends a session. @param {{ session: Session }} props */
export function Invalidate({ session }) {
  const run = () => void change({
    method: "PUT", path: `session/destroy/${encodePath(session.ID)}`, done: `Session ${sessionName(session)} ended.`,
    question: {
      title: `Invalidate session ${sessionName(session)}`, danger: true, confirm: "Invalidate",
      body: html`<p>${consequence(session)}</p><p>Whoever made it, on node ${session.Node}, finds out when it next uses it.</p>`,
    },
  });
  return html`<${Action} need=${needOf(session)} danger run=${run}>Invalidate<//><${WhyNot} need=${needOf(session)} />`;
}

/** @param {{ parts: string[] }} props */
export default function Sessions({ parts: [id = ""] }) {
  return id ? html`<${One} id=${id} />` : html`<${All} />`;
}

function All() {
  const live = useLive("session/list").value;
  /** @type {Session[]} */
  const rows = useMemo(() => live.data ?? [], [live.data]);
  /** @type {import("../parts/list.js").Column<Session>[]} */
  const columns = [
    { id: "name", title: "Session", width: "minmax(9rem, 2fr)", by: (row) => row.Name || row.ID,
      cell: (row) => html`<a href=${link("sessions", [row.ID])} title=${row.ID}>${row.Name ? html`${visible(row.Name)} <span class="dim mono">${shortId(row.ID)}</span>` : shortId(row.ID)}</a>` },
    { id: "node", title: "Node", width: "minmax(6rem, 1fr)", by: (row) => row.Node, cell: (row) => html`<a href=${link("nodes", [row.Node])}>${row.Node}</a>` },
    { id: "ttl", title: "TTL", width: "6rem", by: ttlOf, cell: (row) => row.TTL || html`<span class="dim">none</span>` },
    { id: "behaviour", title: "At its end", width: "8rem", by: (row) => row.Behavior, wide: true, cell: (row) => `${row.Behavior}s keys` },
    { id: "delay", title: "Lock delay", width: "7rem", by: (row) => row.LockDelay, wide: true, cell: (row) => span(row.LockDelay / 1e6) },
    { id: "checks", title: "Checks", width: "minmax(6rem, 1fr)", wide: true, by: (row) => checksOf(row).length, cell: (row) => checksOf(row).join(", ") || html`<span class="dim">none</span>` },
    { id: "created", title: "Created at index", width: "10rem", wide: true, by: (row) => row.CreateIndex, cell: (row) => row.CreateIndex },
  ];
  return html`
    <${Page} view="sessions" title="Sessions" ready=${live.data !== undefined || live.error !== null} live=${live}>
      ${live.data === undefined ? null : html`<${List} label="sessions" rows=${rows} rowKey=${(/** @type {Session} */ row) => row.ID} columns=${columns} order="-created"
        fields=${{
          "": (/** @type {Session} */ row) => [row.Name, row.ID, row.Node], name: (/** @type {Session} */ row) => row.Name, node: (/** @type {Session} */ row) => row.Node,
          check: checksOf, end: (/** @type {Session} */ row) => row.Behavior,
        }}
        quick=${[["end:delete", "deletes keys"]]}
        empty="There are no sessions, or this token may see none. They are made by whatever takes locks: consul lock, or a client of its own." />`}
    <//>`;
}

/** @param {{ id: string }} props */
function One({ id }) {
  const live = useLive(`session/info/${encodePath(id)}`).value;
  /** @type {Session | undefined} */
  const session = live.data?.[0];
  const ready = live.data !== undefined || live.error !== null;
  return html`
    <${Page} view="sessions" title=${session ? session.Name || shortId(id) : shortId(id)} crumbs=${[["Sessions", link("sessions")]]}
      ready=${ready} live=${live} actions=${session ? html`<${Invalidate} session=${session} />` : null}>
      ${live.data !== undefined && !session ? html`<${Empty}>This session has ended, or this token may not see it.<//>` : null}
      ${session ? html`
        <div class="cards">
          <${Card} title="Session">
            <${Facts} pairs=${[
              ["Id", html`<code>${session.ID}</code> <${Copy} text=${session.ID} />`], ["Name", session.Name],
              ["Node", html`<a href=${link("nodes", [session.Node])}>${session.Node}</a>`],
              ["At its end", consequence(session)], ["Lock delay", span(session.LockDelay / 1e6)], ["Created", `at index ${session.CreateIndex}`],
            ]} />
          <//>
          <${Alive} session=${session} />
        </div>
        <${Held} session=${session} />
        <${Raw} data=${session} />` : null}
    <//>`;
}

/** What ends the session if it stops. @param {{ session: Session }} props */
function Alive({ session }) {
  const ids = checksOf(session);
  const live = useLive(ids.length ? `health/node/${encodePath(session.Node)}` : "").value;
  /** @type {{ CheckID: string, Name: string, Status: string, ServiceName: string }[]} */
  const checks = live.data ?? [];
  return html`
    <${Card} title="What holds it alive">
      ${session.TTL ? html`<p>Whoever made it must renew it within ${span(ttlOf(session))}. The cluster ends it after that time, at the latest after twice that.</p>` : null}
      ${ids.length ? html`<p>It ends as soon as one of these checks is critical or gone:</p>
        <ul class="plain-list">${ids.map((id) => {
          const check = checks.find((one) => one.CheckID === id);
          return html`<li key=${id}>${live.data === undefined ? null : check ? html`<${Status} status=${check.Status} />` : html`<span class="dim">not found</span>`} ${check?.Name ?? id}${check?.ServiceName ? html` of <a href=${link("services", [check.ServiceName])}>${check.ServiceName}</a>` : null}</li>`;
        })}</ul>` : null}
      ${!session.TTL && !ids.length ? html`<p>Nothing: it lasts until it is ended or its node is taken out of the catalog.</p>` : null}
    <//>`;
}

/** Keys the session holds: looked for only when asked, as that reads all of them. @param {{ session: Session }} props */
function Held({ session }) {
  const [prefix, setPrefix] = useState("");
  const [found, setFound] = useState(/** @type {{ keys: string[], read: number } | null} */ (null));
  const [busy, setBusy] = useState(false);
  /** @param {Event} event */
  const look = async (event) => {
    event.preventDefault();
    setBusy(true);
    try {
      setFound(await heldBy(session.ID, prefix));
    } catch (error) {
      tell(error instanceof Error ? error.message : String(error), true);
    } finally {
      setBusy(false);
    }
  };
  return html`
    <${Card} title="Keys it holds">
      <form class="actions" onSubmit=${look}>
        <label>Below <input value=${prefix} placeholder="all keys" aria-label="Prefix of the keys to look at" spellcheck=${false} autocomplete="off"
          onInput=${(/** @type {any} */ event) => setPrefix(event.target.value)} /></label>
        <button type="submit" disabled=${busy}>${busy ? "Reading" : "Look for them"}</button>
        <span class="hint">The agent keeps no list by session, so all keys below are read, values too.</span>
      </form>
      <div aria-live="polite">${found ? html`
        <p>${counted(found.keys.length, "key")} of ${found.read.toLocaleString("en")} read.</p>
        <ul class="plain-list">${found.keys.slice(0, 500).map((key) => html`<li key=${key}><a class="key-name" href=${link("key", key)}>${visible(key)}</a></li>`)}</ul>
        ${found.keys.length > 500 ? html`<p class="dim">The first 500 are shown.</p>` : null}` : null}</div>
    <//>`;
}
