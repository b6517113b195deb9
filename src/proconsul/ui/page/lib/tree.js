// Keys as a tree: what one level holds, the way to it, and which keys an address can carry. Pure.
import { byName } from "./filter.js";

/**
 * @typedef {object} Row
 * @property {string} key the key, or the folder's prefix with its slash
 * @property {string} name what it is called at this level; empty: the key that is named as the folder is
 * @property {boolean} folder
 */

/**
 * What is directly below a prefix: folders first, each once, both in the order people expect.
 * @param {string[]} keys all keys below it, or those that the agent has cut at the next slash
 * @param {string} prefix
 * @returns {Row[]}
 */
export function levelOf(keys, prefix) {
  const folders = new Set();
  const leaves = new Set();
  for (const key of keys) {
    if (!key.startsWith(prefix)) continue;
    const cut = key.indexOf("/", prefix.length);
    if (cut < 0) leaves.add(key);
    else folders.add(key.slice(0, cut + 1));
  }
  const rows = (/** @type {Set<string>} */ set, /** @type {boolean} */ folder) =>
    [...set].sort(byName).map((key) => ({ key, name: key.slice(prefix.length), folder }));
  return [...rows(folders, true), ...rows(leaves, false)];
}

/** @param {string[]} keys @param {string} prefix @returns {Row[]} every key below it, in the agent's order */
export function flatOf(keys, prefix) {
  return keys.filter((key) => key.startsWith(prefix)).map((key) => ({ key, name: key.slice(prefix.length), folder: false }));
}

/** The folder that holds a key or a folder: "a/b" is in "a/", "a/b/" too. @param {string} key */
export function parentOf(key) {
  if (key.length < 2) return "";
  return key.slice(0, key.lastIndexOf("/", key.length - 2) + 1);
}

/**
 * The folders on the way to a prefix or key, the outermost first, without itself: `[name, prefix]`.
 * @param {string} key
 * @returns {[string, string][]}
 */
export function pathTo(key) {
  /** @type {[string, string][]} */
  const found = [];
  const end = parentOf(key).length;
  for (let from = 0; from < end;) {
    const cut = key.indexOf("/", from) + 1;
    found.push([key.slice(from, cut - 1), key.slice(0, cut)]);
    from = cut;
  }
  return found;
}

/**
 * What the agent takes in a path: letters, marks, numbers, punctuation, symbols and the plain blank. Beyond the first plane the
 * browser may know characters that the agent does not know yet.
 */
const PRINTABLE = /^(?:(?![\u{10000}-\u{10ffff}])[\p{L}\p{M}\p{N}\p{P}\p{S} ])*/u;

/**
 * As much of a prefix as the path of a request carries unchanged. A browser takes "." and ".." out of an address, an agent
 * sends `a//b` on to `a/b`, which is another key, and it refuses what cannot be printed.
 * @param {string} prefix
 */
export function carriedPart(prefix) {
  const parts = prefix.split("/");
  let kept = "";
  for (let at = 0; at < parts.length; at += 1) {
    const part = parts[at] ?? "";
    const last = at === parts.length - 1;
    const head = PRINTABLE.exec(part)?.[0] ?? "";
    if (head === "." || head === ".." || (head === "" && !last)) return kept;
    if (head !== part) return kept + head;
    kept += last ? part : `${part}/`;
  }
  return kept;
}

/** Whether a request can name it in its path; if not, a transaction can. @param {string} key a key, or a prefix */
export function carried(key) {
  return carriedPart(key) === key;
}

/** @type {Record<string, string>} */
const ESCAPES = { "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/**
 * A name with what cannot be seen written as its escape: control characters, and those that turn or hide what follows.
 * @param {string} text
 * @param {boolean} [lines] leave tabs and line ends, as in a value
 */
export function visible(text, lines = false) {
  return text.replace(lines ? /[^\P{C}\n\t]|[\u2028\u2029]/gu : /\p{C}|[\u2028\u2029]/gu,
    (character) => ESCAPES[character] ?? `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
