// Auth methods and the binding rules that say what a login by them gives.
import { html, useMemo, useState } from "../lib/ui.js";
import { useLive } from "../lib/live.js";
import { go, inAddress, link } from "../lib/route.js";
import { offers } from "../lib/rights.js";
import { hasSecrets, masked, without } from "../lib/records.js";
import { change } from "../parts/dialog.js";
import { Action, Card, Empty, Facts, Page, Raw, WhyNot, Copy } from "../parts/bits.js";
import { ACL_WRITE, Changes, Choice, Field, JsonForm, stillAs } from "../parts/forms.js";
import { List } from "../parts/list.js";

/** @typedef {{ Name: string, Type: string, DisplayName?: string, Description: string, MaxTokenTTL?: string, TokenLocality?: string, Config?: Record<string, unknown>, ModifyIndex: number }} Method */
/** @typedef {{ ID: string, Description: string, AuthMethod: string, Selector: string, BindType: string, BindName: string }} Binding */

const EXAMPLE = { Name: "", Type: "jwt", DisplayName: "", Description: "", MaxTokenTTL: "8h", Config: { OIDCDiscoveryURL: "https://", BoundAudiences: [], ClaimMappings: {} } };

/** @param {{ name: string }} props */
export function Methods({ name }) {
  const making = useMemo(() => inAddress("new"), []); // a method may be called "new" itself
  return name || making.value ? html`<${One} name=${name} />` : html`<${All} />`;
}

function All() {
  const live = useLive("acl/auth-methods").value;
  /** @type {Method[]} */
  const rows = useMemo(() => live.data ?? [], [live.data]);
  /** @type {import("../parts/list.js").Column<Method>[]} */
  const columns = [
    { id: "name", title: "Method", width: "minmax(8rem, 1fr)", by: (row) => row.Name, cell: (row) => html`<a href=${link("methods", [row.Name])}>${row.Name}</a>` },
    { id: "type", title: "Type", width: "7rem", by: (row) => row.Type, cell: (row) => row.Type },
    { id: "display", title: "Shown as", width: "minmax(8rem, 1fr)", by: (row) => row.DisplayName ?? "", cell: (row) => row.DisplayName, wide: true },
    { id: "description", title: "Description", width: "minmax(8rem, 2fr)", by: (row) => row.Description, cell: (row) => row.Description, wide: true },
    { id: "ttl", title: "Tokens last", width: "7rem", cell: (row) => row.MaxTokenTTL && row.MaxTokenTTL !== "0s" ? row.MaxTokenTTL : "for ever", wide: true },
  ];
  return html`<${Page} view="methods" title="Auth methods" ready=${live.data !== undefined || live.error !== null} live=${live}
      actions=${html`<${Action} need=${ACL_WRITE} primary run=${() => go(link("methods", "", { new: "1" }))}>New method<//><${WhyNot} need=${ACL_WRITE} />`}>
    <${List} label="auth methods" rows=${rows} rowKey=${(/** @type {Method} */ row) => row.Name} columns=${columns} order="name" stamp=${(/** @type {Method} */ row) => String(row.ModifyIndex)}
      fields=${{ "": (/** @type {Method} */ row) => [row.Name, row.DisplayName ?? "", row.Description], type: (/** @type {Method} */ row) => row.Type }}
      empty="There are no auth methods: people and machines come with tokens." /><//>`;
}

/** @param {{ name: string }} props */
function One({ name }) {
  const isNew = name === "";
  const live = useLive(isNew ? "" : `acl/auth-method/${encodeURIComponent(name)}`).value;
  const editing = useMemo(() => inAddress("edit"), []);
  /** @type {Method | null} */
  const found = live.data ?? null;
  const close = () => { if (isNew) go(link("methods")); else editing.value = ""; };
  const set = (/** @type {any} */ record) => without(record, ["CreateIndex", "ModifyIndex"]);
  const save = async (/** @type {any} */ data, /** @type {string} */ before, /** @type {string} */ after) => {
    const path = found ? `acl/auth-method/${encodeURIComponent(found.Name)}` : "acl/auth-method";
    if (found && !(await stillAs(path, found, "The method"))) return false;
    const answer = await change({
      method: "PUT", path, body: data, shown: masked(data), done: `Auth method ${data.Name} is saved.`,
      question: { title: `Save auth method ${data.Name}`, confirm: "Save", body: html`<${Changes} before=${isNew ? "" : before} after=${after} />` },
    });
    if (answer && isNew) setTimeout(() => go(link("methods", [data.Name])));
    return answer !== null;
  };
  const remove = async () => {
    const answer = await change({
      method: "DELETE", path: `acl/auth-method/${encodeURIComponent(name)}`, done: `Auth method ${name} is deleted.`,
      question: { title: `Delete auth method ${name}`, danger: true, confirm: "Delete", typed: name, body: html`<p>Its binding rules are deleted too, and so are <b>all tokens that came from logins by it</b>.</p>` },
    });
    if (answer) go(link("methods"));
  };
  const actions = found && html`${editing.value ? null : html`<${Action} need=${ACL_WRITE} run=${() => { editing.value = "1"; }}>Edit<//>`}<${Action} need=${ACL_WRITE} danger run=${() => void remove()}>Delete<//><${WhyNot} need=${ACL_WRITE} />`;
  return html`
    <${Page} view="method" title=${isNew ? "New auth method" : name} crumbs=${[["Auth methods", link("methods")]]} ready=${isNew || live.data !== undefined || live.error !== null} live=${live} actions=${actions}>
      ${live.data === null ? html`<${Empty}>There is no such auth method any more.<//>` : null}
      ${(isNew || (found && editing.value)) && offers(ACL_WRITE) ? html`<${JsonForm} what="The auth method" initial=${isNew ? EXAMPLE : set(found)} save=${save} close=${close} />` : isNew ? html`<${WhyNot} need=${ACL_WRITE} />` : null}
      ${found ? html`
        <${Card} title="Method"><${Facts} pairs=${[
          ["Type", found.Type], ["Shown as", found.DisplayName], ["Description", found.Description], ["Tokens last", found.MaxTokenTTL && found.MaxTokenTTL !== "0s" ? found.MaxTokenTTL : "for ever"],
          ["Tokens are", found.TokenLocality === "global" ? "global" : "local"],
        ]} />
        <h3>Configuration</h3><${Copy} text=${JSON.stringify(masked(found.Config ?? {}), null, 2)} block />
        ${hasSecrets(found.Config) ? html`<p class="hint">Secrets are covered.</p>` : null}<//>
        <${Bindings} method=${found} />
        <${Raw} data=${masked(found)} />` : null}
    <//>`;
}

/** @param {{ method: Method }} props */
function Bindings({ method }) {
  const live = useLive(`acl/binding-rules?authmethod=${encodeURIComponent(method.Name)}`).value;
  const [adding, setAdding] = useState(false);
  /** @type {Binding[]} */
  const rows = live.data ?? [];
  const remove = (/** @type {Binding} */ row) => void change({
    method: "DELETE", path: `acl/binding-rule/${row.ID}`, done: "The binding rule is deleted.",
    question: { title: "Delete a binding rule", danger: true, confirm: "Delete", body: html`<p>Logins to which <code>${row.Selector || "anything"}</code> applies no longer get ${row.BindType} <b>${row.BindName}</b>. Tokens that were made keep it until they expire.</p>` },
  });
  return html`<${Card} title="Binding rules" actions=${adding ? null : html`<${Action} need=${ACL_WRITE} run=${() => setAdding(true)}>New binding rule<//>`}>
    ${adding && offers(ACL_WRITE) ? html`<${BindingForm} method=${method.Name} close=${() => setAdding(false)} />` : null}
    ${rows.length ? html`<div class="scroll-x" tabindex="0" role="region" aria-label="Binding rules"><table class="plain"><thead><tr><th>When</th><th>Gives</th><th>Description</th><th><span class="sr">Changes</span></th></tr></thead><tbody>
      ${rows.map((row) => html`<tr key=${row.ID}><td><code>${row.Selector || "always"}</code></td><td>${row.BindType} <b>${row.BindName}</b></td><td>${row.Description}</td><td><${Action} need=${ACL_WRITE} danger run=${() => remove(row)}>Delete<//></td></tr>`)}</tbody></table></div>`
    : live.data !== undefined ? html`<${Empty}>There are none: a login by this method gives nothing, and is refused.<//>` : null}<//>`;
}

/** @param {{ method: string, close: () => void }} props */
function BindingForm({ method, close }) {
  const [type, setType] = useState("service");
  const [name, setName] = useState("");
  const [selector, setSelector] = useState("");
  const [description, setDescription] = useState("");
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const body = { AuthMethod: method, BindType: type, BindName: name, Selector: selector, Description: description };
    const answer = await change({
      method: "PUT", path: "acl/binding-rule", body, done: "The binding rule is made.",
      question: { title: "Make a binding rule", confirm: "Create", body: html`<p>A login by <b>${method}</b> to which <code>${selector || "anything"}</code> applies gets ${type} <b>${name}</b>.</p>` },
    });
    if (answer) close();
  };
  return html`<form onSubmit=${save}>
    <${Choice} label="Gives" value=${type} set=${setType} options=${[["service", "a service identity"], ["node", "a node identity"], ["role", "a role"]]} />
    <${Field} label="Its name" value=${name} set=${setName} required hint="May hold variables like \${value.team}" />
    <${Field} label="When (selector)" value=${selector} set=${setSelector} placeholder="always" hint='Like value.team == "dev"' />
    <${Field} label="Description" value=${description} set=${setDescription} />
    <div class="buttons"><button type="button" onClick=${close}>Cancel</button><button type="submit" data-change class="primary" disabled=${!name}>Review and create</button></div></form>`;
}
