// What the token may do, so that the page does not offer the rest. Asked for together, at most 64 at once, by
// /v1/internal/acl/authorize; without access control everything may be done.
import { signal, effect } from "./ui.js";
import { call } from "./api.js";
import { agent, readOnly, token } from "./settings.js";
import { place } from "./route.js";

const ASKED_MAX = 64;

/** @typedef {{ Resource: string, Access: "read" | "list" | "write" | "write-prefix", Segment?: string }} Need */

/** Answers so far; a need that is missing is being asked for. */
const known = signal(/** @type {Map<string, boolean>} */ (new Map()));
/** @type {Map<string, Need>} */
const wanted = new Map();
let asking = false;

/** Whether there is access control here; null until it is known. */
export const aclsEnabled = signal(agent.ACLsEnabled);

/** @param {Need} need */
const nameOf = (need) => `${need.Resource}\n${need.Access}\n${need.Segment ?? ""}`;

async function ask() {
  asking = true;
  await Promise.resolve();
  while (wanted.size) {
    const names = [...wanted.keys()].slice(0, ASKED_MAX);
    const body = names.map((name) => ({ Segment: "", ...wanted.get(name) }));
    for (const name of names) wanted.delete(name);
    const secret = token.peek();
    /** @type {boolean[]} */
    let allowed;
    try {
      const { data } = await call("POST", "internal/acl/authorize", { body });
      allowed = names.map((_, at) => data?.[at]?.Allow === true);
      aclsEnabled.value ??= true;
    } catch (error) {
      const text = error instanceof Error ? error.message : "";
      const off = /ACL support disabled/i.test(text);
      if (off) aclsEnabled.value = false;
      allowed = names.map(() => off);
    }
    if (secret !== token.peek()) continue;
    const next = new Map(known.peek());
    names.forEach((name, at) => next.set(name, allowed[at] ?? false));
    known.value = next;
  }
  asking = false;
}

/**
 * Whether the token may do it; undefined until it is known. Reading it in a view renders the view again when it is.
 * @param {Need} need
 * @returns {boolean | undefined}
 */
export function may(need) {
  if (aclsEnabled.value === false) return true;
  const name = nameOf(need);
  const answer = known.value.get(name);
  if (answer === undefined && !wanted.has(name)) {
    wanted.set(name, need);
    if (!asking) void ask();
  }
  return answer;
}

/** Whether a change may be offered: the token may make it, and the page is not read-only. @param {Need} need */
export function offers(need) {
  return !readOnly.value && may(need) === true;
}

// Another token, or another datacenter, may do other things.
let of = "";
effect(() => {
  const now = `${token.value}\n${place.value.dc}`;
  if (now !== of) {
    of = now;
    known.value = new Map();
  }
});
