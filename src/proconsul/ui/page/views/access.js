// Tokens: all, or one with what it may do.
import { html, useEffect, useMemo, useState } from "../lib/ui.js";
import { call, get } from "../lib/api.js";
import { useLive } from "../lib/live.js";
import { go, inAddress, link, place, unsaved } from "../lib/route.js";
import { offers } from "../lib/rights.js";
import { ours, token } from "../lib/settings.js";
import { counted, durationMs, shortId } from "../lib/format.js";
import { expiresAt, without } from "../lib/records.js";
import { ASKED, deciding, levelsOf, nodeIdentityRules, parseRules, ruleText, serviceIdentityRules } from "../lib/rules.js";
import { change, ask, tell } from "../parts/dialog.js";
import { Action, Age, Card, Copy, Empty, Facts, Page, Raw, Status, WhyNot, copyText } from "../parts/bits.js";
import { ACL_WRITE, Changes, Check, Choice, Field, GrantFields, Links, Secret, Until, grantsBody, grantsOf, identityTexts, stillAs, useSelf, useUnsaved, withoutAcls } from "../parts/forms.js";
import { List } from "../parts/list.js";

const ANONYMOUS = "00000000-0000-0000-0000-000000000002";

/**
 * @typedef {object} Token
 * @property {string} AccessorID
 * @property {string} [SecretID]
 * @property {string} Description
 * @property {import("../parts/forms.js").Link[] | null} [Policies]
 * @property {import("../parts/forms.js").Link[] | null} [Roles]
 * @property {import("../parts/forms.js").ServiceIdentity[] | null} [ServiceIdentities]
 * @property {import("../parts/forms.js").NodeIdentity[] | null} [NodeIdentities]
 * @property {boolean} Local
 * @property {string} [AuthMethod]
 * @property {string} [ExpirationTime]
 * @property {string} CreateTime
 * @property {boolean} [Legacy]
 * @property {string} [Rules]
 * @property {number} ModifyIndex
 */

/** @param {{ rest: string }} props */
export default function Tokens({ rest }) {
  const off = withoutAcls("tokens", "Tokens");
  if (off) return off;
  if (rest === "new") return html`<${NewToken} />`;
  return rest ? html`<${One} id=${rest} />` : html`<${All} />`;
}

/** @param {Token} row */
const names = (row) => [...(row.Policies ?? []), ...(row.Roles ?? [])].map((one) => one.Name || one.ID || "");
/** @param {Token} row */
const marks = (row) => [row.Local ? "local" : "", row.Legacy ? "legacy" : "", row.AuthMethod ? "login" : "", expiresAt(row) && expiresAt(row) < Date.now() ? "expired" : ""].filter(Boolean);

/** @param {{ token: Token }} props legacy tokens have no time */
function Made({ token: { CreateTime } }) {
  const at = Date.parse(CreateTime);
  return at > 0 ? html`<${Age} at=${at} />` : html`<span class="dim">not known</span>`;
}

function All() {
  const live = useLive("acl/tokens").value;
  const self = useSelf();
  const [picked, setPicked] = useState(/** @type {Set<string>} */ (new Set()));
  /** @type {Token[]} */
  const rows = useMemo(() => live.data ?? [], [live.data]);
  const title = (/** @type {Token} */ row) => row.Description || shortId(row.AccessorID);
  /** @type {import("../parts/list.js").Column<Token>[]} */
  const columns = [
    { id: "description", title: "Token", width: "minmax(9rem, 2fr)", by: title, cell: (row) => html`<a href=${link("tokens", [row.AccessorID])} title=${title(row)}>${title(row)}</a>${row.AccessorID === self?.AccessorID ? html` <span class="badge">yours</span>` : null}` },
    { id: "accessor", title: "Accessor", width: "6rem", by: (row) => row.AccessorID, cell: (row) => html`<code title=${row.AccessorID}>${shortId(row.AccessorID)}</code>`, wide: true },
    { id: "grants", title: "Policies and roles", width: "minmax(8rem, 2fr)", by: (row) => names(row).join(" "), wide: true,
      cell: (row) => html`<${Links} view="policies" links=${row.Policies} /> <${Links} view="roles" links=${row.Roles} />${identityTexts(row).services.map((name) => html` <span class="badge" title="service identity">${name}</span>`)}${identityTexts(row).nodes.map((name) => html` <span class="badge" title="node identity">${name}</span>`)}` },
    { id: "marks", title: "Kind", width: "6rem", by: (row) => marks(row).join(" "), wide: true, cell: (row) => marks(row).map((word) => html`<span class="badge">${word}</span> `) },
    { id: "created", title: "Created", width: "8rem", by: (row) => -Date.parse(row.CreateTime), cell: (row) => html`<${Made} token=${row} />`, wide: true },
    { id: "expires", title: "Expires", width: "8rem", by: (row) => expiresAt(row) || Infinity, cell: (row) => html`<${Until} at=${expiresAt(row)} />` },
  ];
  return html`
    <${Page} view="tokens" title="Tokens" ready=${live.data !== undefined || live.error !== null} live=${live}
        actions=${html`${picked.size ? html`<${Action} need=${ACL_WRITE} danger run=${() => void deleteMany(rows.filter((row) => picked.has(row.AccessorID)), self?.AccessorID).then((done) => { if (done) setPicked(new Set()); })}>Delete ${picked.size}<//>` : null}<${Action} need=${ACL_WRITE} primary run=${() => go(link("tokens", ["new"]))}>New token<//><${WhyNot} need=${ACL_WRITE} />`}>
      <${List} label="tokens" rows=${rows} rowKey=${(/** @type {Token} */ row) => row.AccessorID} columns=${columns} order="description"
        stamp=${(/** @type {Token} */ row) => String(row.ModifyIndex)} picked=${picked} onPick=${offers(ACL_WRITE) ? setPicked : undefined}
        fields=${{
          "": (/** @type {Token} */ row) => [row.Description, row.AccessorID, ...names(row)], policy: (/** @type {Token} */ row) => (row.Policies ?? []).map((one) => one.Name ?? ""),
          role: (/** @type {Token} */ row) => (row.Roles ?? []).map((one) => one.Name ?? ""), is: marks, method: (/** @type {Token} */ row) => row.AuthMethod ?? "",
        }}
        quick=${[["is:local", "local"], ["is:login", "from a login"], ["is:legacy", "legacy"], ["is:expired", "expired"]]}
        empty="There are no tokens, or this token may see none." />
    <//>`;
}

/** @param {Token[]} rows @param {string | undefined} mine @returns {Promise<boolean>} */
async function deleteMany(rows, mine) {
  const chosen = rows.filter((row) => row.AccessorID !== mine && row.AccessorID !== ANONYMOUS);
  if (!chosen.length) {
    tell("Your own token and the anonymous one are not deleted here.", true);
    return false;
  }
  const yes = await ask({
    title: `Delete ${counted(chosen.length, "token")}`, danger: true, confirm: "Delete", typed: String(chosen.length),
    body: html`<p>Whoever uses one of them may do nothing more with it.${chosen.length < rows.length ? " Your own token and the anonymous one stay." : ""}</p><ul>${chosen.slice(0, 20).map((row) => html`<li>${row.Description || row.AccessorID}</li>`)}${chosen.length > 20 ? html`<li>and ${chosen.length - 20} more</li>` : null}</ul>`,
  });
  if (!yes) return false;
  let deleted = 0;
  for (const row of chosen) {
    try {
      await call("DELETE", `acl/token/${row.AccessorID}`);
      deleted += 1;
    } catch (error) {
      tell(`${row.Description || row.AccessorID}: ${error instanceof Error ? error.message : error}`, true);
    }
  }
  tell(`${counted(deleted, "token")} deleted.`);
  return true;
}

/** @param {{ id: string }} props */
function One({ id }) {
  const live = useLive(`acl/token/${encodeURIComponent(id)}`).value;
  const self = useSelf();
  const editing = useMemo(() => inAddress("edit"), []);
  /** @type {Token | null} */
  const found = live.data ?? null;
  const mine = found !== null && found.AccessorID === self?.AccessorID;
  const title = found ? found.Description || `Token ${shortId(found.AccessorID)}` : `Token ${shortId(id)}`;
  const secret = found?.SecretID && /^[^<]/.test(found.SecretID) ? found.SecretID : "";
  const actions = found && html`
    ${secret && secret !== token.value ? html`<button type="button" onClick=${() => use(secret, title)}>Use it</button>` : null}
    ${editing.value || found.Legacy ? null : html`<${Action} need=${ACL_WRITE} run=${() => { editing.value = "1"; }}>Edit<//>`}
    ${found.Legacy ? null : html`<${Action} need=${ACL_WRITE} run=${() => void clone(found, title)}>Clone<//>`}
    <${Action} need=${ACL_WRITE} danger run=${() => void remove(found, title, mine)}>Delete<//><${WhyNot} need=${ACL_WRITE} />`;
  return html`
    <${Page} view="token" title=${title} crumbs=${[["Tokens", link("tokens")]]} ready=${live.data !== undefined || live.error !== null} live=${live} actions=${actions}>
      ${live.data === null ? html`<${Empty}>There is no such token any more.<//>` : null}
      ${found && editing.value && offers(ACL_WRITE) ? html`<${Form} token=${found} close=${() => { editing.value = ""; }} />` : null}
      ${found ? html`
        <${Card} title="Token">
          <${Facts} pairs=${[
            ["Accessor", html`<code>${found.AccessorID}</code> <${Copy} text=${found.AccessorID} />${mine ? html` <span class="badge">this is yours</span>` : null}`],
            ["Secret", secret ? html`<${Secret} text=${secret} what="the secret" /><${CopySecret} text=${secret} />` : html`<span class="dim">shown to those who may write access control</span>`],
            ["Policies", found.Policies && html`<${Links} view="policies" links=${found.Policies} />`],
            ["Roles", found.Roles && html`<${Links} view="roles" links=${found.Roles} />`],
            ["Service identities", identityTexts(found).services.join(", ")],
            ["Node identities", identityTexts(found).nodes.join(", ")],
            ["Scope", found.Local ? `local: ${place.value.dc} only` : "global: all datacenters"],
            ["From", found.AuthMethod && html`a login by <a href=${link("methods", [found.AuthMethod])}>${found.AuthMethod}</a>`],
            ["Created", html`<${Made} token=${found} />`],
            ["Expires", html`<${Until} at=${expiresAt(found)} />`],
            ["Index", found.ModifyIndex],
          ]} />
          ${found.Legacy ? html`<p class="note warn">A legacy token of a release before 1.4. It can be upgraded by <code>consul acl token update -upgrade-legacy</code>.</p>` : null}
          <${Raw} data=${without(found, ["SecretID"])} />
        <//>
        <${May} token=${found} secret=${secret || (mine ? token.value : "")} />` : null}
    <//>`;
}

/** Copies without naming the text. @param {{ text: string }} props */
function CopySecret({ text }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await copyText(text);
    setDone(true);
    setTimeout(() => setDone(false), 1_500);
  };
  return html`<button type="button" class="quiet" onClick=${copy}>${done ? "copied" : "Copy the secret"}</button>`;
}

/** @param {string} secret @param {string} title */
async function use(secret, title) {
  const yes = await ask({ title: "Use this token", confirm: "Use it", body: html`<p>From now on this page acts with <b>${title}</b>. ${token.value ? "The token in use now is forgotten here." : ""}</p>` });
  if (!yes) return;
  token.value = secret;
  tell(`${title} is in use.`);
}

/** @param {Token} found @param {string} title */
async function clone(found, title) {
  const answer = await change({
    method: "PUT", path: `acl/token/${found.AccessorID}/clone`, body: { Description: `Clone of ${found.Description || found.AccessorID}` }, done: "The token is cloned.",
    question: { title: `Clone ${title}`, confirm: "Clone", body: html`<p>A new token with the same policies, roles and identities, and a secret of its own.</p>` },
  });
  if (answer) go(link("tokens", [answer.data.AccessorID], { edit: "1" }));
}

/** @param {Token} found @param {string} title @param {boolean} mine */
async function remove(found, title, mine) {
  if (mine) {
    await ask({ title: "This is your own token", confirm: "I see", body: html`<p>Deleting it would end what you are doing here. Use another token first, or log out if it came from a login.</p>` });
    return;
  }
  const answer = await change({
    method: "DELETE", path: `acl/token/${found.AccessorID}`, done: `${title} is deleted.`,
    question: { title: `Delete ${title}`, danger: true, confirm: "Delete", body: html`<p>Whoever uses it may do nothing more with it. ${found.AccessorID === ANONYMOUS ? "It is the anonymous token: what comes without a token has its rights." : ""}</p>` },
  });
  if (answer) go(link("tokens"));
}

function NewToken() {
  return html`<${Page} view="token" title="New token" crumbs=${[["Tokens", link("tokens")]]}>
    ${offers(ACL_WRITE) ? html`<${Form} token=${null} close=${() => go(link("tokens"))} />` : html`<${Empty}>No token can be made here. <${WhyNot} need=${ACL_WRITE} /><//>`}<//>`;
}

/** @param {{ token: Token | null, close: () => void }} props */
function Form({ token: found, close }) {
  const read = useMemo(() => found, []); // what was there when the form was opened
  const [description, setDescription] = useState(read?.Description ?? "");
  const [grants, setGrants] = useState(() => grantsOf(read ?? {}));
  const [local, setLocal] = useState(false);
  const [ttl, setTtl] = useState("");
  const dc = place.value.dc;
  const badTtl = ttl !== "" && !(durationMs(ttl) > 0);
  const before = JSON.stringify({ Description: read?.Description ?? "", ...grantsBody(grantsOf(read ?? {}), dc) }, null, 2);
  const after = JSON.stringify({ Description: description, ...grantsBody(grants, dc) }, null, 2);
  useUnsaved(before !== after, "The token");
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const set = { Description: description, ...grantsBody(grants, dc) };
    const path = read ? `acl/token/${read.AccessorID}` : "acl/token";
    if (read && !(await stillAs(path, read, "The token"))) return;
    const body = read ? { ...without(read, ["SecretID", "Hash", "CreateIndex", "ModifyIndex", "CreateTime"]), ...set } : { ...set, Local: local, ...(ttl ? { ExpirationTTL: ttl } : {}) };
    const answer = await change({
      method: "PUT", path, body, done: read ? "The token is saved." : "The token is made. Its secret is shown on request.",
      question: { title: read ? "Save the token" : "Make a token", confirm: read ? "Save" : "Create", body: html`<${Changes} before=${read ? before : ""} after=${after} />` },
    });
    if (!answer) return;
    unsaved.value = "";
    if (read) close();
    else go(link("tokens", [answer.data.AccessorID]));
  };
  return html`<form class="card" onSubmit=${save}>
    <${Field} label="Description" value=${description} set=${setDescription} />
    <${GrantFields} grants=${grants} set=${setGrants} />
    ${read ? null : html`<${Check} label=${`Local: of ${dc} only`} value=${local} set=${setLocal} />
      <${Field} label="Expires after" value=${ttl} set=${setTtl} placeholder="never" hint=${badTtl ? "This is no duration like 8h or 30m." : "Like 8h or 30m; it cannot be changed later"} />`}
    <div class="buttons"><button type="button" onClick=${close}>Cancel</button>
      <button type="submit" data-change class="primary" disabled=${badTtl || (read !== null && before === after)}>Review and ${read ? "save" : "create"}</button></div></form>`;
}

/**
 * The rules a token has: those of its policies, of its roles' policies and of its identities.
 * @param {Token} found @returns {Promise<{ rules: import("../lib/rules.js").Rule[], missing: string[] }>}
 */
async function rulesOfToken(found) {
  /** @type {import("../lib/rules.js").Rule[]} */
  const rules = [];
  /** @type {string[]} */
  const missing = [];
  /** @type {Map<string, string>} */
  const policies = new Map();
  const identities = (/** @type {any} */ holder) => {
    for (const one of holder.ServiceIdentities ?? []) rules.push(...serviceIdentityRules(one.ServiceName));
    for (const one of holder.NodeIdentities ?? []) rules.push(...nodeIdentityRules(one.NodeName));
  };
  for (const one of found.Policies ?? []) policies.set(one.ID ?? "", one.Name ?? "");
  identities(found);
  for (const one of found.Roles ?? []) {
    try {
      const role = await get(`acl/role/${one.ID}`);
      identities(role);
      for (const policy of role.Policies ?? []) policies.set(policy.ID, `${policy.Name} of role ${role.Name}`);
    } catch {
      missing.push(`role ${one.Name}`);
    }
  }
  await Promise.all([...policies].map(async ([id, name]) => {
    try {
      rules.push(...parseRules((await get(`acl/policy/${id}`)).Rules ?? "", name).rules);
    } catch {
      missing.push(`policy ${name}`);
    }
  }));
  if (found.Rules) rules.push(...parseRules(found.Rules, "the token itself").rules.map((rule) => ({ ...rule, prefix: true })));
  return { rules, missing };
}

/** What a token may do: asked of the agent with the token itself. @param {{ token: Token, secret: string }} props */
function May({ token: found, secret }) {
  const [state, setState] = useState(/** @type {{ rules: import("../lib/rules.js").Rule[], missing: string[] } | null} */ (null));
  const resource = useMemo(() => inAddress("resource", "key"), []);
  const segment = useMemo(() => inAddress("name"), []);
  const access = useMemo(() => inAddress("access", "read"), []);
  const [answer, setAnswer] = useState(/** @type {any} */ (null));
  useEffect(() => { void rulesOfToken(found).then(setState); }, [found]);
  const question = `${resource.value}\n${segment.value}\n${access.value}`;
  const levels = resource.value === "key" ? levelsOf("key").slice(1) : ["read", "write"];
  const needsName = !["acl", "keyring", "operator"].includes(resource.value);
  useEffect(() => {
    let over = false;
    setAnswer(null);
    const timer = setTimeout(async () => {
      const said = await authorized(found, secret, { Resource: resource.value, Segment: needsName ? segment.value : "", Access: access.value });
      if (!over) setAnswer(said);
    }, 250);
    return () => { over = true; clearTimeout(timer); };
  }, [question, secret, found]);
  const { rule, others } = deciding(state?.rules ?? [], resource.value, segment.value, access.value);
  const rest = (state?.rules ?? []).filter((one) => one !== rule && !others.includes(one));
  const line = (/** @type {import("../lib/rules.js").Rule} */ one, /** @type {string} */ why) => html`<tr key=${`${one.source} ${one.line} ${ruleText(one)}`}><td><code>${ruleText(one)}</code></td><td>${one.source}</td><td>${why}</td></tr>`;
  return html`<${Card} title="What may this token do">
    <div class="ask-line">
      <${Choice} label="Resource" value=${resource.value} set=${(/** @type {string} */ text) => { resource.value = text; if (text !== "key" && access.value === "list") access.value = "read"; }} options=${ASKED} />
      ${needsName ? html`<${Field} label=${resource.value === "key" ? "Key" : "Name"} value=${segment.value} set=${(/** @type {string} */ text) => { segment.value = text; }} />` : null}
      <${Choice} label="Access" value=${access.value} set=${(/** @type {string} */ text) => { access.value = text; }} options=${levels} />
    </div>
    <p role="status" data-may>${answer === null ? html`<span class="dim">Asking</span>` : answer.error ? html`<span class="dim">${answer.error}</span>` : html`
      <${Status} status=${answer.allow ? "passing" : "critical"} text=${answer.allow ? "allowed" : "denied"} />
      ${answer.rule ? html` by <code>${answer.rule}</code>${answer.policy ? ` of ${answer.policy}` : ""}` : rule ? html` by <code>${ruleText(rule)}</code> of ${rule.source}` : " by the default policy: no rule is about it"}
      ${answer.needed ? html`. It would need <code>${answer.needed}</code>` : null}`}</p>
    ${state?.missing.length ? html`<p class="note warn">Not readable with your token: ${state.missing.join(", ")}. Their rules are missing here.</p>` : null}
    ${state?.rules.length ? html`<div class="scroll-x" tabindex="0" role="region" aria-label="Rules"><table class="plain"><thead><tr><th>Rule</th><th>From</th><th>Effect</th></tr></thead><tbody>
      ${rule ? line(rule, "decides") : null}${others.map((one) => line(one, "also about it"))}${rest.slice(0, 200).map((one) => line(one, ""))}</tbody></table></div>
      ${rest.length > 200 ? html`<p class="hint">and ${rest.length - 200} more</p>` : null}` : state ? html`<${Empty}>It has no rules: the default policy decides everything.<//>` : null}
  <//>`;
}

/** @param {Token} found @param {string} secret @param {{ Resource: string, Segment: string, Access: string }} asked */
async function authorized(found, secret, asked) {
  if (ours) {
    try {
      const said = await get("internal/acl/explain", { params: { resource: asked.Resource, segment: asked.Segment, access: asked.Access, accessor: found.AccessorID } });
      return { allow: said.Allow, rule: said.Default ? "" : said.Rule, policy: said.Policy, needed: said.Needed };
    } catch {
      // An older one of ours, or rights that are missing: the other way may still be open.
    }
  }
  if (!secret) return { error: "The agent can be asked with the token's secret only, and your token may not see that. The rules below are what can be known." };
  try {
    const { data } = await call("POST", "internal/acl/authorize", { secret, body: [asked] });
    return { allow: data[0].Allow === true };
  } catch (error) {
    return { error: error instanceof Error ? error.message : String(error) };
  }
}
