// Feeds signals from `watch`: at most four queries wait at the agent at once (a browser has six connections), all stop when
// the tab has been hidden for a minute, and what could not be asked for again says since when it is old.
import { signal, computed, useEffect, useMemo } from "./ui.js";
import { call, pathOf, ApiError } from "./api.js";
import { elsewhere } from "./route.js";
import { token } from "./settings.js";
import { isRefusal, WAIT_MS, watch } from "./watch.js";

export const QUERIES_MAX = 4;
const HIDDEN_MS = 60_000;
/** A connection may stay open to an agent that is stopped or cut off: who has said nothing for so long does not answer. */
export const PATIENCE_MS = 30_000;

/**
 * @typedef {object} Seen
 * @property {any} data undefined until the first answer; kept when later ones fail
 * @property {ApiError | null} error
 * @property {number} at when it was known to be true last, in milliseconds
 * @property {"waiting" | "live" | "stale" | "refused" | "paused"} state
 */

/** @typedef {import("../vendor/signals.js").Signal<Seen>} Live */

/** Everything watched at this moment, for the shell's mark and for "show the request". */
export const watched = signal(/** @type {Map<Live, { path: string, dc: string }>} */ (new Map()));

/** Since when the page is old, in milliseconds; 0: it is not. */
export const staleSince = computed(() => {
  const times = [...watched.value.keys()].filter((live) => live.value.state === "stale").map((live) => live.value.at);
  return times.length ? Math.min(...times) : 0;
});

export const paused = signal(false);

let slotsTaken = 0;

/** @returns {import("./watch.js").Slot} */
function takeSlot() {
  // One more than there are slots asks without waiting, every few seconds: late, but never starved.
  const blocks = slotsTaken < QUERIES_MAX;
  let taken = blocks;
  if (blocks) slotsTaken += 1;
  return {
    blocks,
    free() {
      if (taken) slotsTaken -= 1;
      taken = false;
    },
  };
}

/** @type {Set<() => void>} */
const sleepers = new Set();

/** Ask again now wherever a retry waits: the reader came back, or another question was answered. */
export function nudge() {
  for (const wake of [...sleepers]) wake();
}

/** @param {number} ms @param {AbortSignal} stop @returns {Promise<void>} */
function sleep(ms, stop) {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      sleepers.delete(wake);
      stop.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, ms);
    if (ms > 100) sleepers.add(wake);
    stop.addEventListener("abort", wake);
  });
}

/**
 * Keep `live` as the agent has it, until `stop`.
 * @param {Live} live @param {string} path @param {string} dc @param {AbortSignal} stop
 */
async function feed(live, path, dc, stop) {
  const transport = {
    /** @type {import("./watch.js").Transport["ask"]} */
    async ask(to, params, signal) {
      const answer = await call("GET", to, { params, signal, dc, accept: [404], patience: PATIENCE_MS + (params.wait ? WAIT_MS : 0) });
      if (answer.status === 404 && !answer.headers.has("X-Consul-Index")) {
        throw new ApiError(404, answer.text.trim() || "There is nothing here.", "GET", to);
      }
      return {
        status: answer.status, headers: answer.headers, size: answer.text.length,
        index: BigInt(/^\d+$/.exec(answer.headers.get("X-Consul-Index") ?? "")?.[0] ?? 0), data: answer.status === 404 ? null : answer.data,
      };
    },
    sleep, now: Date.now, random: Math.random, slot: async () => takeSlot(),
  };
  for await (const event of watch(path, transport, stop)) {
    if (stop.aborted) return;
    if (event.kind === "data") {
      const wasStale = live.peek().state === "stale";
      live.value = known(event.data);
      if (wasStale) nudge();
    } else {
      live.value = failed(live.peek(), event.error);
    }
  }
}

/** Nothing is known yet. @returns {Seen} */
const unseen = () => ({ data: undefined, error: null, at: 0, state: "waiting" });

/** @param {any} data @returns {Seen} */
const known = (data) => ({ data, error: null, at: Date.now(), state: "live" });

/** What was known stays, with the reason why there is nothing newer. @param {Seen} before @param {unknown} thrown @returns {Seen} */
function failed(before, thrown) {
  const error = /** @type {ApiError} */ (thrown);
  const at = before.state === "live" ? Date.now() : before.at || Date.now();
  return { ...before, error, at, state: isRefusal(error) ? "refused" : "stale" };
}

/** Have `live` among what is watched. @param {Live} live @param {string} path @param {string} dc @returns {() => void} take it out again */
function enlist(live, path, dc) {
  watched.value = new Map(watched.peek()).set(live, { path: pathOf(path, {}, dc), dc });
  return () => {
    const rest = new Map(watched.peek());
    rest.delete(live);
    watched.value = rest;
  };
}

/** What runs while the tab can be seen. @type {Map<Live, () => () => void>} */
const running = new Map();
/** @type {Map<Live, () => void>} */
const stops = new Map();
let hiddenTimer = 0;

function pause() {
  paused.value = true;
  for (const stop of stops.values()) stop();
  stops.clear();
  for (const live of running.keys()) live.value = { ...live.peek(), state: "paused" };
}

function resume() {
  if (!paused.peek()) return;
  paused.value = false;
  for (const [live, start] of running) stops.set(live, start());
}

globalThis.document?.addEventListener("visibilitychange", () => {
  clearTimeout(hiddenTimer);
  if (document.hidden) {
    hiddenTimer = /** @type {any} */ (setTimeout(pause, HIDDEN_MS));
  } else {
    resume();
    nudge();
  }
});
globalThis.addEventListener?.("online", nudge);

/**
 * Watch a path outside of any view. @param {string} path @param {string} [dc]
 * @returns {{ live: Live, stop: () => void }}
 */
export function startLive(path, dc = elsewhere.peek()) {
  /** @type {Live} */
  const live = signal(unseen());
  const start = () => {
    const controller = new AbortController();
    void feed(live, path, dc, controller.signal);
    return () => controller.abort();
  };
  running.set(live, start);
  const leave = enlist(live, path, dc);
  if (!paused.peek()) stops.set(live, start());
  return {
    live,
    stop() {
      stops.get(live)?.();
      stops.delete(live);
      running.delete(live);
      leave();
    },
  };
}

const NOTHING = signal(unseen());

/**
 * What is at a path of the API, kept up to date while the view is shown; "" for nothing. For a view:
 * `const { data, state } = useLive("catalog/nodes").value`.
 * @param {string} path without `/v1/`, its parts encoded
 * @returns {Live}
 */
export function useLive(path) {
  const dc = elsewhere.value;
  const secret = token.value;
  const handle = useMemo(() => (path ? startLive(path, dc) : null), [path, dc, secret]);
  useEffect(() => () => handle?.stop(), [handle]);
  return handle?.live ?? NOTHING;
}

/**
 * What is at a path that cannot be waited for, asked for every `ms` milliseconds while the view is shown and can be seen.
 * @param {string} path @param {number} [ms]
 * @returns {Live}
 */
export function usePoll(path, ms = 5_000) {
  const dc = elsewhere.value;
  const secret = token.value;
  const live = useMemo(() => signal(unseen()), [path, dc, secret]);
  useEffect(() => {
    if (!path) return undefined;
    const controller = new AbortController();
    const ask = async () => {
      for (;;) {
        if (!paused.peek()) {
          try {
            const { data } = await call("GET", path, { dc, signal: controller.signal, patience: PATIENCE_MS });
            live.value = known(data);
          } catch (error) {
            if (controller.signal.aborted) return;
            live.value = failed(live.peek(), error);
          }
        }
        await sleep(ms, controller.signal);
        if (controller.signal.aborted) return;
      }
    };
    const leave = enlist(live, path, dc);
    void ask();
    return () => {
      controller.abort();
      leave();
    };
  }, [live]);
  return live;
}
