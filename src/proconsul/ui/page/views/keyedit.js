// Changing a value: editor, what will change, saving by check-and-set, and what to do when somebody else was quicker.
import { html, useEffect, useMemo, useRef, useState } from "../lib/ui.js";
import { diffLines, nearChanges } from "../lib/diff.js";
import { counted, hexDump, prettyJson, size, toBase64 } from "../lib/format.js";
import { VALUE_MAX, areFlags, bytesOf, curlOf, draftOf, jsonTrouble, plainText, putRequest, readKey, sameBytes, send } from "../lib/kv.js";
import { go, link, unsaved } from "../lib/route.js";
import { visible } from "../lib/tree.js";
import { Action, Copy } from "../parts/bits.js";
import { Dialog, tell } from "../parts/dialog.js";

/** @typedef {import("../lib/kv.js").Pair} Pair */
/** @typedef {import("../lib/kv.js").Draft} Draft */

const LINES_MAX = 3_000;
const SIGNS = { same: "  ", add: "+ ", del: "- " };

/** @param {unknown} error */
export const wordOf = (error) => (error instanceof Error ? error.message : String(error));

/** Two values line by line; data that is no text as a hex dump. @param {{ before: Uint8Array, after: Uint8Array, label: string }} props */
export function DiffView({ before, after, label }) {
  const [formatted, setFormatted] = useState(false);
  const [left, right] = useMemo(() => [plainText(before), plainText(after)], [before, after]);
  const pretty = useMemo(() => [prettyJson(left ?? ""), prettyJson(right ?? "")], [left, right]);
  const both = pretty[0] !== null && pretty[1] !== null;
  const diff = useMemo(() => {
    if (formatted && both) return diffLines(pretty[0] ?? "", pretty[1] ?? "");
    return left === null || right === null ? diffLines(hexDump(before), hexDump(after)) : diffLines(left, right);
  }, [before, after, formatted, both]);
  const shown = nearChanges(diff.lines);
  return html`
    <div class="actions"><span class="dim">${diff.added || diff.removed
      ? `${counted(diff.added, "line")} added, ${counted(diff.removed, "line")} removed`
      : formatted ? "Only white space differs." : "No difference."}${diff.exact ? "" : "; too much differs to find the least change"}</span>
      ${both ? html`<label><input type="checkbox" checked=${formatted} onChange=${() => setFormatted(!formatted)} /> compare as formatted JSON</label>` : null}</div>
    <div class="diff" role="group" aria-label=${label} tabindex="0">
      ${shown.slice(0, LINES_MAX).map((line) => (line.kind === "skip"
        ? html`<div class="same">@@ ${counted(line.count, "equal line")} @@</div>`
        : html`<div class=${line.kind}>${SIGNS[line.kind]}${visible(line.text, true)}${line.open && line.kind !== "same" ? html`<span class="dim"> (no line end)</span>` : null}</div>`))}
      ${shown.length > LINES_MAX ? html`<div class="same">@@ ${counted(shown.length - LINES_MAX, "more line")} @@</div>` : null}
    </div>`;
}

/**
 * The fields of a value: text or base64, flags, and what is to be said of them.
 * @param {{ name: string, draft: Draft, setDraft: (draft: Draft) => void, flags: string, setFlags: (flags: string) => void, fixed?: boolean }} props
 */
function Fields({ name, draft, setDraft, flags, setFlags, fixed = false }) {
  const bytes = useMemo(() => bytesOf(draft), [draft]);
  const trouble = draft.mode === "text" ? jsonTrouble(draft.text, name) : "";
  const json = draft.mode === "text" && !trouble && /^\s*[{[]/.test(draft.text);
  const turn = () => {
    if (!bytes) return;
    const next = draftOf(bytes);
    setDraft(draft.mode === "text" ? { mode: "base64", text: toBase64(bytes), ends: "\n" } : next);
  };
  /** @param {any} event */
  const load = async (event) => {
    const file = event.target.files?.[0];
    if (file) setDraft(draftOf(new Uint8Array(await file.arrayBuffer())));
  };
  return html`
    ${fixed ? null : html`
      <label class="field whole"><span>Value${draft.mode === "base64" ? ", as base64" : ""}</span>
        <textarea class="code" rows="14" spellcheck=${false} autocapitalize="off" data-editor value=${draft.text}
          onInput=${(/** @type {any} */ event) => setDraft({ ...draft, text: event.target.value })}></textarea></label>
      <div class="actions">
        <button type="button" disabled=${!bytes || (draft.mode === "base64" && plainText(bytes) === null)} onClick=${turn}>${draft.mode === "text" ? "As base64" : "As text"}</button>
        <button type="button" disabled=${!json} title="Changes white space only" onClick=${() => setDraft({ ...draft, text: prettyJson(draft.text) ?? draft.text })}>Format JSON</button>
        <label class="button">From a file<input class="sr" type="file" onChange=${load} /></label>
        <span class="dim">${bytes ? size(bytes.length) : "This is not base64."}</span>
        ${draft.ends === "\r\n" || draft.ends === "\r" ? html`<span class="dim">Lines end with ${draft.ends === "\r" ? "CR" : "CR LF"}, and will.</span>` : null}
      </div>
      ${draft.ends === "mixed" ? html`<p class="note warn">Some lines end with CR LF and some with LF. If you change the text, all will end with LF. As base64 they can be kept.</p>` : null}
      ${trouble ? html`<p class="note warn">This is not JSON as it stands: ${trouble}</p>` : null}
      ${bytes && bytes.length > VALUE_MAX ? html`<p class="note bad">The value has ${bytes.length.toLocaleString("en")} bytes. An agent takes 524,288 unless it is configured otherwise.</p>` : null}`}
    <label class="field"><span>Flags, a number the agent keeps with the value</span>
      <input inputmode="numeric" value=${flags} onInput=${(/** @type {any} */ event) => setFlags(event.target.value.trim())} /></label>
    ${areFlags(flags) ? null : html`<p class="note bad">Flags are a whole number from 0 to 18446744073709551615.</p>`}`;
}

/**
 * Both sides of a conflict.
 * @param {{ name: string, from: Pair, theirs: Pair | null, mine: Uint8Array, flags: string, keep: () => void, take: () => void, close: () => void }} props
 */
function Conflict({ name, from, theirs, mine, flags, keep, take, close }) {
  const moved = theirs && theirs.flags !== from.flags;
  return html`
    <${Dialog} title="This key was changed while you edited it" close=${close} wide>
      <div data-conflict>
      <p>Nothing of yours has been written. ${theirs
        ? html`You have read index ${from.modified}; now it is ${theirs.modified}.` : html`The key <code>${visible(name)}</code> has been deleted.`}</p>
      ${theirs ? html`
        <h3>What they changed since you read it</h3>
        <${DiffView} before=${from.bytes} after=${theirs.bytes} label="What they changed" />
        ${moved ? html`<p>Flags: ${from.flags} then, ${theirs.flags} now.</p>` : null}
        <h3>What yours would change in theirs</h3>
        <${DiffView} before=${theirs.bytes} after=${mine} label="What yours would change" />
        ${flags !== theirs.flags ? html`<p>Flags: ${theirs.flags} theirs, ${flags} yours.</p>` : null}` : null}
      <div class="buttons">
        <button type="button" data-edit-on onClick=${close}>Go on editing</button>
        <button type="button" data-take-theirs onClick=${take}>${theirs ? "Take theirs" : "Leave it deleted"}</button>
        <${Action} need=${{ Resource: "key", Access: "write", Segment: name }} run=${keep} danger><span data-keep-mine>${theirs ? "Keep mine" : "Create it with mine"}</span><//>
      </div></div>
    <//>`;
}

/**
 * The editor of a key that is there. `live` is what the agent has now.
 * @param {{ base: Pair, live: Pair | null | undefined, close: () => void }} props
 */
export function Editor({ base, live, close }) {
  const name = base.key;
  const [from, setFrom] = useState(base);
  const [draft, setDraft] = useState(() => draftOf(base.bytes));
  const [flags, setFlags] = useState(base.flags);
  const [review, setReview] = useState(false);
  const [busy, setBusy] = useState(false);
  const [theirs, setTheirs] = useState(/** @type {{ pair: Pair | null } | null} */ (null));
  const bytes = useMemo(() => bytesOf(draft, from.bytes), [draft, from]);
  const dirty = !bytes || !sameBytes(bytes, from.bytes) || flags !== from.flags;
  useEffect(() => {
    unsaved.value = dirty ? `Your change of ${name} is not saved.` : "";
    return () => { unsaved.value = ""; };
  }, [dirty]);
  const card = useRef(/** @type {HTMLElement | null} */ (null));
  useEffect(() => {
    /** @type {HTMLElement | null | undefined} */ (card.current?.querySelector(review ? ".diff" : "[data-editor]"))?.focus();
  }, [review]);
  useEffect(() => () => document.getElementById("main")?.focus({ preventScroll: true }), []);
  const moved = live === null || (live && live.modified > from.modified && !sameValue(live, from));
  /** @param {Pair} pair */
  const start = (pair) => {
    setFrom(pair);
    setDraft(draftOf(pair.bytes));
    setFlags(pair.flags);
    setReview(false);
  };
  /** @param {boolean} stay @param {number} [cas] */
  const save = async (stay, cas = from.modified) => {
    if (!bytes || busy) return;
    setBusy(true);
    try {
      const outcome = await saved(from, bytes, flags, cas);
      if ("theirs" in outcome) {
        setTheirs({ pair: outcome.theirs });
        return;
      }
      tell(`Key ${name} saved.`);
      setTheirs(null);
      setReview(false);
      if (stay) setFrom(outcome.now);
      else close();
    } catch (error) {
      tell(wordOf(error), true);
    } finally {
      setBusy(false);
    }
  };
  const take = () => {
    if (theirs?.pair) start(theirs.pair);
    setTheirs(null);
    if (!theirs?.pair) close();
  };
  const valid = bytes !== null && areFlags(flags);
  const need = { Resource: "key", Access: "write", Segment: name };
  return html`
    <section class="card" data-editing ref=${card}>
      <header><h2>${review ? "What will change" : "Edit"}</h2></header>
      ${moved ? html`<div class="note warn" role="alert"><b>${live ? "This key has just been changed elsewhere." : "This key has just been deleted elsewhere."}</b> What you edit is untouched.
        <button type="button" data-compare onClick=${() => setTheirs({ pair: live ?? null })}>Compare</button></div>` : null}
      ${review && bytes ? html`
        <${DiffView} before=${from.bytes} after=${bytes} label="What will change" />
        ${flags === from.flags ? null : html`<p>Flags: ${from.flags} before, ${flags} after.</p>`}
        <details><summary>The request</summary><${Copy} text=${curlOf(putRequest(name, bytes, flags, from.modified))} block /></details>
        <p class="hint">It is written only if the key is still as it was read, at index ${from.modified}.</p>`
      : html`<${Fields} name=${name} draft=${draft} setDraft=${setDraft} flags=${flags} setFlags=${setFlags} />`}
      <div class="buttons">
        <button type="button" disabled=${busy} onClick=${() => (review ? setReview(false) : close())}>${review ? "Back" : "Cancel"}</button>
        ${review ? html`
          <${Action} need=${need} disabled=${busy || !valid} run=${() => save(true)}>Save and go on editing<//>
          <${Action} need=${need} disabled=${busy || !valid} run=${() => save(false)} primary>Save<//>`
        : html`<button type="button" class="primary" data-review disabled=${!dirty || !valid} onClick=${() => setReview(true)}>${dirty ? "Review" : "Nothing changed"}</button>`}
      </div>
      ${theirs ? html`<${Conflict} name=${name} from=${from} theirs=${theirs.pair} mine=${bytes ?? from.bytes} flags=${flags} close=${() => setTheirs(null)}
        keep=${() => save(false, theirs.pair?.modified ?? 0)} take=${take} />` : null}
    </section>`;
}

/** @param {Pair} a @param {Pair} b */
function sameValue(a, b) {
  return a.flags === b.flags && sameBytes(a.bytes, b.bytes);
}

/**
 * Write a value if the key is as it was. A lock that was taken or left meanwhile changes its index and not its value: then the
 * write is tried again with the new one.
 * @param {Pair} from @param {Uint8Array} bytes @param {string} flags @param {number} cas
 * @returns {Promise<{ theirs: Pair | null } | { now: Pair }>}
 */
async function saved(from, bytes, flags, cas) {
  let written = await send(putRequest(from.key, bytes, flags, cas));
  if (!written) {
    const theirs = await readKey(from.key);
    if (theirs && cas === from.modified && sameValue(theirs, from)) written = await send(putRequest(from.key, bytes, flags, theirs.modified));
    if (!written) return { theirs: await readKey(from.key) };
  }
  const now = await readKey(from.key);
  // Changed again already: what was saved goes with the old index, so that the next save finds the conflict.
  return { now: now && now.flags === flags && sameBytes(now.bytes, bytes) ? now : { ...from, bytes, flags } };
}

/**
 * A window that makes a key, with a value typed in or that of another key. Never overwrites one.
 * @param {{ prefix: string, copy?: Pair, close: () => void }} props
 */
export function NewKey({ prefix, copy, close }) {
  const [name, setName] = useState(prefix);
  const [draft, setDraft] = useState(() => draftOf(copy?.bytes ?? new Uint8Array()));
  const [flags, setFlags] = useState(copy?.flags ?? "0");
  const [trouble, setTrouble] = useState("");
  const [busy, setBusy] = useState(false);
  const bytes = copy ? copy.bytes : bytesOf(draft);
  const input = useRef(/** @type {HTMLInputElement | null} */ (null));
  useEffect(() => {
    input.current?.focus();
    input.current?.setSelectionRange(name.length, name.length);
  }, []);
  const valid = name !== "" && bytes !== null && areFlags(flags);
  const request = bytes ? putRequest(name, bytes, flags, 0) : null;
  /** @param {Event} event */
  const submit = async (event) => {
    event.preventDefault();
    if (!valid || !request || busy) return;
    setBusy(true);
    try {
      if (await send(request)) {
        tell(`Key ${name} created.`);
        close();
        go(link("key", name));
      } else {
        setTrouble("There is a key of this name already. Nothing was written.");
      }
    } catch (error) {
      setTrouble(wordOf(error));
    } finally {
      setBusy(false);
    }
  };
  return html`
    <${Dialog} title=${copy ? `Copy ${visible(copy.key)}` : "New key"} close=${close} wide>
      <form onSubmit=${submit}>
        <label class="field whole"><span>Name, with slashes for folders</span>
          <input value=${name} autocomplete="off" spellcheck=${false} data-name ref=${input} onInput=${(/** @type {any} */ event) => { setName(event.target.value); setTrouble(""); }} /></label>
        <${Fields} name=${name} draft=${draft} setDraft=${setDraft} flags=${flags} setFlags=${setFlags} fixed=${Boolean(copy)} />
        ${trouble ? html`<p class="note bad" role="alert">${trouble}</p>` : null}
        ${name && request ? html`<details><summary>The request</summary><${Copy} text=${curlOf(request)} block /></details>` : null}
        <div class="buttons"><button type="button" onClick=${close}>Cancel</button>
          <button type="submit" class="primary" data-change disabled=${!valid || busy}>Create</button></div>
      </form>
    <//>`;
}
