// What the reader of the page has chosen, and what the agent says of itself. Kept in the browser's storage, where that is
// allowed; a token only for as long as the tab lives, unless "remember" is on.
import { signal, computed, effect } from "./ui.js";

/**
 * What the agent writes into index.html. A Consul that serves the files leaves it out, so each has a default.
 * @typedef {object} Served
 * @property {string} ApiRoot path from the page to what the API hangs on
 * @property {string} UiRoot path from this address to the page's own
 * @property {boolean} ReadOnly whether the agent refuses writes from browsers
 * @property {string} Datacenter
 * @property {string} PrimaryDatacenter
 * @property {string} NodeName
 * @property {boolean} Server
 * @property {boolean | null} ACLsEnabled null: not said, so it is asked
 * @property {string} Version empty: not ours
 * @property {Record<string, string>} DashboardURLTemplates
 */

/** @returns {Served} */
function served() {
  /** @type {Served} */
  const defaults = {
    ApiRoot: "../", UiRoot: "./", ReadOnly: false, Datacenter: "", PrimaryDatacenter: "", NodeName: "", Server: false,
    ACLsEnabled: null, Version: "", DashboardURLTemplates: {},
  };
  const text = globalThis.document?.querySelector('meta[name="proconsul"]')?.getAttribute("content");
  return text ? { ...defaults, ...JSON.parse(text) } : defaults;
}

export const agent = served();

/** Whether the agent that serves the page is proconsul: what only it has is offered then. */
export const ours = agent.Version !== "";

/** @param {"localStorage" | "sessionStorage"} kind @returns {Storage | null} */
function storage(kind) {
  try {
    return globalThis[kind] ?? null;
  } catch {
    return null; // a browser that forbids it
  }
}

const PREFIX = "proconsul.";

/**
 * A choice that outlives the page.
 * @template T
 * @param {string} name
 * @param {T} initial
 */
function kept(name, initial) {
  const store = storage("localStorage");
  let value = initial;
  try {
    const text = store?.getItem(PREFIX + name);
    if (text) value = JSON.parse(text);
  } catch {
    // What cannot be read was not written by this page.
  }
  const choice = signal(value);
  effect(() => {
    const text = JSON.stringify(choice.value);
    try {
      if (choice.value === initial) store?.removeItem(PREFIX + name);
      else store?.setItem(PREFIX + name, text);
    } catch {
      // Full or forbidden: the choice holds for this page.
    }
  });
  return choice;
}

/** "auto" follows the system. */
export const theme = kept("theme", /** @type {"auto" | "light" | "dark"} */ ("auto"));
export const compact = kept("compact", false);
/** The reader's own switch against changing things by mistake. */
export const readOnlyChosen = kept("readOnly", false);
export const readOnly = computed(() => agent.ReadOnly || readOnlyChosen.value);
/** How a value is shown: "auto", "text", "json", "hex" or "base64". */
export const valueView = kept("valueView", "auto");
export const remember = kept("remember", false);

const TOKEN = `${PREFIX}token`;

export const token = signal(storage("sessionStorage")?.getItem(TOKEN) ?? storage("localStorage")?.getItem(TOKEN) ?? "");

effect(() => {
  const session = storage("sessionStorage");
  const local = storage("localStorage");
  try {
    if (token.value) session?.setItem(TOKEN, token.value);
    else session?.removeItem(TOKEN);
    if (token.value && remember.value) local?.setItem(TOKEN, token.value);
    else local?.removeItem(TOKEN);
  } catch {
    // As above.
  }
});

effect(() => {
  const root = globalThis.document?.documentElement;
  if (!root) return;
  if (theme.value === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme.value;
  root.dataset.density = compact.value ? "compact" : "comfortable";
});
