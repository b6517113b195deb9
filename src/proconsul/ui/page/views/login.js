// Who the reader is to the agent: a token that is typed, or one that an auth method gives for a login. The secret is sent in a
// header only; it is in no address, no message and no stored place but the two the reader chooses between.
import { html, useEffect, useState } from "../lib/ui.js";
import { ApiError, call, get } from "../lib/api.js";
import { aclsEnabled } from "../lib/rights.js";
import { link, place } from "../lib/route.js";
import { agent, remember, token } from "../lib/settings.js";
import { expiresAt, without } from "../lib/records.js";
import { ask, tell } from "../parts/dialog.js";
import { Age, Card, Copy, Empty, Facts, Page, Raw } from "../parts/bits.js";
import { Check, Choice, Field, Links, Until, identityTexts } from "../parts/forms.js";

/** Where a login that has gone to the provider is kept meanwhile, for as long as the tab lives; app.js adds the answer. */
const PENDING = "proconsul.oidc";

/** @typedef {{ method: string, nonce: string, state: string, dc: string, answer?: string }} Pending */

/** @returns {Pending | null} */
function pending() {
  try {
    return JSON.parse(sessionStorage.getItem(PENDING) ?? "null");
  } catch {
    return null;
  }
}

/** What the agent answered, in words. @param {unknown} error */
function reason(error) {
  if (!(error instanceof ApiError)) return String(error);
  if (/ACL support disabled/i.test(error.message)) return "There is no access control here: no token is needed.";
  if (error.status === 404) return "This agent has no such login.";
  if (/ACL not found/i.test(error.message)) return "The agent does not know it.";
  return error.message;
}

/** Use a token, if it is one. @param {string} secret @returns {Promise<string>} what is wrong; empty: nothing */
async function use(secret) {
  try {
    await get("acl/token/self", { secret });
  } catch (error) {
    return reason(error);
  }
  token.value = secret;
  return "";
}

/** The addresses the provider may send the browser back to: the page's own, and the one Consul's page has. */
function callbacks() {
  const page = new URL(agent.UiRoot, location.href.split(/[?#]/)[0]).href;
  return [page, new URL("oidc/callback", page).href];
}

/** Go to the provider of a method. @param {string} method @returns {Promise<string>} what is wrong */
async function goToProvider(method) {
  const nonce = crypto.getRandomValues(new Uint8Array(24)).reduce((text, byte) => text + byte.toString(16).padStart(2, "0"), "");
  let refused = "";
  for (const RedirectURI of callbacks()) {
    try {
      const { data } = await call("POST", "acl/oidc/auth-url", { secret: "", body: { AuthMethod: method, RedirectURI, ClientNonce: nonce, Meta: {} } });
      const url = new URL(data.AuthURL);
      if (!/^https?:$/.test(url.protocol)) return "The provider's address is not one of the web.";
      const kept = { method, nonce, state: url.searchParams.get("state") ?? "", dc: place.peek().dc };
      sessionStorage.setItem(PENDING, JSON.stringify(kept));
      location.assign(url.href);
      return "";
    } catch (error) {
      refused ||= reason(error);
      if (!(error instanceof ApiError && /redirect/i.test(error.message))) return refused;
    }
  }
  return `${refused} This page comes back to ${callbacks()[0]}: the method's AllowedRedirectURIs must hold it.`;
}

/** Finish a login the provider has answered. @returns {Promise<string>} what is wrong; empty: nothing, or nothing to finish */
async function finish() {
  const begun = pending();
  if (!begun?.answer) return "";
  sessionStorage.removeItem(PENDING);
  const answer = new URLSearchParams(begun.answer);
  if (!begun.nonce) return "An answer to a login came that was not begun in this tab. It is ignored.";
  if (begun.state && answer.get("state") !== begun.state) return "The answer belongs to another login. It is ignored.";
  if (answer.has("error")) return `The provider refused: ${answer.get("error_description") || answer.get("error")}`;
  try {
    const { data } = await call("POST", "acl/oidc/callback", {
      secret: "", dc: begun.dc, body: { AuthMethod: begun.method, State: answer.get("state"), Code: answer.get("code"), ClientNonce: begun.nonce },
    });
    token.value = data.SecretID;
    tell(`Logged in by ${begun.method}.`);
    return "";
  } catch (error) {
    return `The login failed. ${reason(error)}`;
  }
}

export default function Login() {
  const [trouble, setTrouble] = useState("");
  const [busy, setBusy] = useState(Boolean(pending()?.answer));
  const [self, setSelf] = useState(/** @type {any} */ (undefined));
  useEffect(() => { finish().then(setTrouble).finally(() => setBusy(false)); }, []);
  useEffect(() => {
    let over = false;
    setSelf(undefined);
    get("acl/token/self").then((data) => { if (!over) setSelf(data); }, (error) => { if (!over) setSelf({ error: reason(error) }); });
    return () => { over = true; };
  }, [token.value, place.value.dc]);
  return html`
    <${Page} view="login" title=${token.value ? "Your token" : "Log in"} ready=${self !== undefined && !busy}>
      ${trouble ? html`<div class="note bad" role="alert">${trouble}</div>` : null}
      ${aclsEnabled.value === false ? html`<${Empty}>There is no access control here: everybody may do everything, and no token is needed.<//>` : null}
      ${token.value ? html`<${Mine} self=${self} />` : null}
      ${aclsEnabled.value === false ? null : html`<div class="cards"><${ByToken} /><${ByMethod} /></div>`}
    <//>`;
}

/** @param {{ self: any }} props */
function Mine({ self }) {
  const leave = async () => {
    const made = Boolean(self?.AuthMethod);
    const yes = await ask({
      title: "Log out", confirm: "Log out",
      body: made
        ? html`<p>This token was made for a login by <b>${self.AuthMethod}</b>. Logging out destroys it: whoever else uses it loses it too.</p>`
        : html`<p>This page forgets the token. The token itself stays as it is, as it was not made for a login.</p>`,
    });
    if (!yes) return;
    if (made) {
      try {
        await call("POST", "acl/logout");
      } catch (error) {
        tell(`The token could not be destroyed: ${reason(error)} It is forgotten here all the same.`, true);
        token.value = "";
        return;
      }
    }
    token.value = "";
    tell(made ? "Logged out: the token is destroyed." : "Logged out: the token is forgotten here.");
  };
  const identities = identityTexts(self ?? {});
  return html`
    <${Card} title=${self?.Description || "Your token"} actions=${html`<button type="button" onClick=${leave}>Log out</button>`}>
      ${self?.error ? html`<p class="note bad" role="alert">${self.error} <button type="button" onClick=${() => { token.value = ""; }}>Forget it</button></p>` : html`
        <${Facts} pairs=${[
          ["Accessor", self?.AccessorID && html`<a href=${link("tokens", [self.AccessorID])}><code>${self.AccessorID}</code></a> <${Copy} text=${self.AccessorID} />`],
          ["Policies", self?.Policies && html`<${Links} view="policies" links=${self.Policies} />`],
          ["Roles", self?.Roles && html`<${Links} view="roles" links=${self.Roles} />`],
          ["Identities", [...identities.services, ...identities.nodes].join(", ")],
          ["From", self?.AuthMethod ? html`a login by <a href=${link("methods", [self.AuthMethod])}>${self.AuthMethod}</a>` : "a token that was given"],
          ["Scope", self?.Local ? "this datacenter" : "all datacenters"],
          ["Created", self?.CreateTime && html`<${Age} at=${Date.parse(self.CreateTime)} />`],
          ["Expires", self && html`<${Until} at=${expiresAt(self)} />`],
        ]} />
        <${Raw} data=${without(self, ["SecretID"])} />`}
      <${Check} label="Remember the token on this computer" value=${remember.value} set=${(/** @type {boolean} */ on) => { remember.value = on; }} />
      <p class="hint">${remember.value ? "It stays in this browser until you log out." : "It is kept for this tab only, until you close it."}</p>
    <//>`;
}

function ByToken() {
  const [secret, setSecret] = useState("");
  const [trouble, setTrouble] = useState("");
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const wrong = await use(secret.trim());
    setTrouble(wrong && `This token cannot be used. ${wrong}`);
    if (!wrong) {
      setSecret("");
      tell("The token is in use.");
    }
  };
  return html`<${Card} title=${token.value ? "Use another token" : "With a token"}>
    <form onSubmit=${submit}>
      <${Field} label="Secret ID" type="password" value=${secret} set=${setSecret} required />
      <${Check} label="Remember on this computer" value=${remember.value} set=${(/** @type {boolean} */ on) => { remember.value = on; }} />
      ${trouble ? html`<p class="note bad" role="alert">${trouble}</p>` : null}
      <div class="buttons left"><button type="submit" class="primary" disabled=${!secret.trim()}>Use it</button></div>
    </form><//>`;
}

function ByMethod() {
  const [methods, setMethods] = useState(/** @type {{ Name: string, Type: string, DisplayName?: string }[]} */ ([]));
  const [name, setName] = useState("");
  const [chosen, setKind] = useState("");
  const [bearer, setBearer] = useState("");
  const [trouble, setTrouble] = useState("");
  useEffect(() => { get("acl/auth-methods").then((data) => setMethods(data ?? []), () => {}); }, [token.value]);
  const known = methods.find((one) => one.Name === name);
  const kind = chosen || (known ? (known.Type === "oidc" ? "browser" : "bearer") : "browser");
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    setTrouble("");
    if (kind === "browser") {
      setTrouble(await goToProvider(name));
      return;
    }
    try {
      const { data } = await call("POST", "acl/login", { secret: "", body: { AuthMethod: name, BearerToken: bearer.trim(), Meta: {} } });
      token.value = data.SecretID;
      setBearer("");
      tell(`Logged in by ${name}.`);
    } catch (error) {
      const text = error instanceof ApiError && error.status === 403
        ? `${error.message}: there is no such method, or no binding rule of it gives you anything.` : reason(error);
      setTrouble(bearer.trim() ? text.replaceAll(bearer.trim(), "(the bearer token)") : text);
    }
  };
  return html`<${Card} title="By an auth method">
    <form onSubmit=${submit}>
      <${Field} label="Method" value=${name} set=${(/** @type {string} */ text) => { setName(text); setKind(""); }} required list=${methods.map((one) => one.Name)}
        hint=${known ? `${known.DisplayName || known.Name}, ${known.Type}` : "The name of the auth method"} />
      <${Choice} label="How" value=${kind} set=${setKind} options=${[["browser", "with a browser (OIDC)"], ["bearer", "with a bearer token (JWT, Kubernetes)"]]} />
      ${kind === "bearer" ? html`<label class="field"><span>Bearer token</span><textarea class="code" rows="4" spellcheck=${false} autocomplete="off" required
        value=${bearer} onInput=${(/** @type {any} */ event) => setBearer(event.target.value)}></textarea></label>` : null}
      ${trouble ? html`<p class="note bad" role="alert">${trouble}</p>` : null}
      <div class="buttons left"><button type="submit" disabled=${!name || (kind === "bearer" && !bearer.trim())}>${kind === "browser" ? "Go to the provider" : "Log in"}</button></div>
    </form><//>`;
}
