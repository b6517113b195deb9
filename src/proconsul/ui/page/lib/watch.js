// Blocking queries as an async iterator. The rules for the index live here and nowhere else:
// it is asked for again with the index of the last answer; an index that goes back, or is 0, starts anew; after a
// connection that broke it starts anew too, as the agent may have lost its data.

/**
 * @typedef {object} Transport what a watch needs from the outside
 * @property {(path: string, params: Record<string, string>, signal: AbortSignal) => Promise<Seen>} ask
 * @property {(ms: number, signal: AbortSignal) => Promise<void>} sleep returns early when `nudge` is called
 * @property {() => number} now milliseconds
 * @property {() => number} random 0 to 1
 * @property {(signal: AbortSignal) => Promise<Slot>} slot waits until a query may be made
 */

/**
 * @typedef {object} Seen
 * @property {any} data
 * @property {bigint} index 0 if there is none; those of events do not fit a number
 * @property {number} status
 * @property {number} [size] of the body, in bytes
 * @property {Headers} [headers]
 */

/** @typedef {{ blocks: boolean, free: () => void }} Slot `blocks`: whether this query may wait at the agent */

/**
 * @typedef {object} Event
 * @property {"data" | "refused" | "stale"} kind "refused": the agent answered with an error; "stale": no answer came
 * @property {any} [data]
 * @property {bigint} [index]
 * @property {Headers} [headers]
 * @property {Error & { status?: number }} [error]
 */

export const RETRY_FIRST_MS = 500;
export const RETRY_MAX_MS = 30_000;
/** How long a query waits at the agent: shorter than what proxies in between cut. */
export const WAIT_MS = 55_000;
export const WAIT = `${WAIT_MS / 1_000}s`;
/** Between questions that cannot wait at the agent. */
export const POLL_MS = 5_000;
/** Between an answer and the next question, so that a busy path is not asked for all the time. */
const PAUSE_MS = 30;
/** Longer after a large answer: a list of thousands that changes all the time is fetched about once a second. */
const PAUSE_MS_PER_MB = 300;
/** An answer that brings nothing new this soon was not waited for, whatever was asked. */
const HASTY_MS = 200;

/** @param {number} failures 1 for the first @param {number} random 0 to 1 */
export function retryAfter(failures, random) {
  const base = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(failures - 1, 10));
  return Math.min(RETRY_MAX_MS, base * (0.75 + random * 0.5));
}

/** Whether the agent answered that it will not, in place of not being able to. @param {{ status?: number }} error */
export function isRefusal({ status = 0 }) {
  return status >= 400 && status < 500;
}

/**
 * @param {bigint} last the index the question was asked with
 * @param {bigint} next the index of its answer
 * @returns {bigint} what to ask with next; 0: start anew
 */
export function nextIndex(last, next) {
  return next <= 0n || next < last ? 0n : next;
}

/**
 * Yields whenever what is at `path` may have changed, or cannot be had. Ends with `signal`.
 * @param {string} path
 * @param {Transport} transport
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<Event>}
 */
export async function* watch(path, transport, signal) {
  let index = 0n;
  let failures = 0;
  let anew = true;
  while (!signal.aborted) {
    const slot = await transport.slot(signal);
    const asked = transport.now();
    /** @type {Seen} */
    let seen;
    try {
      /** @type {Record<string, string>} */
      const params = index > 0n && slot.blocks ? { index: String(index), wait: WAIT } : {};
      seen = await transport.ask(path, params, signal);
    } catch (thrown) {
      if (signal.aborted) return;
      const error = /** @type {Error & { status?: number }} */ (thrown);
      const refused = isRefusal(error);
      failures += 1;
      yield { kind: refused ? "refused" : "stale", error };
      index = 0n;
      anew = true;
      slot.free();
      // Refusals wait longer from the start: what a token may not see does not change every second.
      await transport.sleep(retryAfter(refused ? Math.max(failures, 5) : failures, transport.random()), signal);
      continue;
    } finally {
      slot.free();
    }
    failures = 0;
    const next = nextIndex(index, seen.index);
    const news = anew || next === 0n || next !== index;
    if (news) yield { kind: "data", data: seen.data, index: seen.index, headers: seen.headers };
    // An index that went back: the answer is of another history, and the next question must not wait for the old one.
    anew = next === 0n && index !== 0n;
    const hasty = !news && slot.blocks && transport.now() - asked < HASTY_MS;
    const polls = (next === 0n && !anew) || !slot.blocks || hasty;
    index = next;
    await transport.sleep(polls ? POLL_MS : PAUSE_MS + ((seen.size ?? 0) / 1e6) * PAUSE_MS_PER_MB, signal);
  }
}
