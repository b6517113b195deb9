// Where the reader is: `#/<datacenter>/<view>/<rest>?<state of the view>`. It lives in the fragment, so the page works below
// any path and behind any proxy, and a copied address shows the same rows.
import { signal, computed, batch } from "./ui.js";
import { agent } from "./settings.js";

/**
 * @typedef {object} Place
 * @property {string} dc empty: the agent's own
 * @property {string} view
 * @property {string} rest what follows the view, decoded; may hold slashes of its own
 * @property {string[]} parts the same, part by part, for names that may hold slashes themselves
 * @property {URLSearchParams} query
 */

/** Decode what an address holds; a lone percent sign stands for itself. @param {string} text */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @param {string} hash as in location.hash @returns {Place} */
export function parsePlace(hash) {
  const text = hash.replace(/^#?\/?/, "");
  const cut = text.indexOf("?");
  const path = cut < 0 ? text : text.slice(0, cut);
  const [dc = "", view = "", ...rest] = path.split("/");
  return {
    dc: decoded(dc), view: decoded(view) || "overview", rest: rest.map(decoded).join("/"), parts: rest.map(decoded),
    query: new URLSearchParams(cut < 0 ? "" : text.slice(cut + 1)),
  };
}

/** Encode a name for a path, one part or several. @param {string} text */
export function encodePath(text) {
  return text.split("/").map(encodeURIComponent).join("/");
}

/**
 * The address of a view, for an href.
 * @param {string} view
 * @param {string | string[]} [rest] an array where names may hold slashes
 * @param {Record<string, string>} [query]
 * @param {string} [dc] the reader's present datacenter if not given
 */
export function link(view, rest = "", query = {}, dc = place.value.dc) {
  const state = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== "")).toString();
  const tail = Array.isArray(rest) ? rest.map(encodeURIComponent).join("/") : encodePath(rest);
  const path = `#/${encodeURIComponent(dc)}/${view}${tail === "" ? "" : `/${tail}`}`;
  return state ? `${path}?${state}` : path;
}

/**
 * Addresses of Consul's own page, as in people's bookmarks: `/ui/dc1/services/web/instances`.
 * @param {string} path what follows the content path @returns {string} our fragment, empty if there is nothing to say
 */
export function fromConsulPath(path) {
  const [dc = "", view = "", ...rest] = path.replace(/^\/+/, "").split("/");
  if (!dc) return "";
  const tail = rest.join("/");
  const prefix = `#/${dc}`;
  switch (view) {
    case "services": {
      const [name, node, id, kind] = rest;
      if (rest.length >= 4 && rest[1] === "instances") return `${prefix}/instance/${name}/${rest[2]}/${rest[3]}`;
      if (kind && node && id) return `${prefix}/instance/${name}/${node}/${id}`;
      return name ? `${prefix}/services/${name}` : `${prefix}/services`;
    }
    case "nodes":
      return rest[0] ? `${prefix}/nodes/${rest[0]}` : `${prefix}/nodes`;
    case "kv":
      return tail.endsWith("/edit") ? `${prefix}/key/${tail.slice(0, -"/edit".length)}` : `${prefix}/kv${tail ? `/${tail}` : ""}`;
    case "intentions":
      return `${prefix}/intentions`;
    case "acls": {
      const at = /** @type {Record<string, string>} */ ({ "auth-methods": "methods" })[rest[0] ?? ""] ?? rest[0] ?? "tokens";
      return `${prefix}/${at}${rest[1] ? `/${rest[1]}` : ""}`;
    }
    default:
      return view ? `${prefix}/${view}` : `${prefix}/services`;
  }
}

const hash = () => globalThis.location?.hash ?? "";

/** @type {import("../vendor/signals.js").Signal<Place>} */
export const place = signal(parsePlace(hash()));

/** The datacenter of the view if it is not the agent's own, else "". */
export const elsewhere = computed(() => (place.value.dc === agent.Datacenter ? "" : place.value.dc));

/** What would be lost by leaving the view, in words; empty: nothing. Views with a form set it. */
export const unsaved = signal("");

let shown = hash();

globalThis.addEventListener?.("hashchange", () => {
  const next = hash();
  if (next === shown) return;
  const from = place.peek();
  const to = parsePlace(next);
  const leaves = from.view !== to.view || from.rest !== to.rest || from.dc !== to.dc;
  if (leaves && unsaved.peek() && !globalThis.confirm(`${unsaved.peek()} Leave without saving?`)) {
    history.replaceState(null, "", shown || "#/");
    return;
  }
  shown = next;
  batch(() => {
    if (leaves) unsaved.value = "";
    place.value = to;
  });
});

globalThis.addEventListener?.("beforeunload", (event) => {
  if (unsaved.peek()) event.preventDefault();
});

/** Show an address instead of the present one: Back does not return to it. @param {string} href */
export function instead(href) {
  history.replaceState(null, "", href);
  shown = href;
  place.value = parsePlace(href);
}

/** Go to an address made by `link`. @param {string} href */
export function go(href) {
  globalThis.location.hash = href;
}

/**
 * One word of a view's state that lives in the address, as a filter does.
 * @param {string} name
 * @param {string} [initial] what the address need not say
 */
export function inAddress(name, initial = "") {
  const current = computed(() => place.value.query.get(name) ?? initial);
  return {
    get value() {
      return current.value;
    },
    set value(text) {
      const { dc, view, rest, parts, query } = place.peek();
      const next = new URLSearchParams(query);
      if (text === initial) next.delete(name);
      else next.set(name, text);
      const href = link(view, parts, Object.fromEntries(next), dc);
      instead(href);
    },
  };
}
