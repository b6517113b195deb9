// What forms are made of, and what the views of access control share.
import { html, useEffect, useMemo, useRef, useState } from "../lib/ui.js";
import { diffLines, nearChanges } from "../lib/diff.js";
import { get } from "../lib/api.js";
import { span } from "../lib/format.js";
import { aclsEnabled } from "../lib/rights.js";
import { link, place, unsaved } from "../lib/route.js";
import { token } from "../lib/settings.js";
import { COVERED, hasSecrets, masked, parsedObject, uncovered } from "../lib/records.js";
import { ask } from "./dialog.js";
import { Age, Empty, Page, now } from "./bits.js";

/** @typedef {{ ID?: string, Name?: string }} Link as tokens and roles point to policies and roles */

export const ACL_WRITE = /** @type {import("../lib/rights.js").Need} */ ({ Resource: "acl", Access: "write" });

/**
 * @param {{ label: string, value: string, set: (text: string) => void, hint?: any, list?: string[], type?: string, required?: boolean, placeholder?: string, disabled?: boolean }} props
 */
export function Field({ label, value, set, hint, list, type = "text", required = false, placeholder, disabled }) {
  const id = useMemo(() => `f${Math.random().toString(36).slice(2)}`, []);
  return html`<div class="field"><label><span>${label}</span>
    <input type=${type} value=${value} required=${required} placeholder=${placeholder} disabled=${disabled} list=${list ? id : undefined} aria-describedby=${hint ? `${id}h` : undefined}
      autocomplete="off" spellcheck=${false} onInput=${(/** @type {any} */ event) => set(event.target.value)} /></label>
    ${list ? html`<datalist id=${id}>${suggested(list, value).map((name) => html`<option value=${name} />`)}</datalist>` : null}
    ${hint ? html`<small class="hint" id=${`${id}h`}>${hint}</small>` : null}</div>`;
}

/** What may be meant: not thousands. @param {string[]} names @param {string} text */
function suggested(names, text) {
  const word = text.trim().toLowerCase();
  return names.filter((name) => name.toLowerCase().includes(word)).slice(0, 100);
}

/** @param {{ label: string, value: string, set: (text: string) => void, options: (string | [string, string])[] }} props */
export function Choice({ label, value, set, options }) {
  return html`<label class="field"><span>${label}</span><select value=${value} onChange=${(/** @type {any} */ event) => set(event.target.value)}>
    ${options.map((one) => { const [id, text] = Array.isArray(one) ? one : [one, one]; return html`<option key=${id} value=${id}>${text}</option>`; })}
  </select></label>`;
}

/** @param {{ label: any, value: boolean, set: (on: boolean) => void }} props */
export function Check({ label, value, set }) {
  return html`<label class="field row-field"><input type="checkbox" checked=${value} onChange=${(/** @type {any} */ event) => set(event.target.checked)} /> ${label}</label>`;
}

/**
 * Names chosen one by one. @param {{ label: string, names: string[], set: (names: string[]) => void, known: string[], hint?: any }} props
 */
export function Names({ label, names, set, known, hint }) {
  const [text, setText] = useState("");
  const add = () => {
    const name = text.trim();
    if (name && !names.includes(name)) set([...names, name]);
    setText("");
  };
  return html`<fieldset class="names"><legend>${label}</legend>
    ${names.length ? html`<span class="tags">${names.map((name) => html`<span class="tag" key=${name}>${name}
      <button type="button" class="quiet" aria-label=${`Remove ${name}`} onClick=${() => set(names.filter((other) => other !== name))}>✕</button></span>`)}</span>` : null}
    <div class="names-add" onKeyDown=${(/** @type {KeyboardEvent} */ event) => { if (event.key === "Enter") { event.preventDefault(); add(); } }}>
      <${Field} label=${`Add to ${label.toLowerCase()}`} value=${text} set=${setText} list=${known.filter((name) => !names.includes(name))} hint=${hint} />
      <button type="button" disabled=${!text.trim()} onClick=${add}>Add</button></div></fieldset>`;
}

/** Lines that were and lines that will be. @param {{ before: string, after: string }} props */
export function Changes({ before, after }) {
  const lines = useMemo(() => nearChanges(diffLines(before, after).lines), [before, after]);
  if (before === after) return html`<p class="empty">Nothing changes.</p>`;
  return html`<div class="diff" role="group" aria-label="Changes" tabindex="0">${lines.map((line) => (line.kind === "skip"
    ? html`<div class="same">... ${line.count} the same</div>`
    : html`<div class=${line.kind}>${{ add: "+ ", del: "- ", same: "  " }[line.kind]}${line.text}</div>`))}</div>`;
}

/** Marks a form as holding what would be lost. @param {boolean} dirty @param {string} what */
export function useUnsaved(dirty, what) {
  useEffect(() => {
    unsaved.value = dirty ? `${what} has changes that are not saved.` : "";
    return () => { unsaved.value = ""; };
  }, [dirty]);
}

/**
 * Whether what was read is still what the agent has; if not, the reader decides.
 * @param {string} path @param {{ ModifyIndex?: number }} read @param {string} what
 */
export async function stillAs(path, read, what) {
  /** @type {any} */
  let now = null;
  try {
    now = await get(path);
  } catch {
    return true; // the write itself says what is wrong
  }
  const index = Array.isArray(now) ? now[0]?.ModifyIndex : now?.ModifyIndex;
  if (index === undefined || index === read.ModifyIndex) return true;
  return ask({
    title: `${what} was changed meanwhile`, danger: true, confirm: "Overwrite it",
    body: html`<p>Somebody has changed it since you began (index ${read.ModifyIndex} then, ${index} now). Saving overwrites that.</p><${Changes} before=${JSON.stringify(Array.isArray(now) ? now[0] : now, null, 2)} after=${JSON.stringify(read, null, 2)} />`,
  });
}

/**
 * A definition as JSON: edited, checked while typing. `save` is given the decoded object, with the secrets the form covers, and
 * the two texts to compare; it says whether it was saved.
 * @param {{ initial: any, what: string, save: (data: any, before: string, after: string) => Promise<boolean>, close: () => void }} props
 */
export function JsonForm({ initial, what, save, close }) {
  const read = useMemo(() => initial, []);
  const before = useMemo(() => JSON.stringify(masked(read), null, 2), []);
  const [text, setText] = useState(before);
  const { data, problem } = useMemo(() => parsedObject(text), [text]);
  useUnsaved(text !== before, what);
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    if (data && (await save(uncovered(data, read), before, JSON.stringify(data, null, 2)))) {
      unsaved.value = "";
      close();
    }
  };
  return html`<form class="card" onSubmit=${submit}>
    <label class="field wide-field"><span>${what} as JSON</span>
      <textarea class="code" rows="18" spellcheck=${false} value=${text} aria-invalid=${problem !== ""} onInput=${(/** @type {any} */ event) => setText(event.target.value)}></textarea></label>
    <p class="hint" role="status">${problem || (hasSecrets(read) ? `What is ${COVERED} stays as it is unless you write something else.` : "Valid JSON.")}</p>
    <div class="buttons"><button type="button" onClick=${close}>Cancel</button>
      <button type="submit" data-change class="primary" disabled=${problem !== ""}>Review and save</button></div></form>`;
}

/** What the reader's token is: undefined while it is asked for, null if there is none. */
export function useSelf() {
  const [self, setSelf] = useState(/** @type {any} */ (undefined));
  const secret = token.value;
  useEffect(() => {
    let over = false;
    get("acl/token/self").then((data) => { if (!over) setSelf(data); }, () => { if (!over) setSelf(null); });
    return () => { over = true; };
  }, [secret, place.value.dc]);
  return self;
}

/** The names a list of the API has, for a field's suggestions. @param {string} path */
export function useNames(path) {
  const [rows, setRows] = useState(/** @type {any[]} */ ([]));
  useEffect(() => {
    let over = false;
    get(path).then((data) => { if (!over) setRows(data ?? []); }, () => {});
    return () => { over = true; };
  }, [path]);
  return rows;
}

/**
 * What is shown instead of a list of access control where there is none; null: there is some.
 * @param {string} view @param {string} title
 */
export function withoutAcls(view, title) {
  if (aclsEnabled.value !== false) return null;
  return html`<${Page} view=${view} title=${title}><${Empty}>Access control is off in this datacenter: everybody may do everything, and there are no tokens, policies, roles or methods.<//><//>`;
}

/** Links to policies or roles. @param {{ view: "policies" | "roles", links?: Link[] | null }} props */
export function Links({ view, links }) {
  if (!links?.length) return null;
  return html`<span class="tags">${links.map(({ ID, Name }) => html`<a class="tag" key=${ID ?? Name} href=${link(view, [ID || Name || ""])}>${Name || ID}</a>`)}</span>`;
}

/** @typedef {{ ServiceName: string, Datacenters?: string[] | null }} ServiceIdentity */
/** @typedef {{ NodeName: string, Datacenter: string }} NodeIdentity */

/** "web" or "web@dc1,dc2"; "node@dc" @param {{ ServiceIdentities?: ServiceIdentity[] | null, NodeIdentities?: NodeIdentity[] | null }} record */
export function identityTexts(record) {
  return {
    services: (record.ServiceIdentities ?? []).map((one) => one.ServiceName + (one.Datacenters?.length ? `@${one.Datacenters.join(",")}` : "")),
    nodes: (record.NodeIdentities ?? []).map((one) => `${one.NodeName}@${one.Datacenter}`),
  };
}

/** @param {string[]} services @param {string[]} nodes @param {string} dc the datacenter where none is said */
export function identitiesOf(services, nodes, dc) {
  return {
    ServiceIdentities: services.map((text) => {
      const [name = "", dcs] = text.split("@");
      return dcs ? { ServiceName: name, Datacenters: dcs.split(",") } : { ServiceName: name };
    }),
    NodeIdentities: nodes.map((text) => ({ NodeName: text.split("@")[0] ?? "", Datacenter: text.split("@")[1] || dc })),
  };
}

/** When something ends. @param {{ at: number }} props milliseconds, 0: never */
export function Until({ at }) {
  if (!at) return html`<span class="dim">never</span>`;
  return at < Date.now() ? html`<span class="status s3"><i aria-hidden="true"></i>expired <${Age} at=${at} /></span>` : html`<${Left} at=${at} />`;
}

/** @param {{ at: number }} props */
function Left({ at }) {
  return html`<time dateTime=${new Date(at).toISOString()} title=${new Date(at).toLocaleString()}>in ${span(Math.max(0, at - now.value))}</time>`;
}

/** A secret that is shown when asked for. @param {{ text: string, what: string }} props */
export function Secret({ text, what }) {
  const [shown, setShown] = useState(false);
  return html`<span class="secret"><code>${shown ? text : "••••••••"}</code>
    <button type="button" class="quiet" aria-pressed=${shown} onClick=${() => setShown(!shown)}>${shown ? "Hide" : `Show ${what}`}</button></span>`;
}

/** The DOM node of a text area, for jumping to a line. */
export function useTextArea() {
  const ref = useRef(/** @type {HTMLTextAreaElement | null} */ (null));
  const jump = (/** @type {number} */ line) => {
    const area = ref.current;
    if (!area) return;
    const lines = area.value.split("\n");
    const start = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
    area.focus();
    area.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
    area.scrollTop = Math.max(0, (line - 4) * 20);
  };
  return { ref, jump };
}

/**
 * @typedef {object} Grants what a token or a role gives, as names while they are edited
 * @property {string[]} policies
 * @property {string[]} roles
 * @property {string[]} services
 * @property {string[]} nodes
 */

/** @param {any} record a token or role @returns {Grants} */
export function grantsOf(record) {
  const names = (/** @type {Link[] | null | undefined} */ links) => (links ?? []).map((one) => one.Name || one.ID || "");
  return { policies: names(record.Policies), roles: names(record.Roles), ...identityTexts(record) };
}

/** The members a token or role is saved with. @param {Grants} grants @param {string} dc */
export function grantsBody(grants, dc) {
  const links = (/** @type {string[]} */ names) => names.map((Name) => ({ Name }));
  return { Policies: links(grants.policies), Roles: links(grants.roles), ...identitiesOf(grants.services, grants.nodes, dc) };
}

/** @param {{ grants: Grants, set: (grants: Grants) => void, ofRole?: boolean }} props */
export function GrantFields({ grants, set, ofRole = false }) {
  const names = (/** @type {any[]} */ rows) => rows.map((row) => row.Name ?? row.Node);
  const policies = names(useNames("acl/policies"));
  const roles = names(useNames("acl/roles"));
  const services = useNames("internal/ui/services").map((row) => row.Name);
  const nodes = names(useNames("catalog/nodes"));
  return html`
    <${Names} label="Policies" names=${grants.policies} set=${(/** @type {string[]} */ policies) => set({ ...grants, policies })} known=${policies} />
    ${ofRole ? null : html`<${Names} label="Roles" names=${grants.roles} set=${(/** @type {string[]} */ roles) => set({ ...grants, roles })} known=${roles} />`}
    <${Names} label="Service identities" names=${grants.services} set=${(/** @type {string[]} */ services) => set({ ...grants, services })} known=${services}
      hint="A service's name; web@dc1,dc2 for these datacenters only" />
    <${Names} label="Node identities" names=${grants.nodes} set=${(/** @type {string[]} */ nodes) => set({ ...grants, nodes })} known=${nodes} hint="name@datacenter" />`;
}
