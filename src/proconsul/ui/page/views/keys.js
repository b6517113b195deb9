// Keys as a tree, or all below a prefix in one list, and what can be done with many of them at once.
import { html, useMemo, useState } from "../lib/ui.js";
import { asCurl } from "../lib/api.js";
import { counted, size } from "../lib/format.js";
import { casOp, curlOf, deleteTreeRequest, exportText, keysPath, listKeys, parseExport, readKeys, readTree, runOps, sameBytes, send } from "../lib/kv.js";
import { useLive } from "../lib/live.js";
import { offers } from "../lib/rights.js";
import { go, inAddress, link } from "../lib/route.js";
import { flatOf, levelOf, parentOf, pathTo, visible } from "../lib/tree.js";
import { Action, Page, WhyNot } from "../parts/bits.js";
import { Dialog, ask, tell } from "../parts/dialog.js";
import { List } from "../parts/list.js";
import { download } from "./key.js";
import { NewKey, wordOf } from "./keyedit.js";

/** @typedef {import("../lib/tree.js").Row} Row */
/** @typedef {import("../lib/kv.js").Pair} Pair */
/** @typedef {import("../lib/rights.js").Need} Need */

const NAMES_MAX = 200;

/** @param {{ rest: string }} props */
export default function Keys({ rest: prefix }) {
  const flatChoice = useMemo(() => inAddress("flat"), []);
  const flat = flatChoice.value === "1";
  const live = useLive(keysPath(prefix, !flat)).value;
  /** @type {Row[]} */
  const rows = useMemo(() => (flat ? flatOf : levelOf)(live.data ?? [], prefix), [live.data, flat]);
  const [picked, setPicked] = useState(/** @type {Set<string>} */ (new Set()));
  const [window, setWindow] = useState(/** @type {"" | "new" | "import"} */ (""));
  const need = /** @type {Need} */ ({ Resource: "key", Access: "write", Segment: prefix });
  const path = /** @type {[string, string][]} */ (pathTo(prefix).map(([name, to]) => [visible(name) || "(empty)", link("kv", to)]));
  const close = () => setWindow("");
  const turn = () => {
    setPicked(new Set());
    flatChoice.value = flat ? "" : "1";
  };
  const actions = html`
    <${WhyNot} need=${need} />
    <${Action} need=${need} primary run=${() => setWindow("new")}>New key<//>
    <${Action} need=${need} run=${() => setWindow("import")}>Import<//>
    ${prefix ? html`<${Action} need=${{ ...need, Access: "write-prefix" }} danger run=${() => deleteTree(prefix)}>Delete folder<//>` : null}`;
  return html`
    <${Page} view="kv" title=${visible(prefix) || "Keys"} crumbs=${prefix ? [["Keys", link("kv")], ...path] : []} actions=${actions}
        live=${live} ready=${live.data !== undefined || live.error !== null}>
      ${live.data === undefined ? null : html`<${List} label="keys" rows=${rows} rowKey=${(/** @type {Row} */ row) => row.key} stamp=${(/** @type {Row} */ row) => row.key} columns=${columnsOf(prefix, flat)}
        fields=${{ "": (/** @type {Row} */ row) => row.name || row.key, is: (/** @type {Row} */ row) => (row.folder ? "folder" : "key") }}
        picked=${picked} onPick=${setPicked}
        tools=${html`<button type="button" class="chip" data-flat aria-pressed=${flat} title="Every key below, without folders" onClick=${turn}>Flat</button>
          <${Chosen} prefix=${prefix} flat=${flat} picked=${picked} clear=${() => setPicked(new Set())} some=${rows.length > 0} />`}
        empty=${prefix ? "There are no keys below this prefix, or this token may see none." : "There are no keys yet, or this token may see none."} />`}
      ${window === "new" ? html`<${NewKey} prefix=${prefix} close=${close} />` : null}
      ${window === "import" ? html`<${Import} close=${close} />` : null}
    <//>`;
}

/** @param {string} prefix @param {boolean} flat @returns {import("../parts/list.js").Column<Row>[]} */
function columnsOf(prefix, flat) {
  return [
    { id: "name", title: flat && prefix ? `Key below ${visible(prefix)}` : "Name", width: "minmax(0, 1fr)", cell: (row) => {
      const href = row.folder ? link("kv", row.key, flat ? { flat: "1" } : {}) : link("key", row.key);
      return html`<a class=${`key-name ${row.folder ? "folder" : ""}`} href=${href}>${row.name ? visible(row.name) : visible(row.key)}</a>${row.name ? null : html` <span class="badge">the key named as the folder</span>`}`;
    } },
    { id: "is", title: "Is a", width: "5rem", wide: true, cell: (row) => html`<span class="dim">${row.folder ? "folder" : "key"}</span>` },
  ];
}

/**
 * What can be done with the chosen rows; with none chosen, with all below.
 * @param {{ prefix: string, flat: boolean, picked: Set<string>, clear: () => void, some: boolean }} props
 */
function Chosen({ prefix, flat, picked, clear, some }) {
  const [busy, setBusy] = useState("");
  const isFolder = (/** @type {string} */ key) => !flat && key.endsWith("/") && key !== prefix;
  const folders = [...picked].filter(isFolder);
  const keys = [...picked].filter((key) => !isFolder(key));
  // Rights are asked for one by one, and no more than one question holds: the agent refuses what is not asked for.
  const allowed = [...picked].slice(0, 64).every((key) => offers({ Resource: "key", Access: isFolder(key) ? "write-prefix" : "write", Segment: key }));
  /** @param {() => Promise<void>} work */
  const run = async (work) => {
    try {
      await work();
    } catch (error) {
      tell(wordOf(error), true);
    } finally {
      setBusy("");
    }
  };
  const saveExport = () => run(async () => {
    setBusy("Reading");
    const pairs = picked.size ? await readChosen(folders, keys, (done) => setBusy(`Read ${done}`)) : await readTree(prefix);
    download(exportText(pairs), `consul-kv-${(prefix || "all").replace(/[^\w.-]+/g, "-").replace(/-$/, "")}.json`);
    tell(`${counted(pairs.length, "key")} exported.`);
  });
  const remove = () => run(async () => {
    const below = (await Promise.all(folders.map(listKeys))).flat();
    const all = [...new Set([...below, ...keys])];
    if (!(await askToDelete(all, folders))) return;
    const { done, refused } = await runOps(all.map((key) => ({ KV: { Verb: "delete", Key: key } })), (count) => setBusy(`Deleted ${count}`));
    clear();
    tellOf("deleted", done, refused);
  });
  return html`
    ${picked.size ? html`<span class="count">${counted(picked.size, "chosen", "chosen")}</span>` : null}
    ${some ? html`<button type="button" data-export disabled=${busy !== ""} title="As the JSON of consul kv export" onClick=${saveExport}>${picked.size ? "Export chosen" : "Export all below"}</button>` : null}
    ${picked.size && allowed ? html`<button type="button" class="danger" data-change data-delete-chosen disabled=${busy !== ""} onClick=${remove}>Delete chosen</button>` : null}
    ${picked.size ? html`<button type="button" class="quiet" onClick=${clear}>Choose none</button>` : null}
    <span class="dim" aria-live="polite">${busy}</span>`;
}

/** @param {string[]} folders @param {string[]} keys @param {(done: number) => void} progress @returns {Promise<Pair[]>} in the order of their names */
async function readChosen(folders, keys, progress) {
  const found = new Map();
  for (const folder of folders) {
    for (const pair of await readTree(folder)) found.set(pair.key, pair);
    progress(found.size);
  }
  for (const [key, pair] of await readKeys(keys.filter((key) => !found.has(key)), progress)) {
    if (pair) found.set(key, pair);
  }
  return [...found.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** @param {string} what @param {number} done @param {{ key: string, why: string }[]} refused */
function tellOf(what, done, refused) {
  const words = refused.slice(0, 5).map(({ key, why }) => `${key}: ${why}`);
  const more = refused.length > words.length ? ` and ${refused.length - words.length} more` : "";
  tell(`${counted(done, "key")} ${what}.${refused.length ? ` ${counted(refused.length, "key")} not: ${words.join("; ")}${more}.` : ""}`, refused.length > 0);
}

/** @param {string[]} all @param {string[]} folders */
async function askToDelete(all, folders) {
  if (!all.length) {
    tell("There are no keys in what is chosen.", true);
    return false;
  }
  return ask({
    title: `Delete ${counted(all.length, "key")}`, danger: true, confirm: `Delete ${counted(all.length, "key")}`, typed: `delete ${all.length}`,
    body: html`<p>Their values are lost${folders.length ? `. ${counted(folders.length, "folder")} chosen: only the keys that are in them now are deleted` : ""}. Locks on them end.</p><${Names} keys=${all} />`,
    curl: asCurl("PUT", "txn", all.slice(0, 64).map((key) => ({ KV: { Verb: "delete", Key: key } }))),
  });
}

/** @param {{ keys: string[] }} props */
function Names({ keys }) {
  return html`<ul class="plain-list output">${keys.slice(0, NAMES_MAX).map((key) => html`<li key=${key} class="key-name mono">${visible(key)}</li>`)}
    ${keys.length > NAMES_MAX ? html`<li>and ${counted(keys.length - NAMES_MAX, "more", "more")}</li>` : null}</ul>`;
}

/** @param {string} prefix */
async function deleteTree(prefix) {
  try {
    const keys = await listKeys(prefix);
    if (!keys.length) {
      tell("There are no keys below it.", true);
      return;
    }
    const request = deleteTreeRequest(prefix);
    if (!(await ask({
      title: `Delete all below ${visible(prefix)}`, danger: true, confirm: `Delete ${counted(keys.length, "key")}`, typed: prefix, curl: curlOf(request),
      body: html`<p>${counted(keys.length, "key")} of this prefix at this moment, with their values and locks. One that is added before the answer comes goes too.</p><${Names} keys=${keys} />`,
    }))) return;
    await send(request);
    tell(`${counted(keys.length, "key")} below ${prefix} deleted.`);
    go(link("kv", parentOf(prefix)));
  } catch (error) {
    tell(wordOf(error), true);
  }
}

/**
 * @typedef {object} Plan
 * @property {{ key: string, flags: string, bytes: Uint8Array, now: Pair | null }[]} write
 * @property {string[]} same
 */

/** A window that reads the JSON of `consul kv export`, says what it would do, then does it. @param {{ close: () => void }} props */
function Import({ close }) {
  const [text, setText] = useState("");
  const [plan, setPlan] = useState(/** @type {Plan | null} */ (null));
  const [trouble, setTrouble] = useState("");
  const [busy, setBusy] = useState("");
  /** @param {any} event */
  const load = async (event) => {
    const file = event.target.files?.[0];
    if (file) setText(await file.text());
  };
  const look = async () => {
    setTrouble("");
    setBusy("Reading");
    try {
      const wanted = parseExport(text);
      const present = await readKeys(wanted.map(({ key }) => key), (done) => setBusy(`Read ${done} of ${wanted.length}`));
      const all = wanted.map((entry) => ({ ...entry, now: present.get(entry.key) ?? null }));
      const same = (/** @type {Plan["write"][0]} */ entry) => Boolean(entry.now && entry.now.flags === entry.flags && sameBytes(entry.now.bytes, entry.bytes));
      setPlan({ write: all.filter((entry) => !same(entry)), same: all.filter(same).map(({ key }) => key) });
    } catch (error) {
      setTrouble(wordOf(error));
    }
    setBusy("");
  };
  const write = async () => {
    if (!plan) return;
    setBusy("Writing");
    const ops = plan.write.map(({ key, flags, bytes, now }) => casOp(key, bytes, flags, now?.modified ?? 0));
    const { done, refused } = await runOps(ops, (count) => setBusy(`Written ${count} of ${ops.length}`));
    tellOf("written", done, refused);
    close();
  };
  return html`
    <${Dialog} title="Import keys" close=${close} wide>
      ${plan ? html`<${Planned} plan=${plan} />` : html`
        <p>The JSON of <code>consul kv export</code>. Keys are written under the names in it. Nothing is written before you have seen what would change.</p>
        <div class="actions"><label class="button">From a file<input class="sr" type="file" accept=".json,application/json" data-import-file onChange=${load} /></label></div>
        <label class="field whole"><span>Or paste it</span>
          <textarea class="code" rows="12" spellcheck=${false} data-import value=${text} onInput=${(/** @type {any} */ event) => setText(event.target.value)}></textarea></label>`}
      ${trouble ? html`<p class="note bad" role="alert">${trouble}</p>` : null}
      <div class="buttons"><span class="dim" aria-live="polite">${busy}</span>
        <button type="button" disabled=${busy !== ""} onClick=${() => (plan ? setPlan(null) : close())}>${plan ? "Back" : "Cancel"}</button>
        ${plan ? html`<button type="button" class=${plan.write.some(({ now }) => now) ? "danger" : "primary"} data-change disabled=${busy !== "" || !plan.write.length} onClick=${write}>Write ${counted(plan.write.length, "key")}</button>`
          : html`<button type="button" class="primary" disabled=${busy !== "" || !text.trim()} onClick=${look}>See what would change</button>`}
      </div>
    <//>`;
}

/** @param {{ plan: Plan }} props */
function Planned({ plan }) {
  const fresh = plan.write.filter(({ now }) => !now);
  const over = plan.write.filter(({ now }) => now);
  return html`
    <h3>${counted(fresh.length, "new key")}</h3>
    ${fresh.length ? html`<${Names} keys=${fresh.map(({ key }) => key)} />` : null}
    <h3>${counted(over.length, "key")} overwritten</h3>
    ${over.length ? html`<ul class="plain-list output">${over.slice(0, NAMES_MAX).map(({ key, bytes, flags, now }) => html`
      <li key=${key}><a class="key-name mono" href=${link("key", key)} target="_blank">${visible(key)}</a> <span class="dim">${size(now?.bytes.length ?? 0)} now, ${size(bytes.length)} then${flags === now?.flags ? "" : `, flags ${now?.flags} now, ${flags} then`}</span></li>`)}
      ${over.length > NAMES_MAX ? html`<li>and ${counted(over.length - NAMES_MAX, "more", "more")}</li>` : null}</ul>` : null}
    <h3>${counted(plan.same.length, "key")} the same already</h3>
    <p class="hint">Written in transactions of up to 64 keys. A key that changes before its turn comes is left alone and named afterwards.</p>`;
}
