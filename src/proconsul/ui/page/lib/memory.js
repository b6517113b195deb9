// What the page has seen of services' health while it was open: nobody keeps it for longer. One blocking query feeds it, which
// the lists of services share.
import { signal } from "./ui.js";
import { startLive } from "./live.js";
import { elsewhere } from "./route.js";
import { token } from "./settings.js";

export const KEPT_MS = 3_600_000;
/** Changes kept of one service or check. */
const CHANGES_MAX = 240;

/** @typedef {{ at: number, status: string }} Change from then on it was so */

/** @type {Map<string, Change[]>} */
const histories = new Map();
/** Told whenever something was added. */
export const remembered = signal(0);

/**
 * Add what was seen. Pure but for `all`.
 * @param {Map<string, Change[]>} all @param {Iterable<[string, string]>} seen key and status @param {number} at milliseconds
 * @param {string} [prefix] of the keys seen: those of them that are missing are gone
 * @returns {boolean} whether anything changed
 */
export function note(all, seen, at, prefix = "") {
  let changed = false;
  const present = new Set();
  for (const [key, status] of seen) {
    present.add(key);
    changed = add(all, key, status, at) || changed;
  }
  if (prefix) {
    for (const key of all.keys()) {
      if (key.startsWith(prefix) && !present.has(key)) changed = add(all, key, "gone", at) || changed;
    }
  }
  return changed;
}

/** @param {Map<string, Change[]>} all @param {string} key @param {string} status @param {number} at */
function add(all, key, status, at) {
  const changes = all.get(key) ?? [];
  if (changes.at(-1)?.status === status) return false;
  const kept = changes.filter((change, index) => (changes[index + 1]?.at ?? at) > at - KEPT_MS);
  all.set(key, [...kept, { at, status }].slice(-CHANGES_MAX));
  return true;
}

/** @param {string} key @returns {Change[]} */
export function historyOf(key) {
  remembered.value;
  return histories.get(key) ?? [];
}

/** Remember checks that a view shows. @param {Iterable<[string, string]>} seen */
export function remember(seen) {
  if (note(histories, seen, Date.now())) remembered.value += 1;
}

/** @param {string} dc @param {string} name */
export const serviceKey = (dc, name) => `${dc}/service/${name}`;
/** @param {string} dc @param {string} node @param {string} check */
export const checkKey = (dc, node, check) => `${dc}/check/${node}/${check}`;

/** @param {{ ChecksCritical: number, ChecksWarning: number }} row */
export function statusOf(row) {
  return row.ChecksCritical ? "critical" : row.ChecksWarning ? "warning" : "passing";
}

/** @type {{ of: string, handle: { live: import("./live.js").Live, stop: () => void }, unsubscribe: () => void } | null} */
let recorder = null;

/** The summary of all services, kept watched from the first call on. @returns {import("./live.js").Live} */
export function services() {
  const dc = elsewhere.value;
  const of = `${dc}\n${token.value}`;
  if (recorder?.of === of) return recorder.handle.live;
  recorder?.unsubscribe();
  recorder?.handle.stop();
  const handle = startLive("internal/ui/services", dc);
  const unsubscribe = handle.live.subscribe(({ data, state }) => {
    if (state !== "live" || !Array.isArray(data)) return;
    const seen = /** @type {[string, string][]} */ (data.map((row) => [serviceKey(dc, row.Name), statusOf(row)]));
    if (note(histories, seen, Date.now(), serviceKey(dc, ""))) queueMicrotask(() => { remembered.value += 1; });
  });
  recorder = { of, handle, unsubscribe };
  return handle.live;
}
