// One way to the agent: every request of the page is made by `call`. It adds the token (in the header, never in the address)
// and the datacenter, and it is where read-only holds.
import { agent, readOnly, token } from "./settings.js";
import { elsewhere, encodePath } from "./route.js";

export { encodePath };

/** Something the agent refused or could not do; `status` 0: no answer came. */
export class ApiError extends Error {
  /** @param {number} status @param {string} text @param {string} method @param {string} path */
  constructor(status, text, method, path) {
    super(text || `${method} ${path}: ${status || "no answer"}`);
    this.status = status;
    this.method = method;
    this.path = path;
  }
}

/**
 * @typedef {object} Answer
 * @property {any} data decoded JSON, or null for an empty body
 * @property {string} text the body as it came
 * @property {number} index X-Consul-Index, 0 if there is none
 * @property {number} status
 * @property {Headers} headers
 */

/**
 * @typedef {object} Ask
 * @property {Record<string, string | number | true | undefined>} [params] true: a name without a value
 * @property {unknown} [body] sent as JSON, but for text and bytes
 * @property {AbortSignal} [signal]
 * @property {string} [dc] "" for none; the reader's own if not given
 * @property {number[]} [accept] statuses that are answers too, beside 2xx
 * @property {string} [secret] of the token to ask with; the reader's own if not given, "" for none
 */

/** What reads although its method does not say so. */
const READS = [/^internal\/acl\/authorize$/, /^acl\/log(in|out)$/, /^acl\/oidc\//];

/** @param {string} method @param {string} path */
export function isWrite(method, path) {
  return method !== "GET" && method !== "HEAD" && !READS.some((read) => read.test(path));
}

/**
 * The path of a request with its parameters, as it follows `/v1/`.
 * @param {string} path without `/v1/`, its parts encoded
 * @param {Ask["params"]} [params]
 * @param {string} [dc]
 */
export function pathOf(path, params = {}, dc = elsewhere.peek()) {
  const words = [];
  if (dc && dc !== agent.Datacenter) words.push(`dc=${encodeURIComponent(dc)}`);
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined) words.push(value === true ? name : `${name}=${encodeURIComponent(String(value))}`);
  }
  return words.length ? `${path}${path.includes("?") ? "&" : "?"}${words.join("&")}` : path;
}

/** @param {string} path as made by `pathOf` */
export function urlOf(path) {
  return new URL(`${agent.ApiRoot}v1/${path}`, globalThis.location.href.split("#")[0]).href;
}

/** The request for a terminal. The token is named, not shown. @param {string} method @param {string} path @param {unknown} [body] */
export function asCurl(method, path, body) {
  const words = ["curl"];
  if (method !== "GET") words.push("-X", method);
  if (token.value) words.push("-H", '"X-Consul-Token: $CONSUL_HTTP_TOKEN"');
  if (body !== undefined) words.push("--data-raw", quoted(typeof body === "string" ? body : JSON.stringify(body)));
  words.push(quoted(urlOf(path)));
  return words.join(" ");
}

/** As a POSIX shell reads it. @param {string} text */
export function quoted(text) {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * Ask the agent. Throws ApiError, or the AbortError of `signal`.
 * @param {string} method
 * @param {string} path without `/v1/`, its parts encoded
 * @param {Ask} [ask]
 * @returns {Promise<Answer>}
 */
export async function call(method, path, { params, body, signal, dc, accept = [], secret = token.peek() } = {}) {
  const full = pathOf(path, params, dc);
  if (isWrite(method, path) && readOnly.peek()) {
    throw new ApiError(403, "This page is read-only.", method, full);
  }
  /** @type {Record<string, string>} */
  const headers = {};
  if (secret) headers["X-Consul-Token"] = secret;
  const raw = body === undefined || typeof body === "string" || body instanceof Uint8Array || body instanceof Blob;
  if (!raw) headers["Content-Type"] = "application/json";
  /** @type {Response} */
  let response;
  let text;
  try {
    response = await fetch(urlOf(full), {
      method, headers, signal, cache: "no-store", credentials: "same-origin",
      body: raw ? /** @type {BodyInit | undefined} */ (body) : JSON.stringify(body),
    });
    text = await response.text();
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "The agent does not answer.", method, full);
  }
  if (!response.ok && !accept.includes(response.status)) {
    throw new ApiError(response.status, text.trim() || response.statusText, method, full);
  }
  return {
    data: parsed(text), text, status: response.status, headers: response.headers,
    index: Number(response.headers.get("X-Consul-Index")) || 0,
  };
}

/** Flags of a key have 64 bits: those that a number does not hold exactly are decoded as text. */
const LONG_FLAGS = /("Flags":\s*)(\d{16,})/gi;

/** @param {string} text */
function parsed(text) {
  try {
    return text === "" ? null : JSON.parse(text.replace(LONG_FLAGS, '$1"$2"'));
  } catch {
    return text; // plain text: /v1/status/leader of no leader, raw values, messages
  }
}

/** The decoded answer to a read. @param {string} path @param {Ask} [ask] @returns {Promise<any>} */
export async function get(path, ask) {
  return (await call("GET", path, ask)).data;
}

/**
 * The body of an answer while it comes, for `agent/monitor`.
 * @param {string} path @param {AbortSignal} signal
 * @returns {AsyncGenerator<Uint8Array>}
 */
export async function* stream(path, signal) {
  // With a Range a browser asks for no compression: Consul 1.8.7 says "gzip" of a log that it sends as it is.
  /** @type {Record<string, string>} */
  const headers = { Range: "bytes=0-", ...(token.peek() ? { "X-Consul-Token": token.peek() } : {}) };
  const response = await fetch(urlOf(path), { headers, signal, cache: "no-store" });
  if (!response.ok || !response.body) throw new ApiError(response.status, (await response.text()).trim(), "GET", path);
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

/** The bytes of an answer, for a download. @param {string} path @param {Ask} [ask] @returns {Promise<Blob>} */
export async function bytes(path, { params, signal, dc } = {}) {
  const full = pathOf(path, params, dc);
  const headers = token.peek() ? { "X-Consul-Token": token.peek() } : undefined;
  const response = await fetch(urlOf(full), { headers, signal, cache: "no-store" });
  if (!response.ok) throw new ApiError(response.status, (await response.text()).trim(), "GET", full);
  return response.blob();
}
