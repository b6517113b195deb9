// Every view of the page. The shell's menu, the palette and the pictures for reviewers are made from this table.

/**
 * @typedef {object} View
 * @property {string} id what the address names it
 * @property {string} title
 * @property {string} group of the menu; empty: not in it
 * @property {() => Promise<{ default: (props: any) => any }>} load
 * @property {import("../lib/rights.js").Need} [need] what the token must be able to do for it to be in the menu
 * @property {string} [key] pressed after g: goes there
 * @property {boolean} [ours] needs a proconsul agent
 * @property {string} [example] what follows it in an address, for pictures
 */

/** @type {View[]} */
export const views = [
  { id: "overview", title: "Overview", group: "Cluster", key: "o", load: () => import("./overview.js") },
  { id: "services", title: "Services", group: "Catalog", key: "s", load: () => import("./services.js") },
  { id: "instance", title: "Instance", group: "", load: () => import("./service.js").then((module) => ({ default: module.Instance })) },
  { id: "nodes", title: "Nodes", group: "Catalog", key: "n", load: () => import("./nodes.js") },
  { id: "kv", title: "Keys", group: "Catalog", key: "k", load: () => import("./keys.js") },
  { id: "key", title: "Key", group: "", load: () => import("./key.js") },
  { id: "sessions", title: "Sessions", group: "Catalog", key: "l", load: () => import("./sessions.js") },
  { id: "queries", title: "Prepared queries", group: "Catalog", key: "q", load: () => import("./queries.js") },
  { id: "intentions", title: "Intentions", group: "Mesh", key: "i", load: () => import("./intentions.js") },
  { id: "tokens", title: "Tokens", group: "Access", key: "t", need: { Resource: "acl", Access: "read" }, load: () => import("./access.js") },
  { id: "policies", title: "Policies", group: "Access", key: "p", need: { Resource: "acl", Access: "read" }, load: () => import("./policies.js") },
  { id: "roles", title: "Roles", group: "Access", need: { Resource: "acl", Access: "read" }, load: () => import("./policies.js") },
  { id: "methods", title: "Auth methods", group: "Access", need: { Resource: "acl", Access: "read" }, load: () => import("./policies.js") },
  { id: "login", title: "Log in", group: "", load: () => import("./login.js") },
  { id: "operations", title: "Operations", group: "Cluster", key: "r", load: () => import("./operations.js") },
  { id: "log", title: "Log", group: "Cluster", need: { Resource: "agent", Access: "read" }, load: () => import("./log.js") },
];
