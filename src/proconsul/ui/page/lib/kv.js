// Reading and writing keys. Values are bytes, flags are text (they have 64 bits), and a key that no address carries unchanged
// goes through a transaction. Export and import are those of `consul kv`.
import { ApiError, asCurl, call, encodePath, get, pathOf, quoted } from "./api.js";
import { asText, fromBase64, toBase64 } from "./format.js";
import { readOnly } from "./settings.js";
import { carried, carriedPart } from "./tree.js";

/**
 * @typedef {object} Pair
 * @property {string} key
 * @property {Uint8Array} bytes
 * @property {string} flags
 * @property {string} session of the session that holds it, or empty
 * @property {number} created
 * @property {number} modified
 * @property {number} locks how often it has been locked
 */

/** @typedef {{ method: string, path: string, params?: Record<string, string | number | undefined>, body?: Uint8Array | string }} Request */
/** @typedef {{ KV: { Verb: string, Key: string, Value?: string, Flags?: string, Index?: number } }} Op */

export const VALUE_MAX = 512 * 1024;
const OPS_MAX = 64;
/** Characters of values in one transaction; an agent takes 512 KiB in all. */
const OPS_SIZE = 380_000;
const READERS = 4;
/** So many keys are read one by one. */
const FEW = 8;

/** @param {any} raw an entry of the API @returns {Pair} */
export function pairOf(raw) {
  return {
    key: raw.Key, bytes: fromBase64(raw.Value ?? ""), flags: String(raw.Flags ?? 0), session: raw.Session ?? "",
    created: raw.CreateIndex, modified: raw.ModifyIndex, locks: raw.LockIndex ?? 0,
  };
}

/** @param {Uint8Array} a @param {Uint8Array} b */
export function sameBytes(a, b) {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

/** The text of a value that can be read and edited as such; null for binary data. @param {Uint8Array} bytes */
export function plainText(bytes) {
  const text = asText(bytes);
  return text === null || /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(text) ? null : text;
}

/** @typedef {{ mode: "text" | "base64", text: string, ends: "\n" | "\r\n" | "\r" | "mixed" }} Draft a value in an editor, which knows only \n */

/** @param {Uint8Array} bytes @returns {Draft} */
export function draftOf(bytes) {
  const text = plainText(bytes);
  if (text === null) return { mode: "base64", text: toBase64(bytes), ends: "\n" };
  const kinds = new Set(text.match(/\r\n|\r|\n/g) ?? ["\n"]);
  const [only] = kinds;
  return { mode: "text", text: text.replace(/\r\n?/g, "\n"), ends: kinds.size > 1 ? "mixed" : /** @type {"\n" | "\r\n" | "\r"} */ (only) };
}

/** @param {Draft} draft @param {Uint8Array} [from] what an unchanged draft stands for @returns {Uint8Array | null} null: it is no base64 */
export function bytesOf(draft, from) {
  const before = from && draftOf(from);
  if (from && before && before.mode === draft.mode && before.text === draft.text && before.ends === draft.ends) return from;
  if (draft.mode === "text") return new TextEncoder().encode(draft.ends === "mixed" ? draft.text : draft.text.replaceAll("\n", draft.ends));
  const text = draft.text.replace(/\s/g, "");
  return isBase64(text) ? fromBase64(text) : null;
}

/** What is wrong with a text that looks like JSON, or is named so; empty: nothing. @param {string} text @param {string} key */
export function jsonTrouble(text, key) {
  if (!/^\s*[{[]/.test(text) && !/\.json$/i.test(key)) return "";
  try {
    JSON.parse(text);
    return "";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** @param {string} text a natural number @returns {boolean} whether it fits 64 bits */
export function areFlags(text) {
  return /^\d{1,20}$/.test(text) && BigInt(text) < 2n ** 64n;
}

// ---- requests

/** Operations as JSON, with flags as the numbers they are. @param {Op[]} ops */
function opsText(ops) {
  return JSON.stringify(ops).replace(/"Flags":"(\d+)"/g, '"Flags":$1');
}

/** @param {string} key @param {Uint8Array} bytes @param {string} flags @param {number} cas index it must have; 0: must not exist @returns {Op} */
export function casOp(key, bytes, flags, cas) {
  return { KV: { Verb: "cas", Key: key, Value: toBase64(bytes), Flags: flags, Index: cas } };
}

/** @param {string} key @param {Uint8Array} bytes @param {string} flags @param {number} cas @returns {Request} */
export function putRequest(key, bytes, flags, cas) {
  if (!carried(key)) return { method: "PUT", path: "txn", body: opsText([casOp(key, bytes, flags, cas)]) };
  return { method: "PUT", path: `kv/${encodePath(key)}`, params: { cas, flags: flags === "0" ? undefined : flags }, body: bytes };
}

/** @param {string} key @param {number} cas @returns {Request} */
export function deleteRequest(key, cas) {
  if (!carried(key)) return { method: "PUT", path: "txn", body: opsText([{ KV: { Verb: "delete-cas", Key: key, Index: cas } }]) };
  return { method: "DELETE", path: `kv/${encodePath(key)}`, params: { cas } };
}

/** @param {string} prefix not empty @returns {Request} */
export function deleteTreeRequest(prefix) {
  if (!carried(prefix)) return { method: "PUT", path: "txn", body: opsText([{ KV: { Verb: "delete-tree", Key: prefix } }]) };
  return { method: "DELETE", path: `kv/${encodePath(prefix)}?recurse` };
}

/** @param {Request} request */
export function curlOf({ method, path, params, body }) {
  const text = body instanceof Uint8Array ? plainText(body) : body;
  const full = pathOf(path, params);
  return text === null ? `${asCurl(method, full)} --data-binary @value` : asCurl(method, full, text);
}

/** Deleting or writing a key with the command line. @param {Pair} pair @param {boolean} [deletes] */
export function cliOf(pair, deletes = false) {
  const flags = pair.flags === "0" || deletes ? "" : ` -flags=${pair.flags}`;
  return `consul kv ${deletes ? "delete" : "put"} -cas -modify-index=${pair.modified}${flags} ${quoted(pair.key)}${deletes ? "" : " @value"}`;
}

/**
 * Write one key, or delete it. @param {Request} request
 * @returns {Promise<boolean>} false: it is not as the request said it must be, and nothing was written
 */
export async function send({ method, path, params, body }) {
  const answer = await call(method, path, { params, body, accept: path === "txn" ? [409] : [] });
  if (answer.status !== 409) return answer.data !== false;
  const why = String(answer.data?.Errors?.[0]?.What ?? answer.text);
  if (/index is stale/.test(why)) return false;
  throw new ApiError(409, why, method, path);
}

// ---- reading

/**
 * Entries that no address carries. In a page that only reads, nothing is sent that could write: then all that begins alike is
 * read and the rest left out.
 * @param {"get" | "get-tree"} verb @param {string} key
 * @returns {Promise<any[]>} none if there is none
 */
async function readOdd(verb, key) {
  if (readOnly.peek()) {
    const { data } = await call("GET", `kv/${encodePath(carriedPart(key))}?recurse`, { accept: [404] });
    return Array.isArray(data) ? data.filter((entry) => (verb === "get" ? entry.Key === key : entry.Key.startsWith(key))) : [];
  }
  const answer = await call("PUT", "txn", { body: [{ KV: { Verb: verb, Key: key } }], accept: [409] });
  if (answer.status !== 409) return (answer.data?.Results ?? []).map((/** @type {any} */ result) => result.KV);
  const why = String(answer.data?.Errors?.[0]?.What ?? answer.text);
  if (/doesn't exist/.test(why)) return [];
  throw new ApiError(/denied/i.test(why) ? 403 : 409, why, "PUT", "txn");
}

/** @param {string} key @returns {Promise<Pair | null>} null: there is none */
export async function readKey(key) {
  if (key === "") return null;
  const raw = carried(key)
    ? (await call("GET", `kv/${encodePath(key)}`, { accept: [404] })).data
    : await readOdd("get", key);
  return Array.isArray(raw) && raw[0] ? pairOf(raw[0]) : null;
}

/** The path that lists the keys below a prefix, and maybe others: those that do not begin with it are to be left out. @param {string} prefix @param {boolean} [level] only up to the next slash */
export function keysPath(prefix, level = false) {
  const part = carriedPart(prefix);
  return `kv/${encodePath(part)}?keys${level && part === prefix ? "&separator=/" : ""}`;
}

/** @param {string} prefix @returns {Promise<string[]>} */
export async function listKeys(prefix) {
  const answer = await call("GET", keysPath(prefix), { accept: [404] });
  return Array.isArray(answer.data) ? answer.data.filter((key) => key.startsWith(prefix)) : [];
}

/** @param {string} prefix @returns {Promise<Pair[]>} every key below it with its value */
export async function readTree(prefix) {
  if (!carried(prefix)) return (await readOdd("get-tree", prefix)).map(pairOf);
  const answer = await call("GET", `kv/${encodePath(prefix)}?recurse`, { accept: [404] });
  return Array.isArray(answer.data) ? answer.data.map(pairOf) : [];
}

/** What all of them begin with, in whole characters. @param {string[]} keys */
export function commonPrefix(keys) {
  const [first = "", ...others] = keys;
  let length = first.length;
  for (const key of others) while (!key.startsWith(first.slice(0, length))) length -= 1;
  return first.slice(0, length).replace(/[\ud800-\udbff]$/, "");
}

/**
 * Which of many keys there are, by the names below what they have in common, and their values if that one request does for
 * most of what it brings.
 * @param {string[]} keys
 * @returns {Promise<Map<string, Pair | null>>} those that need not be read any more
 */
async function readTogether(keys) {
  const prefix = commonPrefix(keys);
  /** @type {string[]} */
  let names;
  try {
    names = await listKeys(prefix);
  } catch {
    return new Map(); // names may be kept from a token that may read them one by one
  }
  const there = new Set(names);
  const wanted = new Set(keys.filter((key) => there.has(key)));
  /** @type {Map<string, Pair | null>} */
  const found = new Map(keys.filter((key) => !wanted.has(key)).map((key) => [key, null]));
  if (wanted.size > FEW && wanted.size * 2 >= names.length) {
    for (const pair of await readTree(prefix)) if (wanted.has(pair.key)) found.set(pair.key, pair);
  }
  return found;
}

/**
 * Read many keys. @param {string[]} keys @param {(done: number) => void} [progress]
 * @returns {Promise<Map<string, Pair | null>>} null: there is none that the token may read
 */
export async function readKeys(keys, progress) {
  /** @type {Map<string, Pair | null>} */
  const found = keys.length > FEW ? await readTogether(keys) : new Map();
  const left = keys.filter((key) => !found.has(key)).reverse();
  await Promise.all(Array.from({ length: READERS }, async () => {
    for (let key = left.pop(); key !== undefined; key = left.pop()) {
      try {
        found.set(key, await readKey(key));
      } catch (error) {
        left.length = 0;
        throw new Error(`${key}: ${error instanceof Error ? error.message : error}`);
      }
      progress?.(found.size);
    }
  }));
  return found;
}

// ---- many at once

/** Operations in the portions that one transaction takes. @param {Op[]} ops @returns {Op[][]} */
export function batches(ops) {
  /** @type {Op[][]} */
  const all = [];
  let size = 0;
  for (const op of ops) {
    const mine = (op.KV.Value?.length ?? 0) + op.KV.Key.length;
    const last = all.at(-1);
    if (!last || last.length >= OPS_MAX || size + mine > OPS_SIZE) {
      all.push([op]);
      size = mine;
    } else {
      last.push(op);
      size += mine;
    }
  }
  return all;
}

/**
 * Carry out operations in transactions. One that is refused is left out and the others of its transaction are tried again.
 * @param {Op[]} ops @param {(done: number) => void} [progress]
 * @returns {Promise<{ done: number, refused: { key: string, why: string }[] }>}
 */
export async function runOps(ops, progress) {
  let done = 0;
  /** @type {{ key: string, why: string }[]} */
  const refused = [];
  for (let left of batches(ops)) {
    while (left.length) {
      const outcome = await runOnce(left);
      if (!outcome.size) {
        done += left.length;
        break;
      }
      for (const [at, why] of outcome) refused.push({ key: left[at]?.KV.Key ?? "", why });
      left = left.filter((_, at) => !outcome.has(at));
    }
    progress?.(done + refused.length);
  }
  return { done, refused };
}

/** @param {Op[]} ops @returns {Promise<Map<number, string>>} why, for each operation that was refused; none: all is done */
async function runOnce(ops) {
  const everyone = (/** @type {string} */ why) => new Map(ops.map((_, at) => /** @type {[number, string]} */ ([at, why])));
  const [first] = ops;
  try {
    if (ops.length === 1 && first && (first.KV.Value?.length ?? 0) > OPS_SIZE && carried(first.KV.Key)) {
      const { Key, Value = "", Flags = "0", Index = 0 } = first.KV;
      return await send(putRequest(Key, fromBase64(Value), Flags, Index)) ? new Map() : everyone("it has changed meanwhile");
    }
    const answer = await call("PUT", "txn", { body: opsText(ops), accept: [409] });
    if (answer.status !== 409) return new Map();
    /** @type {{ OpIndex: number, What: string }[]} */
    const errors = answer.data?.Errors ?? [];
    return errors.length ? new Map(errors.map(({ OpIndex, What }) => [OpIndex, /index is stale/.test(What) ? "it has changed meanwhile" : What])) : everyone(answer.text);
  } catch (error) {
    return everyone(error instanceof Error ? error.message : String(error));
  }
}

// ---- the command line's JSON

/** As `consul kv export` prints it. @param {Pair[]} pairs */
export function exportText(pairs) {
  const plain = pairs.map(({ key, flags, bytes }) => ({ key, flags, value: toBase64(bytes) }));
  return `${JSON.stringify(plain, null, "\t").replace(/"flags": "(\d+)"/g, '"flags": $1')}\n`;
}

/**
 * What `consul kv import` takes. Throws an Error that says what is wrong and where.
 * @param {string} text
 * @returns {{ key: string, flags: string, bytes: Uint8Array }[]}
 */
export function parseExport(text) {
  const data = JSON.parse(text.replace(/^\ufeff/, "").replace(/("flags":\s*)(\d{16,})/gi, '$1"$2"'));
  if (!Array.isArray(data)) throw new Error("The JSON is not an array of keys.");
  const seen = new Set();
  return data.map((entry, at) => {
    const where = `Entry ${at + 1}`;
    if (typeof entry !== "object" || entry === null || Array.isArray(entry)) throw new Error(`${where} is not an object.`);
    const { key, flags = 0, value = "" } = Object.fromEntries(Object.entries(entry).map(([name, one]) => [name.toLowerCase(), one ?? undefined]));
    if (typeof key !== "string" || key === "") throw new Error(`${where} has no key.`);
    if (seen.has(key)) throw new Error(`${where}: the key ${key} is there twice.`);
    seen.add(key);
    if (!areFlags(String(flags))) throw new Error(`${where} (${key}): flags must be a whole number from 0 to 2^64-1.`);
    if (typeof value !== "string" || !isBase64(value)) throw new Error(`${where} (${key}): the value is not base64.`);
    return { key, flags: String(flags), bytes: fromBase64(value) };
  });
}

/** @param {string} text */
export function isBase64(text) {
  return text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

/** The session that holds keys below a prefix. @param {string} session @param {string} prefix @returns {Promise<{ keys: string[], read: number }>} */
export async function heldBy(session, prefix) {
  const all = await get(`kv/${encodePath(carriedPart(prefix))}?recurse`, { accept: [404] });
  const mine = Array.isArray(all) ? all.filter((entry) => entry.Session === session && entry.Key.startsWith(prefix)) : [];
  return { keys: mine.map((entry) => entry.Key), read: Array.isArray(all) ? all.length : 0 };
}
