// Policies, roles and auth methods: the prop `id` says which.
import { html, useMemo, useState } from "../lib/ui.js";
import { useLive } from "../lib/live.js";
import { go, inAddress, link, place, unsaved } from "../lib/route.js";
import { offers } from "../lib/rights.js";
import { counted } from "../lib/format.js";
import { without } from "../lib/records.js";
import { BARE, NAMED, levelsOf, parseRules, ruleText } from "../lib/rules.js";
import { change } from "../parts/dialog.js";
import { Action, Card, Copy, Empty, Facts, Page, Raw, Tags, WhyNot } from "../parts/bits.js";
import { ACL_WRITE, Changes, Choice, Field, GrantFields, Links, Names, grantsBody, grantsOf, identityTexts, stillAs, useTextArea, useUnsaved, withoutAcls } from "../parts/forms.js";
import { List } from "../parts/list.js";
import { Methods } from "./methods.js";

const MANAGEMENT = "00000000-0000-0000-0000-000000000001";

/** @typedef {{ ID: string, Name: string, Description: string, Rules: string, Datacenters: string[] | null, ModifyIndex: number }} Policy */
/** @typedef {{ ID: string, Name: string, Description: string, Policies?: import("../parts/forms.js").Link[] | null, ServiceIdentities?: import("../parts/forms.js").ServiceIdentity[] | null, NodeIdentities?: import("../parts/forms.js").NodeIdentity[] | null, ModifyIndex: number }} Role */

/** @param {{ id: string, rest: string }} props */
export default function Policies({ id, rest }) {
  const off = withoutAcls(id, { policies: "Policies", roles: "Roles" }[id] ?? "Auth methods");
  if (off) return off;
  if (id === "methods") return html`<${Methods} name=${rest} />`;
  if (id === "roles") return rest ? html`<${OneRole} id=${rest} />` : html`<${AllRoles} />`;
  return rest ? html`<${OnePolicy} id=${rest} />` : html`<${AllPolicies} />`;
}

/** @param {{ view: string, word: string }} props */
function NewButton({ view, word }) {
  return html`<${Action} need=${ACL_WRITE} primary run=${() => go(link(view, ["new"]))}>New ${word}<//><${WhyNot} need=${ACL_WRITE} />`;
}

function AllPolicies() {
  const live = useLive("acl/policies").value;
  /** @type {Policy[]} */
  const rows = useMemo(() => live.data ?? [], [live.data]);
  /** @type {import("../parts/list.js").Column<Policy>[]} */
  const columns = [
    { id: "name", title: "Policy", width: "minmax(9rem, 1fr)", by: (row) => row.Name, cell: (row) => html`<a href=${link("policies", [row.ID])}>${row.Name}</a>` },
    { id: "description", title: "Description", width: "minmax(9rem, 2fr)", by: (row) => row.Description, cell: (row) => row.Description, wide: true },
    { id: "dcs", title: "Datacenters", width: "10rem", by: (row) => (row.Datacenters ?? []).join(" "), cell: (row) => row.Datacenters?.length ? html`<${Tags} tags=${row.Datacenters} max=${3} />` : html`<span class="dim">all</span>` },
  ];
  return html`<${Page} view="policies" title="Policies" ready=${live.data !== undefined || live.error !== null} live=${live} actions=${html`<${NewButton} view="policies" word="policy" />`}>
    <${List} label="policies" rows=${rows} rowKey=${(/** @type {Policy} */ row) => row.ID} columns=${columns} order="name" stamp=${(/** @type {Policy} */ row) => String(row.ModifyIndex)}
      fields=${{ "": (/** @type {Policy} */ row) => [row.Name, row.Description], dc: (/** @type {Policy} */ row) => row.Datacenters ?? [] }}
      empty="There are no policies, or this token may see none." /><//>`;
}

/** Tokens and roles that have a policy or a role. @param {{ kind: "Policies" | "Roles", id: string }} props */
function UsedBy({ kind, id }) {
  const tokens = useLive("acl/tokens").value;
  const roles = useLive(kind === "Policies" ? "acl/roles" : "").value;
  const has = (/** @type {any} */ row) => (row[kind] ?? []).some((/** @type {any} */ one) => one.ID === id);
  const usedBy = (tokens.data ?? []).filter(has);
  const usedIn = (roles.data ?? []).filter(has);
  const loaded = tokens.data !== undefined;
  return html`<${Card} title="Used by">
    ${usedIn.length ? html`<h3>${counted(usedIn.length, "role")}</h3><${Links} view="roles" links=${usedIn} />` : null}
    ${usedBy.length ? html`<h3>${counted(usedBy.length, "token")}</h3><span class="tags">${usedBy.slice(0, 100).map((/** @type {any} */ row) => html`
      <a class="tag" key=${row.AccessorID} href=${link("tokens", [row.AccessorID])}>${row.Description || row.AccessorID}</a>`)}</span>${usedBy.length > 100 ? html` <span class="hint">and ${usedBy.length - 100} more</span>` : null}` : null}
    ${loaded && !usedBy.length && !usedIn.length ? html`<${Empty}>${kind === "Policies" ? "No token or role has it." : "No token has it."}<//>` : null}<//>`;
}

/** @param {{ id: string }} props */
function OnePolicy({ id }) {
  const isNew = id === "new";
  const live = useLive(isNew ? "" : `acl/policy/${encodeURIComponent(id)}`).value;
  const editing = useMemo(() => inAddress("edit"), []);
  /** @type {Policy | null} */
  const found = live.data ?? null;
  const builtIn = found?.ID === MANAGEMENT;
  const actions = found && html`
    ${editing.value ? null : html`<${Action} need=${ACL_WRITE} run=${() => { editing.value = "1"; }}>Edit<//>`}
    ${builtIn ? null : html`<${Action} need=${ACL_WRITE} danger run=${() => void removePolicy(found)}>Delete<//>`}<${WhyNot} need=${ACL_WRITE} />`;
  const close = () => { if (isNew) go(link("policies")); else editing.value = ""; };
  const { rules, problems } = useMemo(() => parseRules(found?.Rules ?? ""), [found?.Rules]);
  return html`
    <${Page} view="policy" title=${isNew ? "New policy" : found?.Name ?? "Policy"} crumbs=${[["Policies", link("policies")]]} ready=${isNew || live.data !== undefined || live.error !== null} live=${live} actions=${actions}>
      ${live.data === null ? html`<${Empty}>There is no such policy any more.<//>` : null}
      ${(isNew || (found && editing.value)) && offers(ACL_WRITE) ? html`<${PolicyForm} policy=${found} close=${close} />` : isNew ? html`<${WhyNot} need=${ACL_WRITE} />` : null}
      ${found ? html`
        <${Card} title="Policy">
          <${Facts} pairs=${[["ID", html`<code>${found.ID}</code> <${Copy} text=${found.ID} />`], ["Description", found.Description], ["Datacenters", found.Datacenters?.length ? found.Datacenters.join(", ") : "all"], ["Index", found.ModifyIndex]]} />
        <//>
        ${editing.value ? null : html`<${Card} title="Rules">
          ${found.Rules ? html`<${Copy} text=${found.Rules} block />` : html`<${Empty}>It has no rules.<//>`}
          <${Problems} problems=${problems} />
          ${rules.length ? html`<details><summary>${counted(rules.length, "rule")} one by one</summary><table class="plain"><thead><tr><th>Resource</th><th>Name</th><th>Level</th></tr></thead><tbody>
            ${rules.map((rule) => html`<tr><td>${rule.resource}</td><td>${BARE.includes(rule.resource) ? "" : html`${rule.prefix ? "all that begin with " : ""}<code>${JSON.stringify(rule.name)}</code>`}</td><td>${rule.level}${rule.intentions ? `, intentions ${rule.intentions}` : ""}</td></tr>`)}</tbody></table></details>` : null}
        <//>`}
        <${UsedBy} kind="Policies" id=${found.ID} />
        <${Raw} data=${found} />` : null}
    <//>`;
}

/** @param {Policy} found */
async function removePolicy(found) {
  const answer = await change({
    method: "DELETE", path: `acl/policy/${found.ID}`, done: `Policy ${found.Name} is deleted.`,
    question: { title: `Delete policy ${found.Name}`, danger: true, confirm: "Delete", typed: found.Name, body: html`<p>Tokens and roles that have it lose what it gives, at once.</p>` },
  });
  if (answer) go(link("policies"));
}

/** What is wrong with rules. @param {{ problems: import("../lib/rules.js").Problem[], jump?: (line: number) => void }} props */
function Problems({ problems, jump }) {
  return html`<ul class="problems" aria-label="Remarks on the rules">${problems.map((one) => html`<li class=${one.error ? "s3" : "s2"}>
    ${jump ? html`<button type="button" class="quiet" onClick=${() => jump(one.line)}>line ${one.line}</button>` : `line ${one.line}: `}${one.error ? "" : "Note: "}${one.text}</li>`)}</ul>`;
}

/** @param {{ policy: Policy | null, close: () => void }} props */
function PolicyForm({ policy, close }) {
  const read = useMemo(() => policy, []);
  const [name, setName] = useState(read?.Name ?? "");
  const [description, setDescription] = useState(read?.Description ?? "");
  const [dcs, setDcs] = useState(read?.Datacenters ?? []);
  const [rules, setRules] = useState(read?.Rules ?? "");
  const { problems } = useMemo(() => parseRules(rules), [rules]);
  const { ref, jump } = useTextArea();
  const builtIn = read?.ID === MANAGEMENT;
  const before = textOf(read?.Name ?? "", read?.Description ?? "", read?.Datacenters ?? [], read?.Rules ?? "");
  const after = textOf(name, description, dcs, rules);
  useUnsaved(before !== after, "The policy");
  const badName = name !== "" && !/^[A-Za-z0-9\-_]{1,128}$/.test(name);
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const path = read ? `acl/policy/${read.ID}` : "acl/policy";
    if (read && !(await stillAs(path, read, "The policy"))) return;
    const answer = await change({
      method: "PUT", path, body: { ...(read ? { ID: read.ID } : {}), Name: name, Description: description, Rules: rules, Datacenters: dcs }, done: `Policy ${name} is saved.`,
      question: { title: read ? `Save policy ${name}` : `Make policy ${name}`, confirm: read ? "Save" : "Create",
        body: html`${problems.some((one) => one.error) ? html`<p class="note warn">This page thinks the agent will refuse these rules.</p>` : null}<${Changes} before=${read ? before : ""} after=${after} />` },
    });
    if (!answer) return;
    unsaved.value = "";
    if (read) close();
    else go(link("policies", [answer.data.ID]));
  };
  return html`<form class="card" onSubmit=${save}>
    <${Field} label="Name" value=${name} set=${setName} required disabled=${builtIn} hint=${badName ? "Letters, digits, dashes and underscores only, at most 128." : undefined} />
    <${Field} label="Description" value=${description} set=${setDescription} disabled=${builtIn} />
    <${Names} label="Datacenters" names=${dcs} set=${setDcs} known=${[place.value.dc]} hint="None: all" />
    <label class="field wide-field"><span>Rules (HCL or JSON)</span>
      <textarea class="code" rows="14" spellcheck=${false} ref=${ref} value=${rules} disabled=${builtIn} aria-invalid=${problems.some((one) => one.error)} onInput=${(/** @type {any} */ event) => setRules(event.target.value)}></textarea></label>
    <div role="status">${problems.length ? html`<${Problems} problems=${problems} jump=${jump} />` : html`<p class="hint">${rules.trim() ? "Nothing is wrong with these rules." : "No rules yet."}</p>`}</div>
    ${builtIn ? null : html`<${AddRule} add=${(/** @type {string} */ line) => setRules(`${rules}${rules && !rules.endsWith("\n") ? "\n" : ""}${line}\n`)} />`}
    <div class="buttons"><button type="button" onClick=${close}>Cancel</button>
      <button type="submit" data-change class="primary" disabled=${!name || badName || before === after}>Review and ${read ? "save" : "create"}</button></div></form>`;
}

/** @param {string} name @param {string} description @param {string[]} dcs @param {string} rules */
function textOf(name, description, dcs, rules) {
  return `Name: ${name}\nDescription: ${description}\nDatacenters: ${dcs.join(", ") || "all"}\nRules:\n${rules}`;
}

/** Writes one rule for those who do not know the language. @param {{ add: (line: string) => void }} props */
function AddRule({ add }) {
  const [resource, setResource] = useState("key");
  const [prefix, setPrefix] = useState(true);
  const [name, setName] = useState("");
  const [level, setLevel] = useState("read");
  const bare = BARE.includes(resource);
  const levels = levelsOf(resource);
  const granted = levels.includes(level) ? level : "read";
  return html`<fieldset class="names wide-field"><legend>Add a rule</legend><div class="ask-line">
    <${Choice} label="Resource" value=${resource} set=${setResource} options=${[...NAMED, ...BARE].sort()} />
    ${bare ? null : html`<${Choice} label="Which" value=${prefix ? "prefix" : "exact"} set=${(/** @type {string} */ text) => setPrefix(text === "prefix")} options=${[["prefix", "all that begin with"], ["exact", "exactly"]]} />
      <${Field} label="Rule's name" value=${name} set=${setName} placeholder=${prefix ? "empty: all" : ""} />`}
    <${Choice} label="Level" value=${granted} set=${setLevel} options=${levels} /></div>
    <div class="buttons left"><button type="button" onClick=${() => add(ruleText({ resource, prefix, name, level: granted }))}>Add the rule</button></div></fieldset>`;
}

function AllRoles() {
  const live = useLive("acl/roles").value;
  /** @type {Role[]} */
  const rows = useMemo(() => live.data ?? [], [live.data]);
  /** @type {import("../parts/list.js").Column<Role>[]} */
  const columns = [
    { id: "name", title: "Role", width: "minmax(9rem, 1fr)", by: (row) => row.Name, cell: (row) => html`<a href=${link("roles", [row.ID])}>${row.Name}</a>` },
    { id: "description", title: "Description", width: "minmax(9rem, 1fr)", by: (row) => row.Description, cell: (row) => row.Description, wide: true },
    { id: "policies", title: "Policies and identities", width: "minmax(8rem, 2fr)", by: (row) => (row.Policies ?? []).map((one) => one.Name).join(" "),
      cell: (row) => html`<${Links} view="policies" links=${row.Policies} />${[...identityTexts(row).services, ...identityTexts(row).nodes].map((name) => html` <span class="badge">${name}</span>`)}` },
  ];
  return html`<${Page} view="roles" title="Roles" ready=${live.data !== undefined || live.error !== null} live=${live} actions=${html`<${NewButton} view="roles" word="role" />`}>
    <${List} label="roles" rows=${rows} rowKey=${(/** @type {Role} */ row) => row.ID} columns=${columns} order="name" stamp=${(/** @type {Role} */ row) => String(row.ModifyIndex)}
      fields=${{ "": (/** @type {Role} */ row) => [row.Name, row.Description], policy: (/** @type {Role} */ row) => (row.Policies ?? []).map((one) => one.Name ?? "") }}
      empty="There are no roles, or this token may see none." /><//>`;
}

/** @param {{ id: string }} props */
function OneRole({ id }) {
  const isNew = id === "new";
  const live = useLive(isNew ? "" : `acl/role/${encodeURIComponent(id)}`).value;
  const editing = useMemo(() => inAddress("edit"), []);
  /** @type {Role | null} */
  const found = live.data ?? null;
  const remove = async () => {
    if (!found) return;
    const answer = await change({
      method: "DELETE", path: `acl/role/${found.ID}`, done: `Role ${found.Name} is deleted.`,
      question: { title: `Delete role ${found.Name}`, danger: true, confirm: "Delete", typed: found.Name, body: html`<p>Tokens that have it lose what it gives, at once.</p>` },
    });
    if (answer) go(link("roles"));
  };
  const actions = found && html`${editing.value ? null : html`<${Action} need=${ACL_WRITE} run=${() => { editing.value = "1"; }}>Edit<//>`}<${Action} need=${ACL_WRITE} danger run=${() => void remove()}>Delete<//><${WhyNot} need=${ACL_WRITE} />`;
  const close = () => { if (isNew) go(link("roles")); else editing.value = ""; };
  return html`
    <${Page} view="role" title=${isNew ? "New role" : found?.Name ?? "Role"} crumbs=${[["Roles", link("roles")]]} ready=${isNew || live.data !== undefined || live.error !== null} live=${live} actions=${actions}>
      ${live.data === null ? html`<${Empty}>There is no such role any more.<//>` : null}
      ${(isNew || (found && editing.value)) && offers(ACL_WRITE) ? html`<${RoleForm} role=${found} close=${close} />` : isNew ? html`<${WhyNot} need=${ACL_WRITE} />` : null}
      ${found ? html`
        <${Card} title="Role"><${Facts} pairs=${[
          ["ID", html`<code>${found.ID}</code> <${Copy} text=${found.ID} />`], ["Description", found.Description], ["Policies", found.Policies && html`<${Links} view="policies" links=${found.Policies} />`],
          ["Service identities", identityTexts(found).services.join(", ")], ["Node identities", identityTexts(found).nodes.join(", ")], ["Index", found.ModifyIndex],
        ]} /><//>
        <${UsedBy} kind="Roles" id=${found.ID} />
        <${Raw} data=${found} />` : null}
    <//>`;
}

/** @param {{ role: Role | null, close: () => void }} props */
function RoleForm({ role, close }) {
  const read = useMemo(() => role, []);
  const [name, setName] = useState(read?.Name ?? "");
  const [description, setDescription] = useState(read?.Description ?? "");
  const [grants, setGrants] = useState(() => grantsOf(read ?? {}));
  const dc = place.value.dc;
  const made = (/** @type {string} */ Name, /** @type {string} */ Description, /** @type {import("../parts/forms.js").Grants} */ given) => ({ Name, Description, ...without(grantsBody(given, dc), ["Roles"]) });
  const body = made(name, description, grants);
  const before = JSON.stringify(made(read?.Name ?? "", read?.Description ?? "", grantsOf(read ?? {})), null, 2);
  const after = JSON.stringify(body, null, 2);
  useUnsaved(before !== after, "The role");
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const path = read ? `acl/role/${read.ID}` : "acl/role";
    if (read && !(await stillAs(path, read, "The role"))) return;
    const answer = await change({
      method: "PUT", path, body: read ? { ID: read.ID, ...body } : body, done: `Role ${name} is saved.`,
      question: { title: read ? `Save role ${name}` : `Make role ${name}`, confirm: read ? "Save" : "Create", body: html`<${Changes} before=${read ? before : ""} after=${after} />` },
    });
    if (!answer) return;
    unsaved.value = "";
    if (read) close();
    else go(link("roles", [answer.data.ID]));
  };
  return html`<form class="card" onSubmit=${save}>
    <${Field} label="Name" value=${name} set=${setName} required />
    <${Field} label="Description" value=${description} set=${setDescription} />
    <${GrantFields} grants=${grants} set=${setGrants} ofRole />
    <div class="buttons"><button type="button" onClick=${close}>Cancel</button>
      <button type="submit" data-change class="primary" disabled=${!name || before === after}>Review and ${read ? "save" : "create"}</button></div></form>`;
}
