// One key: its value in several ways of reading it, who holds it, and the way to change it.
import { html, useEffect, useMemo, useState } from "../lib/ui.js";
import { asCurl, encodePath, pathOf, quoted } from "../lib/api.js";
import { asText, counted, hexDump, prettyJson, size, toBase64 } from "../lib/format.js";
import { cliOf, curlOf, deleteRequest, keysPath, pairOf, plainText, putRequest, readKey, send } from "../lib/kv.js";
import { useLive } from "../lib/live.js";
import { go, link } from "../lib/route.js";
import { valueView } from "../lib/settings.js";
import { carried, parentOf, pathTo, visible } from "../lib/tree.js";
import { Action, Card, Copy, Empty, Facts, Page, Tabs, WhyNot } from "../parts/bits.js";
import { ask, tell } from "../parts/dialog.js";
import { Editor, NewKey, wordOf } from "./keyedit.js";
import { Invalidate, sessionName } from "./sessions.js";

/** @typedef {import("../lib/kv.js").Pair} Pair */

/**
 * A key, kept up to date. One that no address carries is read by a transaction whenever its surroundings change.
 * @param {string} key
 * @returns {{ pair: Pair | null | undefined, live: import("../lib/live.js").Seen }}
 */
function useKey(key) {
  const direct = key !== "" && carried(key);
  const live = useLive(direct ? `kv/${encodePath(key)}` : keysPath(key)).value;
  const [read, setRead] = useState(/** @type {{ pair?: Pair | null, error?: any }} */ ({}));
  useEffect(() => {
    if (direct || live.data === undefined) return undefined;
    let wanted = true;
    readKey(key).then((pair) => { if (wanted) setRead({ pair }); }, (error) => { if (wanted) setRead({ error }); });
    return () => { wanted = false; };
  }, [live.data]);
  const pair = useMemo(() => (live.data === undefined ? undefined : live.data?.[0]?.Key === key ? pairOf(live.data[0]) : null), [live.data]);
  return direct ? { pair, live } : { pair: read.pair, live: read.error ? { ...live, error: read.error } : live };
}

/** @param {{ rest: string }} props */
export default function Key({ rest: key }) {
  const { pair, live } = useKey(key);
  const [editing, setEditing] = useState(/** @type {Pair | null} */ (null));
  const [copying, setCopying] = useState(false);
  const need = /** @type {import("../lib/rights.js").Need} */ ({ Resource: "key", Access: "write", Segment: key });
  const crumbs = /** @type {[string, string][]} */ ([["Keys", link("kv")], ...pathTo(key).map(([name, prefix]) => [visible(name) || "(empty)", link("kv", prefix)])]);
  const actions = pair && !editing ? html`
    <${WhyNot} need=${need} />
    <${Action} need=${need} primary run=${() => setEditing(pair)}>Edit<//>
    <${Action} need=${{ ...need, Segment: parentOf(key) }} run=${() => setCopying(true)}>Copy to a new key<//>
    <${Action} need=${need} danger run=${() => remove(pair)}>Delete<//>` : null;
  return html`
    <${Page} view="key" title=${visible(key) || "(empty)"} crumbs=${crumbs} actions=${actions} live=${live} ready=${pair !== undefined || live.error !== null}>
      ${editing ? html`<${Editor} base=${editing} live=${pair} close=${() => setEditing(null)} />` : null}
      ${pair && !editing ? html`<${Value} pair=${pair} />` : null}
      ${pair ? html`<${About} pair=${pair} />` : null}
      ${pair === null && !editing ? html`
        <${Empty}>There is no key of this name, or this token may not read it.<//>
        <div class="actions"><a class="button" href=${link("kv", key.endsWith("/") ? key : parentOf(key))}>What is in its folder</a>
          ${key ? html`<${Action} need=${need} run=${() => setCopying(true)}>Create it<//>` : null}</div>` : null}
      ${copying ? html`<${NewKey} prefix=${key} copy=${pair ?? undefined} close=${() => setCopying(false)} />` : null}
    <//>`;
}

/** @param {Pair} pair */
async function remove(pair) {
  const request = deleteRequest(pair.key, pair.modified);
  const held = pair.session ? " A session holds it; deleting it ends that lock." : "";
  if (!(await ask({
    title: `Delete key ${visible(pair.key)}`, danger: true, confirm: "Delete", curl: curlOf(request),
    body: `Its value of ${size(pair.bytes.length)} is lost. It is deleted only if it is still as shown, at index ${pair.modified}.${held}`,
  }))) return;
  try {
    if (await send(request)) {
      tell(`Key ${pair.key} deleted.`);
      go(link("kv", parentOf(pair.key)));
    } else {
      tell(`Key ${pair.key} has changed meanwhile and was not deleted.`, true);
    }
  } catch (error) {
    tell(wordOf(error), true);
  }
}

/** How a value is best read. @param {Uint8Array} bytes @returns {"json" | "text" | "hex"} */
function bestView(bytes) {
  const text = plainText(bytes);
  if (text === null) return "hex";
  return /^\s*[{[]/.test(text) && prettyJson(text) !== null ? "json" : "text";
}

/** @param {Uint8Array} bytes @param {string} view @returns {{ text: string, note: string }} */
function shownAs(bytes, view) {
  if (view === "base64") return { text: toBase64(bytes), note: "" };
  if (view === "hex") return { text: hexDump(bytes), note: "" };
  const text = asText(bytes);
  if (text === null) return { text: hexDump(bytes), note: "This is no text in UTF-8, so it is shown in hex." };
  if (view === "text") return { text: visible(text, true), note: "" };
  const pretty = prettyJson(text);
  return pretty === null
    ? { text: visible(text, true), note: "This is not JSON, or nested too deep to be formatted, so it is shown as text." }
    : { text: visible(pretty, true), note: "Formatted for reading. The stored bytes are as they were written." };
}

/** So many characters are laid out without asking: a browser takes seconds for a million in short lines. */
const SHOWN_MAX = 100_000;

/** @param {{ pair: Pair }} props */
function Value({ pair }) {
  const [whole, setWhole] = useState(false);
  const best = bestView(pair.bytes);
  const view = valueView.value === "auto" ? best : valueView.value;
  const { text, note } = useMemo(() => shownAs(pair.bytes, view), [pair.bytes, view]);
  const names = { json: "JSON", text: "text", hex: "hex" };
  const copied = useMemo(() => asText(pair.bytes) ?? toBase64(pair.bytes), [pair.bytes]);
  return html`
    <${Card} title="Value" actions=${html`<button type="button" class="quiet" onClick=${() => download(pair.bytes, pair.key.split("/").at(-1) || "value")}>Download</button>
        <${Copy} text=${copied} label=${asText(pair.bytes) === null ? "copy base64" : "copy"} />`}>
      <${Tabs} choice=${valueView} label="How to read it" tabs=${[["auto", `Auto (${names[best]})`], ["text", "Text"], ["json", "JSON"], ["hex", "Hex"], ["base64", "Base64"]]} />
      ${note ? html`<p class="hint">${note}</p>` : null}
      ${pair.bytes.length ? html`<pre class=${`value ${text.startsWith("00000000  ") ? "hex" : ""}`} data-value tabindex="0" aria-label="Value">${whole ? text : text.slice(0, SHOWN_MAX)}</pre>` : html`<${Empty}>The value is empty.<//>`}
      ${text.length > SHOWN_MAX && !whole ? html`<p><button type="button" onClick=${() => setWhole(true)}>Show all ${text.length.toLocaleString("en")} characters</button> <span class="dim">The first ${SHOWN_MAX.toLocaleString("en")} are shown.</span></p>` : null}
    <//>`;
}

/** Hand bytes to the reader as a file. @param {Uint8Array | string} content @param {string} name */
export function download(content, name) {
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(new Blob([/** @type {BlobPart} */ (content)], { type: "application/octet-stream" }));
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(anchor.href), 10_000);
}

/** @param {{ pair: Pair }} props */
function About({ pair }) {
  const { key, flags } = pair;
  const name = quoted(key);
  const reading = carried(key)
    ? asCurl("GET", pathOf(`kv/${encodePath(key)}?raw`))
    : asCurl("PUT", pathOf("txn"), [{ KV: { Verb: "get", Key: key } }]);
  const put = putRequest(key, new Uint8Array([0]), flags, pair.modified);
  return html`
    <div class="cards">
      <${Card} title="About this key">
        <${Facts} pairs=${[
          ["Size", `${pair.bytes.length.toLocaleString("en")} bytes`],
          ["Flags", flags === "0" ? "0" : `${flags} (0x${BigInt(flags).toString(16)})`],
          ["Created", `at index ${pair.created}`], ["Changed", html`at index <span data-modified>${pair.modified}</span>`],
          ["Locked", pair.locks === 0 ? "never" : `${counted(pair.locks, "time")} so far`],
        ]} />
        <h3>Lock</h3>
        ${pair.session ? html`<${Holder} key=${pair.session} id=${pair.session} />` : html`<${Empty}>No session holds it.<//>`}
      <//>
      <${Card} title="In a terminal">
        <${Copy} text=${reading} block />
        ${carried(key) ? html`
          <${Copy} text=${`consul kv get -detailed ${name}`} block />
          <details><summary>Changing it</summary>
            <${Copy} text=${curlOf(put)} block /><${Copy} text=${cliOf(pair)} block /><${Copy} text=${cliOf(pair, true)} block /></details>`
        : html`<p class="hint">No path of a request carries this name unchanged, so the command line does not reach the key. A transaction does.</p>`}
      <//>
    </div>`;
}

/** The session that holds the key. @param {{ id: string }} props */
function Holder({ id }) {
  const live = useLive(`session/info/${encodeURIComponent(id)}`).value;
  const session = live.data?.[0];
  return html`
    <${Facts} pairs=${[
      ["Session", html`<a href=${link("sessions", [id])}>${session ? sessionName(session) : id}</a>`],
      ["Node", session ? html`<a href=${link("nodes", [session.Node])}>${session.Node}</a>` : ""],
    ]} />
    ${live.data !== undefined && !session ? html`<${Empty}>This token may not see the session.<//>` : null}
    ${session ? html`<div class="buttons left"><${Invalidate} session=${session} /></div>` : null}`;
}
